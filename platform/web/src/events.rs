//! Answers that go on: how many there may be, who feeds them, and the form of server-sent events (the HTML standard,
//! section 9.2).
//!
//! A task of its own feeds each of them. It looks for nothing before there is room for it, and gives up on a reader who
//! takes nothing for a while: whoever comes back with the id of the last event misses nothing.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt::Display;
use std::future::ready;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream::{Stream, StreamExt as _, once, poll_fn};
use garrison_base::TenantId;
use garrison_kernel::{Actor, ActorId, problems};
use serde::Serialize;
use tokio::sync::mpsc::{Sender, channel};
use tokio::time::timeout;

use crate::{Answer, Refusal};

/// How often a sign of life is sent where nothing else is.
pub const LIFE: Duration = Duration::from_secs(10);
/// After so many milliseconds a browser that was cut off asks again.
const RETRY: &[u8] = b"retry: 1000\n\n";
/// How long a reader may take nothing.
const PATIENCE: Duration = Duration::from_secs(10);
/// Answers that go on at the same time, of all callers and of one.
const MOST: usize = 512;
const OWN: usize = 16;

/// By which a browser tells what it has seen.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Proxies of the nginx family gather an answer before they pass it on, unless they are told not to.
const UNBUFFERED: HeaderName = HeaderName::from_static("x-accel-buffering");

/// The answers that go on, and whose they are.
#[derive(Clone, Default)]
pub struct Streams(Arc<Mutex<HashMap<(TenantId, ActorId), usize>>>);

/// A place among them, for as long as it is kept.
pub struct StreamPlace {
    streams: Streams,
    of: (TenantId, ActorId),
}

impl Streams {
    /// A place for one more of this actor, unless there are too many.
    pub fn place(&self, actor: &Actor) -> Answer<StreamPlace> {
        let of = (actor.tenant, actor.id);
        let mut open = self.open();
        let all: usize = open.values().sum();
        let own = open.entry(of).or_default();
        if *own >= OWN {
            return Err(too_many(&format!("you follow {OWN} things already")));
        }
        if all >= MOST {
            return Err(too_many(&format!("{MOST} things are being followed already")));
        }
        *own += 1;
        drop(open);
        Ok(StreamPlace { streams: self.clone(), of })
    }

    fn open(&self) -> MutexGuard<'_, HashMap<(TenantId, ActorId), usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for StreamPlace {
    fn drop(&mut self) {
        let mut open = self.streams.open();
        if let Some(own) = open.get_mut(&self.of) {
            *own = own.saturating_sub(1);
        }
        // Nobody is remembered who follows nothing, nor who was refused when others took all.
        open.retain(|_, own| *own > 0);
    }
}

fn too_many(detail: &str) -> Refusal {
    Refusal::new(&problems::TOO_MANY, detail).retry_after(5)
}

/// The id of the last event that a browser has seen; nothing where it says none. What is no text is an id too, which
/// nobody gave.
pub fn last_event_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(LAST_EVENT_ID).filter(|id| !id.is_empty())?;
    Some(String::from_utf8_lossy(id.as_bytes()).into_owned())
}

/// An event. The data is JSON on one line: a line end would end it.
pub fn event(name: &str, id: impl Display, data: &[u8]) -> Bytes {
    let mut event = format!("event: {name}\nid: {id}\ndata: ").into_bytes();
    event.extend_from_slice(data);
    event.extend_from_slice(b"\n\n");
    event.into()
}

/// An event that tells a value.
pub fn event_of(name: &str, id: impl Display, value: &impl Serialize) -> Bytes {
    event(name, id, &serde_json::to_vec(value).unwrap_or_default())
}

/// A sign of life. It is an event, because browsers tell a page of nothing else, and its id tells how far this is.
pub fn alive(id: impl Display) -> Bytes {
    event("alive", id, b"{}")
}

/// The last event: why nothing more comes. It has no id: what was not told lies behind the last one that arrived.
pub fn end(refusal: &Refusal) -> Bytes {
    let problem = serde_json::to_string(&refusal.body()).unwrap_or_default();
    format!("event: end\ndata: {problem}\n\n").into()
}

/// Answers with events for as long as there are any.
pub fn event_response(place: StreamPlace, events: impl Stream<Item = Bytes> + Send + 'static) -> Response {
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (UNBUFFERED, "no")];
    let events = once(ready(Bytes::from_static(RETRY))).chain(events);
    (headers, fed(place, events)).into_response()
}

/// A body that is fed by a task of its own.
pub fn fed(place: StreamPlace, pieces: impl Stream<Item = Bytes> + Send + 'static) -> Body {
    let (sender, mut fed) = channel(1);
    tokio::spawn(feed(sender, pieces, place));
    let pieces = poll_fn(move |context| fed.poll_recv(context));
    Body::from_stream(pieces.map(Ok::<_, Infallible>))
}

async fn feed(sender: Sender<Bytes>, pieces: impl Stream<Item = Bytes>, place: StreamPlace) {
    let mut pieces = pin!(pieces);
    loop {
        // First the room, then the piece: what somebody might no longer see is not kept for a reader who is slow.
        let Ok(Ok(room)) = timeout(PATIENCE, sender.reserve()).await else { break };
        let piece = tokio::select! {
            () = sender.closed() => None,
            piece = pieces.next() => piece,
        };
        let Some(piece) = piece else { break };
        room.send(piece);
    }
    drop(place);
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use garrison_kernel::{Origin, System};
    use serde_json::{Value, json};

    use super::*;

    fn actor(system: System) -> Actor {
        let tenant = "ten_7ZZZZZZZZZZZZZZZZZZZZZZZZZ".parse().unwrap();
        Actor::system(system, tenant, Origin::system("test"))
    }

    fn count(streams: &Streams) -> usize {
        streams.open().values().sum()
    }

    /// Pieces without end.
    fn endless() -> impl Stream<Item = Bytes> + Send + 'static {
        futures_util::stream::repeat(Bytes::from_static(b"x"))
    }

    #[test]
    fn events_have_the_form_that_browsers_read() {
        let told = event_of("alert", 7, &json!({ "title": "a\nb\r\u{1b}" }));
        assert_eq!(told, "event: alert\nid: 7\ndata: {\"title\":\"a\\nb\\r\\u001b\"}\n\n");
        assert_eq!(alive("3-4"), "event: alive\nid: 3-4\ndata: {}\n\n");
        let ended = end(&Refusal::new(&problems::UNAUTHENTICATED, "the session has ended"));
        let problem: Value =
            serde_json::from_slice(ended.strip_prefix(b"event: end\ndata: ").unwrap()).unwrap();
        assert_eq!((&problem["type"], &problem["status"]), (&json!("session/missing"), &json!(401)));
        assert_eq!(problem["detail"], "the session has ended");
    }

    #[test]
    fn what_was_seen_is_told_by_a_header() {
        let read = |id: &'static [u8]| {
            let header = (LAST_EVENT_ID, HeaderValue::from_bytes(id).unwrap());
            last_event_id(&HeaderMap::from_iter([header]))
        };
        assert_eq!(last_event_id(&HeaderMap::new()), None);
        assert_eq!([read(b"12"), read(b"")], [Some("12".to_owned()), None]);
        assert_eq!(read(b"\xff"), Some("\u{fffd}".to_owned()));
    }

    #[test]
    fn there_are_so_many_places_for_one_and_for_all() {
        let streams = Streams::default();
        let (one, other) = (actor(System::DETECTION), actor(System::CONSOLE));
        let mut places: Vec<_> = (0..OWN).map(|_| streams.place(&one).unwrap()).collect();
        let refused = streams.place(&one).err().unwrap();
        assert_eq!((refused.kind().status, refused.detail()), (429, "you follow 16 things already"));
        drop(streams.place(&other).unwrap());
        places.pop();
        places.push(streams.place(&one).unwrap());
        assert_eq!(count(&streams), OWN);
        streams.open().insert((other.tenant, actor(System::SETUP).id), MOST - OWN);
        let refused = streams.place(&other).err().unwrap();
        assert_eq!(refused.detail(), "512 things are being followed already");
        drop(places);
        assert_eq!(count(&streams), MOST - OWN, "each gives its own place back");
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_who_takes_nothing_is_given_up() {
        let streams = Streams::default();
        let body = fed(streams.place(&actor(System::DETECTION)).unwrap(), endless());
        tokio::time::sleep(PATIENCE / 2).await;
        assert_eq!(count(&streams), 1);
        tokio::time::sleep(PATIENCE).await;
        assert_eq!(count(&streams), 0);
        let mut pieces = body.into_data_stream();
        assert!(pieces.next().await.is_some(), "what was sent before");
        assert!(pieces.next().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_who_has_gone_leaves_a_place() {
        let streams = Streams::default();
        let never = futures_util::stream::pending();
        let body = fed(streams.place(&actor(System::DETECTION)).unwrap(), never);
        tokio::time::sleep(PATIENCE * 3).await;
        assert_eq!(count(&streams), 1, "nothing came, so nothing had to be taken");
        drop(body);
        tokio::time::sleep(PATIENCE).await;
        assert_eq!(count(&streams), 0);
    }

    #[tokio::test]
    async fn an_answer_begins_with_when_to_come_back_and_ends_with_the_events() {
        let streams = Streams::default();
        let events = futures_util::stream::iter([alive(1), alive(2)]);
        let answer = event_response(streams.place(&actor(System::DETECTION)).unwrap(), events);
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/event-stream");
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        let alive = |id: i64| format!("event: alive\nid: {id}\ndata: {{}}\n\n");
        assert_eq!(body, format!("retry: 1000\n\n{}{}", alive(1), alive(2)));
    }
}
