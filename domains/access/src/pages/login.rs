//! The pages of a login: name and password, then the second factor.

use askama::Template;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Form};
use garrison_web::{Caller, Client, Refusal, from_this_site};
use serde::Deserialize;

use super::form::{Field, FormPage};
use super::language::Reader;
use super::onward::{Asked, Onward};
use super::{Frame, again, page, with_session};
use crate::login::{Begin, Step, Stepped};
use crate::model::Next;
use crate::{Access, EnrolmentView};

#[derive(Template)]
#[template(path = "codes.html")]
struct CodesPage {
    frame: Frame,
    codes: Vec<String>,
    next: Onward,
}

pub(super) async fn show(
    Extension(access): Extension<Access>,
    reader: Reader,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let asked = asked.ok().and_then(|Query(asked)| asked.next);
    page(reader, StatusCode::OK, &form(&access, reader, &Onward::read(asked.as_deref())).await)
}

async fn form(access: &Access, reader: Reader, next: &Onward) -> FormPage {
    let words = reader.lang.words();
    let several = access.kernel.tenants().await.is_ok_and(|tenants| tenants.len() > 1);
    let hint = if several { words.tenant_hint.to_owned() } else { String::new() };
    let fields = vec![Field::name(words), Field::password(words)];
    let frame = Frame::at(reader, &next.login());
    FormPage { hint, next: Some(next.clone()), ..FormPage::new(frame, words.log_in, "/login", fields) }
}

/// The form for what a login asks for now.
fn step_form(
    reader: Reader,
    (login, next): (String, &Onward),
    asked: Next,
    enrolment: Option<EnrolmentView>,
) -> FormPage {
    let words = reader.lang.words();
    let (title, hint, field) = match asked {
        Next::NewPassword => (words.password_title, words.password_hint, Field::new_password(words)),
        Next::Enrol => (words.app_title, words.app_hint, Field::code(words)),
        _ => (words.code_title, words.code_hint, Field::code(words)),
    };
    let form = FormPage::new(Frame::once(reader), title, "/login/step", vec![field]);
    FormPage { hint: hint.to_owned(), next: Some(next.clone()), login: Some(login), enrolment, ..form }
}

#[derive(Deserialize)]
pub(super) struct NameAndPassword {
    name: String,
    password: String,
    next: Option<String>,
}

pub(super) async fn begin(
    Extension(access): Extension<Access>,
    Client(origin): Client,
    reader: Reader,
    headers: HeaderMap,
    Form(given): Form<NameAndPassword>,
) -> Response {
    let onward = Onward::read(given.next.as_deref());
    if !from_this_site(&headers) {
        return Redirect::to(&onward.login()).into_response();
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
        Ok(stepped) => stepped_page(reader, stepped, &onward),
        Err(problem) => {
            again(&access, reader, form(&access, reader, &onward).await.typed(&[&typed]), problem)
        }
    }
}

#[derive(Deserialize)]
pub(super) struct StepForm {
    login: String,
    code: Option<String>,
    new_password: Option<String>,
    next: Option<String>,
}

impl StepForm {
    fn read(self) -> Step {
        let mut step = Step { login: self.login, new_password: self.new_password, ..Step::default() };
        match self.code {
            // A recovery code is longer than any code of an app.
            Some(code) if code.chars().filter(|char| !char.is_whitespace()).count() > 8 => {
                step.recovery_code = Some(code);
            }
            code => step.code = code,
        }
        step
    }
}

pub(super) async fn step(
    Extension(access): Extension<Access>,
    Client(origin): Client,
    (reader, caller): (Reader, Result<Caller, Refusal>),
    headers: HeaderMap,
    Form(given): Form<StepForm>,
) -> Response {
    if !from_this_site(&headers) {
        return Redirect::to("/login").into_response();
    }
    let onward = Onward::read(given.next.as_deref());
    let shown = given.login.clone();
    let problem = match access.step(given.read(), &origin).await {
        Ok(stepped) => return stepped_page(reader, stepped, &onward),
        Err(problem) => problem,
    };
    // The form that the login is at: after a wrong code, after a page that was sent twice, and in another language.
    match access.standing(&shown, &origin).await {
        Ok((asked, enrolment)) if problem.kind().name == "request/invalid" => {
            page(reader, StatusCode::OK, &step_form(reader, (shown, &onward), asked, enrolment))
        }
        Ok((asked, enrolment)) => {
            again(&access, reader, step_form(reader, (shown, &onward), asked, enrolment), problem)
        }
        // The page of the recovery codes, sent twice: the person is logged in.
        Err(_) if caller.is_ok() => Redirect::to(onward.as_str()).into_response(),
        Err(_) => again(&access, reader, form(&access, reader, &onward).await, problem),
    }
}

/// What a step brought: the next form, or the session.
pub(super) fn stepped_page(reader: Reader, stepped: Stepped, onward: &Onward) -> Response {
    let response = match stepped.next {
        Next::Done if stepped.recovery_codes.is_empty() => Redirect::to(onward.as_str()).into_response(),
        Next::Done => {
            let (frame, codes) = (Frame::once(reader), stepped.recovery_codes);
            page(reader, StatusCode::OK, &CodesPage { frame, codes, next: onward.clone() })
        }
        asked => {
            let form = step_form(reader, (stepped.login, onward), asked, stepped.enrolment);
            page(reader, StatusCode::OK, &form)
        }
    };
    match stepped.session {
        Some(secret) => with_session(response, &secret),
        None => response,
    }
}
