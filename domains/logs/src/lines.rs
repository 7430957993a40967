//! `POST /api/v1/intake/{source}`: lines of text, JSON lines, or JSON documents.

use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use garrison_decode::Framer;
use garrison_web::{Answer, Caller, Web};

use crate::intake::Limit;
use crate::{Logs, problem, receive};
use garrison_decode::Events;

/// Takes a body of events: a line is one, a JSON document over several lines is one, and so is each element of a JSON
/// list.
pub(crate) async fn take(
    State(web): State<Web>,
    Extension(logs): Extension<Logs>,
    Caller(actor): Caller,
    Path(source): Path<String>,
    request: Request,
) -> Answer<Response> {
    let target = receive::target(&web, &actor, &source).await?;
    let (_, bytes) = receive::body(request).await?;
    let (mut events, mut cut) = (Events::default(), 0);
    let mut framer = Framer::default();
    let mut add = |frame: garrison_decode::Frame<'_>| {
        // What is longer than an event may be is refused whole: a part of it would be another event.
        if frame.cut {
            cut += 1;
        } else if !frame.bytes.iter().all(u8::is_ascii_whitespace) {
            events.push(frame.bytes);
        }
    };
    framer.push(&bytes, &mut add);
    framer.finish(&mut add);
    let intake = logs.intake();
    intake.refuse(&target, Limit::Length, cut);
    let taken = intake.take(&receive::sender(&actor), &[(target, events)]).await;
    let mut taken = taken.map_err(|error| problem::refused(&error))?;
    taken.refused += cut;
    Ok(Json(taken).into_response())
}
