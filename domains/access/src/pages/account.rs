//! One's own sessions, and the way out.

use askama::Template;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Form};
use garrison_base::Timestamp;
use garrison_kernel::{Actor, ActorId, Holder, KernelError, Outcome};
use garrison_web::{Caller, Question, Refusal, from_this_site, session_cookie};
use serde::Deserialize;

use super::language::Reader;
use super::onward::Onward;
use super::words::{Words, fill};
use super::{Frame, page, problem_page};
use crate::acts::EndSession;
use crate::model::SessionView;
use crate::reads::ListSessions;
use crate::{Access, SessionKind};

/// Where it is.
const HERE: &str = "/account";

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    frame: Frame,
    hint: String,
    sessions: Vec<Shown>,
}

/// A session, as the page shows it.
struct Shown {
    id: String,
    /// Whether the page is asked for from it.
    own: bool,
    kind: &'static str,
    address: String,
    program: String,
    begun: Moment,
    used: Moment,
    ends: Moment,
}

/// A time, for people and for programs.
struct Moment {
    said: String,
    exact: String,
}

impl From<Timestamp> for Moment {
    fn from(time: Timestamp) -> Self {
        Self { said: time.strftime("%Y-%m-%d %H:%M UTC").to_string(), exact: format!("{time:.0}") }
    }
}

impl Shown {
    fn new(session: SessionView, own: &str, words: &Words) -> Self {
        let id = session.id.to_string();
        let web = session.kind == SessionKind::Web.as_str();
        Self {
            own: id == own,
            id,
            kind: if web { words.browser } else { words.command_line },
            address: session.address,
            program: session.agent,
            begun: session.created.into(),
            used: session.used.into(),
            ends: session.absolute_until.into(),
        }
    }
}

pub(super) async fn show(
    Extension(access): Extension<Access>,
    reader: Reader,
    caller: Result<Caller, Refusal>,
) -> Response {
    let Ok(Caller(actor)) = caller else {
        return Redirect::to(&Onward::read(Some(HERE)).login()).into_response();
    };
    match sessions(&access, &actor).await {
        Ok(sessions) => {
            let words = reader.lang.words();
            let name = access.kernel.name_of(Holder::Actor(actor.id));
            let own = &actor.origin.session;
            let account = AccountPage {
                frame: Frame::at(reader, HERE),
                hint: fill(words.account_hint, "name", &name),
                sessions: sessions.into_iter().map(|session| Shown::new(session, own, words)).collect(),
            };
            page(reader, StatusCode::OK, &account)
        }
        Err(error) => problem_page(reader, &error.into()),
    }
}

async fn sessions(access: &Access, actor: &Actor) -> Result<Vec<SessionView>, KernelError> {
    let mut tx = access.kernel.read(actor, ListSessions::VERB).await?;
    ListSessions {}.answer(&mut tx).await
}

pub(super) async fn log_out(
    Extension(access): Extension<Access>,
    reader: Reader,
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
            return problem_page(reader, &problem.into());
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
pub(super) struct SessionForm {
    session: String,
}

pub(super) async fn end_session(
    Extension(access): Extension<Access>,
    reader: Reader,
    caller: Result<Caller, Refusal>,
    Form(given): Form<SessionForm>,
) -> Response {
    let Ok(Caller(actor)) = caller else { return Redirect::to("/login").into_response() };
    let Ok(session) = given.session.parse() else { return Redirect::to(HERE).into_response() };
    match access.kernel.act(&actor, EndSession { session }).await {
        Ok(_) => Redirect::to(HERE).into_response(),
        Err(problem) => problem_page(reader, &problem.into()),
    }
}
