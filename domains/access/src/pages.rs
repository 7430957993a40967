//! The pages of login and first start: rendered by the server, without any script.

use askama::Template;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Form};
use garrison_base::PersonId;
use garrison_kernel::{ActorId, Holder, Outcome, Problem};
use garrison_web::{Caller, Client, Refusal, Routes, from_this_site, session_cookie};
use serde::Deserialize;

use crate::acts::EndSession;
use crate::login::{Begin, Profile, Step, Stepped};
use crate::model::{Next, SessionView};
use crate::{Access, EnrolmentView, reads};

/// The pages.
pub(crate) fn routes(access: Access) -> Routes {
    let shared = Extension(access);
    Routes::new()
        .page("/", get(home).layer(shared.clone()))
        .page("/login", get(login_page).post(begin).layer(shared.clone()))
        .page("/login/step", post(step).layer(shared.clone()))
        .page("/activate/{link}", get(activate_page).post(activate).layer(shared.clone()))
        .page("/logout", post(logout).layer(shared.clone()))
        .page("/session/end", post(end_session).layer(shared))
        .page("/style.css", get(style))
}

/// A page of one form.
#[derive(Template)]
#[template(path = "form.html")]
struct FormPage {
    title: &'static str,
    words: String,
    error: Option<String>,
    action: String,
    /// What the next step shows.
    login: String,
    fields: Vec<Field>,
    enrolment: Option<EnrolmentView>,
}

impl FormPage {
    /// What was typed before, so that nobody types it again. Never what is secret.
    fn typed(mut self, values: &[&str]) -> Self {
        for (field, value) in self.fields.iter_mut().zip(values) {
            (*value).clone_into(&mut field.value);
        }
        self
    }
}

struct Field {
    name: &'static str,
    label: &'static str,
    kind: &'static str,
    autocomplete: &'static str,
    value: String,
}

const fn field(
    name: &'static str,
    label: &'static str,
    kind: &'static str,
    autocomplete: &'static str,
) -> Field {
    Field { name, label, kind, autocomplete, value: String::new() }
}

const NAME: Field = field("name", "Name", "text", "username");
const PASSWORD: Field = field("password", "Password", "password", "current-password");
const NEW_PASSWORD: Field = field("new_password", "New password", "password", "new-password");
const CODE: Field = field("code", "Code", "text", "one-time-code");
const FULL_NAME: Field = field("full_name", "Full name", "text", "name");
const EMAIL: Field = field("email", "E-mail", "email", "email");

#[derive(Template)]
#[template(path = "codes.html")]
struct CodesPage {
    codes: Vec<String>,
}

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage {
    name: String,
    own: String,
    sessions: Vec<SessionView>,
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    title: String,
    detail: String,
    advice: String,
}

fn page(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => (status, Html(text)).into_response(),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, "this page could not be made").into_response(),
    }
}

fn problem_page(refusal: &Refusal) -> Response {
    let status = StatusCode::from_u16(refusal.kind().status).unwrap_or(StatusCode::BAD_REQUEST);
    let (title, advice) = (refusal.kind().title.to_owned(), refusal.kind().advice.to_owned());
    page(status, &ProblemPage { title, detail: refusal.detail().to_owned(), advice })
}

fn form(title: &'static str, words: impl Into<String>, action: &str, fields: Vec<Field>) -> FormPage {
    let words = words.into();
    let (error, login, enrolment) = (None, String::new(), None);
    FormPage { title, words, error, action: action.to_owned(), login, fields, enrolment }
}

async fn login_page(Extension(access): Extension<Access>) -> Response {
    page(StatusCode::OK, &login_form(&access).await)
}

async fn login_form(access: &Access) -> FormPage {
    let several = access.kernel.tenants().await.is_ok_and(|tenants| tenants.len() > 1);
    let words = if several { "Put the name of your tenant in front: tenant/name." } else { "" };
    form("Log in", words, "/login", vec![NAME, PASSWORD])
}

/// The form for what a login asks for now.
fn step_form(login: String, next: Next, enrolment: Option<EnrolmentView>) -> FormPage {
    let (title, words, field) = match next {
        Next::NewPassword => (
            "Choose a password",
            "12 to 256 characters. Several words that do not belong together are good.",
            NEW_PASSWORD,
        ),
        Next::Enrol => (
            "Authenticator app",
            "Scan this with an authenticator app, or type the secret into it. Then type the code that it shows.",
            CODE,
        ),
        _ => (
            "Second factor",
            "Type the code that your authenticator app shows, or one of your recovery codes.",
            CODE,
        ),
    };
    FormPage { login, enrolment, ..form(title, words, "/login/step", vec![field]) }
}

#[derive(Deserialize)]
struct NameAndPassword {
    name: String,
    password: String,
}

async fn begin(
    Extension(access): Extension<Access>,
    Client(origin): Client,
    headers: HeaderMap,
    Form(given): Form<NameAndPassword>,
) -> Response {
    if !from_this_site(&headers) {
        return Redirect::to("/login").into_response();
    }
    // `tenant/name` where there is more than one tenant: a name has no slash.
    let (tenant, name) = match given.name.trim().split_once('/') {
        Some((tenant, name)) => (Some(tenant.to_owned()), name.to_owned()),
        None => (None, given.name.trim().to_owned()),
    };
    let (begin, typed) = (Begin { name: Some(name), tenant, ..Begin::default() }, given.name);
    let tried = async {
        let begun = access.begin(begin, &origin).await?;
        access
            .step(Step { login: begun.login, password: Some(given.password), ..Step::default() }, &origin)
            .await
    };
    match tried.await {
        Ok(stepped) => page(StatusCode::OK, &step_form(stepped.login, stepped.next, None)),
        Err(problem) => again(&access, login_form(&access).await.typed(&[&typed]), problem),
    }
}

/// The same form, with what was wrong.
fn again(access: &Access, mut form: FormPage, problem: Box<dyn Problem>) -> Response {
    let wait = problem.retry_at().map(|until| until.duration_since(access.kernel.now()).as_secs().max(1));
    let refusal = Refusal::from(problem);
    let status = StatusCode::from_u16(refusal.kind().status).unwrap_or(StatusCode::BAD_REQUEST);
    form.error = Some(match wait {
        Some(seconds) => format!("Too many attempts. Wait {seconds} seconds."),
        None => sentence(&format!("{}: {}", refusal.kind().title, refusal.kind().advice)),
    });
    let mut response = page(status, &form);
    if let Some(seconds) = wait {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds.unsigned_abs()));
    }
    response
}

/// Words as the command line says them, as a sentence.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}.", letters.as_str().replace('`', ""))
}

#[derive(Deserialize)]
struct StepForm {
    login: String,
    code: Option<String>,
    new_password: Option<String>,
}

async fn step(
    Extension(access): Extension<Access>,
    Client(origin): Client,
    caller: Result<Caller, Refusal>,
    headers: HeaderMap,
    Form(given): Form<StepForm>,
) -> Response {
    if !from_this_site(&headers) {
        return Redirect::to("/login").into_response();
    }
    let shown = given.login.clone();
    let mut next = Step { login: given.login, new_password: given.new_password, ..Step::default() };
    match given.code {
        // A recovery code is longer than any code of an app.
        Some(code) if code.chars().filter(|char| !char.is_whitespace()).count() > 8 => {
            next.recovery_code = Some(code);
        }
        Some(code) => next.code = Some(code),
        None => {}
    }
    let problem = match access.step(next, &origin).await {
        Ok(stepped) => return stepped_page(stepped),
        Err(problem) => problem,
    };
    // The form that the login is at: after a wrong code, and after a page that was sent twice.
    match access.standing(&shown, &origin).await {
        Ok((next, enrolment)) if problem.kind().name == "request/invalid" => {
            page(StatusCode::OK, &step_form(shown, next, enrolment))
        }
        Ok((next, enrolment)) => again(&access, step_form(shown, next, enrolment), problem),
        // The page of the recovery codes, sent twice: the person is logged in.
        Err(_) if caller.is_ok() => Redirect::to("/").into_response(),
        Err(_) => again(&access, login_form(&access).await, problem),
    }
}

fn stepped_page(stepped: Stepped) -> Response {
    let mut response = match stepped.next {
        Next::Done if stepped.recovery_codes.is_empty() => Redirect::to("/").into_response(),
        Next::Done => page(StatusCode::OK, &CodesPage { codes: stepped.recovery_codes }),
        next => page(StatusCode::OK, &step_form(stepped.login, next, stepped.enrolment)),
    };
    if let Some(secret) = stepped.session {
        response.headers_mut().insert(header::SET_COOKIE, session_cookie(Some(&secret)));
    }
    response
}

async fn activate_page(
    Extension(access): Extension<Access>,
    Client(origin): Client,
    Path(link): Path<String>,
) -> Response {
    match access.open_link(&link, &origin).await {
        Ok((_, person)) => page(StatusCode::OK, &activate_form(&access, &link, person)),
        Err(problem) => problem_page(&problem.into()),
    }
}

fn activate_form(access: &Access, link: &str, person: Option<PersonId>) -> FormPage {
    let (title, action) = ("Welcome to Garrison", format!("/activate/{link}"));
    let Some(person) = person else {
        let words =
            "You become the first administrator. Tell who you are: the name is what you will log in with.";
        return form(title, words, &action, vec![NAME, FULL_NAME, EMAIL]);
    };
    let name = access.kernel.name_of(Holder::Actor(ActorId::Person(person)));
    let words = format!("This link is for the account {name}. With it you choose a password, once.");
    form(title, words, &action, Vec::new())
}

#[derive(Deserialize)]
struct ProfileForm {
    name: Option<String>,
    full_name: Option<String>,
    email: Option<String>,
}

impl ProfileForm {
    /// What was typed, if it is what it should be.
    fn read(&self) -> Result<Profile, garrison_base::BadText> {
        let [name, full_name, email] = self.values();
        Ok(Profile {
            name: name.to_lowercase().parse()?,
            full_name: full_name.parse()?,
            email: email.parse()?,
        })
    }

    fn values(&self) -> [&str; 3] {
        [&self.name, &self.full_name, &self.email].map(|value| value.as_deref().unwrap_or_default().trim())
    }
}

async fn activate(
    Extension(access): Extension<Access>,
    Client(origin): Client,
    Path(link): Path<String>,
    headers: HeaderMap,
    Form(given): Form<ProfileForm>,
) -> Response {
    if !from_this_site(&headers) {
        return Redirect::to(&format!("/activate/{link}")).into_response();
    }
    let person = match access.open_link(&link, &origin).await {
        Ok((_, person)) => person,
        Err(problem) => return problem_page(&problem.into()),
    };
    let form = || activate_form(&access, &link, person).typed(&given.values());
    let profile = match person {
        Some(_) => None,
        None => match given.read() {
            Ok(profile) => Some(profile),
            Err(error) => {
                let error = Some(sentence(&error.to_string()));
                return page(StatusCode::UNPROCESSABLE_ENTITY, &FormPage { error, ..form() });
            }
        },
    };
    let begin = Begin { invitation: Some(link.clone()), profile, ..Begin::default() };
    match access.begin(begin, &origin).await {
        Ok(begun) => stepped_page(begun),
        Err(problem) => again(&access, form(), problem),
    }
}

async fn home(Extension(access): Extension<Access>, caller: Result<Caller, Refusal>) -> Response {
    let Ok(Caller(actor)) = caller else { return Redirect::to("/login").into_response() };
    let sessions = async {
        let mut tx =
            access.kernel.read(&actor, <reads::ListSessions as garrison_web::Question>::VERB).await?;
        garrison_web::Question::answer(reads::ListSessions {}, &mut tx).await
    };
    match sessions.await {
        Ok(sessions) => {
            let name = access.kernel.name_of(Holder::Actor(actor.id));
            page(StatusCode::OK, &HomePage { name, own: actor.origin.session, sessions })
        }
        Err(error) => problem_page(&error.into()),
    }
}

async fn logout(
    Extension(access): Extension<Access>,
    headers: HeaderMap,
    caller: Result<Caller, Refusal>,
) -> Response {
    if !from_this_site(&headers) {
        return Redirect::to("/").into_response();
    }
    if let Ok(Caller(actor)) = caller
        && let (Ok(session), ActorId::Person(_)) = (actor.origin.session.parse(), actor.id)
    {
        let ended: Result<Outcome<_>, _> = access.kernel.act(&actor, EndSession { session }).await;
        if let Err(problem) = ended {
            return problem_page(&problem.into());
        }
    }
    let mut response = Redirect::to("/login").into_response();
    response.headers_mut().insert(header::SET_COOKIE, session_cookie(None));
    // Whatever the browser keeps of this site goes with the session.
    let clear = HeaderValue::from_static("\"cache\", \"storage\"");
    response.headers_mut().insert("clear-site-data", clear);
    response
}

#[derive(Deserialize)]
struct SessionForm {
    session: String,
}

async fn end_session(
    Extension(access): Extension<Access>,
    caller: Result<Caller, Refusal>,
    Form(given): Form<SessionForm>,
) -> Response {
    let Ok(Caller(actor)) = caller else { return Redirect::to("/login").into_response() };
    let Ok(session) = given.session.parse() else { return Redirect::to("/").into_response() };
    match access.kernel.act(&actor, EndSession { session }).await {
        Ok(_) => Redirect::to("/").into_response(),
        Err(problem) => problem_page(&problem.into()),
    }
}

async fn style() -> Response {
    let kind =
        [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "public, max-age=3600")];
    (kind, include_str!("../templates/style.css")).into_response()
}
