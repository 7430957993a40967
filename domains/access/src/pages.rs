//! The pages of login, first start and one's own sessions: rendered by the server, in two languages, without any script.

mod account;
mod activate;
mod enter;
mod form;
mod language;
mod login;
mod onward;
mod problem;
mod words;

use askama::Template;
use axum::Extension;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use garrison_kernel::Problem;
use garrison_web::{Refusal, Routes, session_cookie};

use crate::Access;
use form::FormPage;
use language::{Lang, Reader};
use words::{Words, fill};

/// The pages.
pub(crate) fn routes(access: Access) -> Routes {
    let shared = Extension(access);
    // Whoever loads the page of a step again begins anew.
    let lost = async || Redirect::to("/login");
    Routes::new()
        .page("/login", get(login::show).post(login::begin).layer(shared.clone()))
        .page("/login/step", get(lost).post(login::step).layer(shared.clone()))
        .page("/activate/{link}", get(activate::show).post(activate::begin).layer(shared.clone()))
        .page("/enter/{link}", get(enter::show).post(enter::open).layer(shared.clone()))
        .page("/account", get(account::show).layer(shared.clone()))
        .page("/logout", post(account::log_out).layer(shared.clone()))
        .page("/session/end", post(account::end_session).layer(shared))
        .page("/style.css", get(style))
        .page("/favicon.svg", get(icon))
}

/// What stands around every page.
struct Frame {
    lang: Lang,
    words: &'static Words,
    /// The same page in the other language, where it can be asked for again.
    elsewhere: Option<String>,
}

impl Frame {
    /// Around a page that has an address.
    fn at(reader: Reader, address: &str) -> Self {
        let mark = if address.contains('?') { '&' } else { '?' };
        let elsewhere = format!("{address}{mark}lang={}", reader.lang.other().tag());
        Self { elsewhere: Some(elsewhere), ..Self::once(reader) }
    }

    /// Around a page that cannot be asked for again.
    fn once(reader: Reader) -> Self {
        Self { lang: reader.lang, words: reader.lang.words(), elsewhere: None }
    }
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    frame: Frame,
    title: String,
    advice: String,
    /// What was wrong this time, in the server's own words.
    detail: String,
}

fn page(reader: Reader, status: StatusCode, template: &impl Template) -> Response {
    let Ok(text) = template.render() else {
        return (StatusCode::INTERNAL_SERVER_ERROR, "this page could not be made").into_response();
    };
    let mut response = (status, Html(text)).into_response();
    if let Some(cookie) = reader.cookie() {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

fn problem_page(reader: Reader, refusal: &Refusal) -> Response {
    let problem::Told { title, advice } = problem::told(refusal.kind(), reader.lang);
    let detail = refusal.detail().to_owned();
    let shown = ProblemPage { frame: Frame::once(reader), title, advice, detail };
    page(reader, status_of(refusal), &shown)
}

/// The same form, with what was wrong.
fn again(access: &Access, reader: Reader, mut form: FormPage, problem: Box<dyn Problem>) -> Response {
    let wait = problem.retry_at().map(|until| until.duration_since(access.kernel.now()).as_secs().max(1));
    let refusal = Refusal::from(problem);
    let mut told = problem::told(refusal.kind(), reader.lang);
    if let Some(seconds) = wait {
        told.advice = fill(reader.lang.words().wait, "seconds", &seconds.to_string());
    }
    form.problem = Some(told);
    let mut response = page(reader, status_of(&refusal), &form);
    if let Some(seconds) = wait {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds.unsigned_abs()));
    }
    response
}

fn status_of(refusal: &Refusal) -> StatusCode {
    StatusCode::from_u16(refusal.kind().status).unwrap_or(StatusCode::BAD_REQUEST)
}

/// With the session that has just begun.
fn with_session(mut response: Response, secret: &str) -> Response {
    response.headers_mut().append(header::SET_COOKIE, session_cookie(Some(secret)));
    response
}

/// Also the console's.
async fn icon() -> Response {
    let kind = [(header::CONTENT_TYPE, "image/svg+xml"), (header::CACHE_CONTROL, "public, max-age=3600")];
    (kind, include_str!("../templates/favicon.svg")).into_response()
}

async fn style() -> Response {
    let kind =
        [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "public, max-age=3600")];
    (kind, include_str!("../templates/style.css")).into_response()
}
