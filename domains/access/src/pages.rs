//! The pages of login and first start: rendered by the server, without any script.

use askama::Template;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Form};
use garrison_kernel::{ActorId, Holder, Outcome, Problem};
use garrison_web::{Caller, Client, Refusal, Routes, from_this_site, session_cookie};
use serde::Deserialize;

use crate::acts::EndSession;
use crate::login::{Begin, Profile, Step, Stepped};
use crate::model::{Next, SessionView};
use crate::{Access, reads};

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
struct FormPage<'a> {
    title: &'a str,
    words: &'a str,
    error: Option<String>,
    action: String,
    /// What the next step shows.
    login: String,
    fields: &'a [Field],
    button: &'a str,
    enrolment: Option<crate::EnrolmentView>,
}

struct Field {
    name: &'static str,
    label: &'static str,
    kind: &'static str,
    autocomplete: &'static str,
}

const NAME: Field = Field { name: "name", label: "Name", kind: "text", autocomplete: "username" };
const PASSWORD: Field =
    Field { name: "password", label: "Password", kind: "password", autocomplete: "current-password" };
const NEW_PASSWORD: Field =
    Field { name: "new_password", label: "New password", kind: "password", autocomplete: "new-password" };
const CODE: Field = Field { name: "code", label: "Code", kind: "text", autocomplete: "one-time-code" };
const FULL_NAME: Field = Field { name: "full_name", label: "Full name", kind: "text", autocomplete: "name" };
const EMAIL: Field = Field { name: "email", label: "E-mail", kind: "email", autocomplete: "email" };

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

fn form(
    title: &'static str,
    words: &'static str,
    action: &str,
    fields: &'static [Field],
) -> FormPage<'static> {
    FormPage {
        title,
        words,
        error: None,
        action: action.to_owned(),
        login: String::new(),
        fields,
        button: "Go on",
        enrolment: None,
    }
}

async fn login_page() -> Response {
    page(StatusCode::OK, &login_form())
}

fn login_form() -> FormPage<'static> {
    form("Log in", "", "/login", &[NAME, PASSWORD])
}

fn code_form(login: String) -> FormPage<'static> {
    let words = "Type the code that your authenticator app shows, or one of your recovery codes.";
    FormPage { login, ..form("Second factor", words, "/login/step", &[CODE]) }
}

fn password_form(login: String) -> FormPage<'static> {
    let words = "12 to 256 characters. Several words that do not belong together are good.";
    FormPage { login, ..form("Choose a password", words, "/login/step", &[NEW_PASSWORD]) }
}

fn enrol_form(login: String, enrolment: Option<crate::EnrolmentView>) -> FormPage<'static> {
    let words = "Give this secret to an authenticator app, then type the code that it shows.";
    FormPage { login, enrolment, ..form("Authenticator app", words, "/login/step", &[CODE]) }
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
    let begin = Begin { name: Some(name), tenant, ..Begin::default() };
    let tried = async {
        let begun = access.begin(begin, &origin).await?;
        access
            .step(Step { login: begun.login, password: Some(given.password), ..Step::default() }, &origin)
            .await
    };
    match tried.await {
        Ok(stepped) => page(StatusCode::OK, &code_form(stepped.login)),
        Err(problem) => again(&access, login_form(), problem),
    }
}

/// The same form, with what was wrong.
fn again(access: &Access, mut form: FormPage<'_>, problem: Box<dyn Problem>) -> Response {
    let retry = problem.retry_at().map(|until| until.duration_since(access.kernel.now()).as_secs().max(1));
    let refusal = Refusal::from(problem);
    let status = StatusCode::from_u16(refusal.kind().status).unwrap_or(StatusCode::BAD_REQUEST);
    form.error = Some(match retry {
        Some(seconds) => format!("Too many attempts. Wait {seconds} seconds."),
        None => format!("{}: {}.", refusal.kind().title, refusal.kind().advice),
    });
    page(status, &form)
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
    headers: HeaderMap,
    Form(given): Form<StepForm>,
) -> Response {
    if !from_this_site(&headers) {
        return Redirect::to("/login").into_response();
    }
    let shown = given.login.clone();
    let is_password = given.new_password.is_some();
    let mut next = Step { login: given.login, new_password: given.new_password, ..Step::default() };
    match given.code {
        // A recovery code is longer than any code of an app.
        Some(code) if code.trim().len() > 8 => next.recovery_code = Some(code),
        Some(code) => next.code = Some(code),
        None => {}
    }
    match access.step(next, &origin).await {
        Ok(stepped) => stepped_page(stepped),
        Err(problem) if is_password => again(&access, password_form(shown), problem),
        Err(problem) if problem.kind().name == "login/ended" => again(&access, login_form(), problem),
        Err(problem) => again(&access, code_form(shown), problem),
    }
}

fn stepped_page(stepped: Stepped) -> Response {
    let mut response = match stepped.next {
        Next::Password => page(StatusCode::OK, &login_form()),
        Next::Code => page(StatusCode::OK, &code_form(stepped.login)),
        Next::NewPassword => page(StatusCode::OK, &password_form(stepped.login)),
        Next::Enrol => page(StatusCode::OK, &enrol_form(stepped.login, stepped.enrolment)),
        Next::Done if stepped.recovery_codes.is_empty() => Redirect::to("/").into_response(),
        Next::Done => page(StatusCode::OK, &CodesPage { codes: stepped.recovery_codes }),
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
        Ok((_, person, _)) => page(StatusCode::OK, &activate_form(&link, person.is_none())),
        Err(problem) => problem_page(&problem.into()),
    }
}

fn activate_form(link: &str, first: bool) -> FormPage<'static> {
    let action = format!("/activate/{link}");
    if first {
        let words = "You become the first administrator. Tell who you are.";
        form("Welcome to Garrison", words, &action, &[NAME, FULL_NAME, EMAIL])
    } else {
        form("Welcome to Garrison", "This link lets you choose a password, once.", &action, &[])
    }
}

#[derive(Deserialize)]
struct ProfileForm {
    name: Option<String>,
    full_name: Option<String>,
    email: Option<String>,
}

impl ProfileForm {
    /// What was typed, if it is what it should be; nothing where the form had no such fields.
    fn read(self) -> Result<Option<Profile>, garrison_base::BadText> {
        let (Some(name), Some(full_name), Some(email)) = (self.name, self.full_name, self.email) else {
            return Ok(None);
        };
        let profile = Profile {
            name: name.trim().parse()?,
            full_name: full_name.trim().parse()?,
            email: email.trim().parse()?,
        };
        Ok(Some(profile))
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
    let profile = match given.read() {
        Ok(profile) => profile,
        Err(error) => {
            let mut form = activate_form(&link, true);
            form.error = Some(error.to_string());
            return page(StatusCode::UNPROCESSABLE_ENTITY, &form);
        }
    };
    let first = profile.is_some();
    match access.begin(Begin { invitation: Some(link.clone()), profile, ..Begin::default() }, &origin).await {
        Ok(begun) => stepped_page(begun),
        Err(problem) if first => again(&access, activate_form(&link, true), problem),
        Err(problem) => problem_page(&problem.into()),
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
