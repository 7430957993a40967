//! The page of a link that hands a session over. Looking at it uses nothing up: programs look at links before people do.

use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Path, Query};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Form};
use garrison_kernel::{ActorId, Holder};
use garrison_web::{Client, from_this_site};

use super::form::FormPage;
use super::language::Reader;
use super::onward::{Asked, Onward};
use super::words::fill;
use super::{Frame, page, problem_page, with_session};
use crate::Access;

pub(super) async fn show(
    Extension(access): Extension<Access>,
    Client(origin): Client,
    reader: Reader,
    Path(link): Path<String>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let person = match access.open_hand_over(&link, &origin).await {
        Ok((_, row)) => row.person,
        Err(problem) => return problem_page(reader, &problem.into()),
    };
    let asked = asked.ok().and_then(|Query(asked)| asked.next);
    let next = Onward::read(asked.as_deref());
    let (words, action) = (reader.lang.words(), format!("/enter/{link}"));
    let name = access.kernel.name_of(Holder::Actor(ActorId::Person(person)));
    let hint = fill(words.enter_hint, "name", &name);
    let frame = Frame::at(reader, &next.behind(&action));
    let form = FormPage::new(frame, words.enter_title, &action, Vec::new());
    page(reader, StatusCode::OK, &FormPage { hint, button: words.log_in, next: Some(next), ..form })
}

pub(super) async fn open(
    Extension(access): Extension<Access>,
    Client(origin): Client,
    (reader, headers): (Reader, HeaderMap),
    Path(link): Path<String>,
    asked: Result<Form<Asked>, FormRejection>,
) -> Response {
    // Whoever sends no form is led to the first page.
    let asked = asked.ok().and_then(|Form(asked)| asked.next);
    let next = Onward::read(asked.as_deref());
    if !from_this_site(&headers) {
        // What cannot stand in a header is no link of ours.
        let ours = link.bytes().all(|byte| byte.is_ascii_graphic());
        let back = if ours { format!("/enter/{link}") } else { "/login".to_owned() };
        return Redirect::to(&next.behind(&back)).into_response();
    }
    match access.enter(&link, &origin).await {
        Ok(secret) => with_session(Redirect::to(next.as_str()).into_response(), &secret),
        Err(problem) => problem_page(reader, &problem.into()),
    }
}
