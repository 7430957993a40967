//! The form of server-sent events (the HTML standard, section 9.2).

use std::convert::Infallible;
use std::fmt::Display;
use std::future::ready;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream::{StreamExt as _, once};
use serde::Serialize;

use crate::{Follow, HangUp, Refusal, StreamPlace, fed};

/// How often a sign of life is sent where nothing else is.
pub const LIFE: Duration = Duration::from_secs(10);
/// After so many milliseconds a browser that was cut off asks again.
const RETRY: &[u8] = b"retry: 1000\n\n";

/// By which a browser tells what it has seen.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Proxies of the nginx family gather an answer before they pass it on, unless they are told not to.
const UNBUFFERED: HeaderName = HeaderName::from_static("x-accel-buffering");

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
pub fn event_response(follow: impl Follow, (place, hang_up): (StreamPlace, HangUp)) -> Response {
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (UNBUFFERED, "no")];
    let events = once(ready(Bytes::from_static(RETRY))).chain(fed(follow, (place, hang_up)));
    (headers, Body::from_stream(events.map(Ok::<_, Infallible>))).into_response()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use garrison_kernel::{Actor, Origin, System, problems};
    use serde_json::{Value, json};

    use super::*;
    use crate::Streams;

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

    struct Two(u8);

    impl Follow for Two {
        async fn next(&mut self) -> Option<Bytes> {
            self.0 += 1;
            (self.0 <= 2).then(|| alive(self.0))
        }

        async fn goes_on(&mut self) -> bool {
            true
        }
    }

    #[tokio::test]
    async fn an_answer_begins_with_when_to_come_back_and_ends_with_the_events() {
        let tenant = "ten_7ZZZZZZZZZZZZZZZZZZZZZZZZZ".parse().unwrap();
        let actor = Actor::system(System::DETECTION, tenant, Origin::system("test"));
        let place = Streams::default().place(&actor).unwrap();
        let answer = event_response(Two(0), (place, HangUp::default()));
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/event-stream");
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        let alive = |id: i64| format!("event: alive\nid: {id}\ndata: {{}}\n\n");
        assert_eq!(body, format!("retry: 1000\n\n{}{}", alive(1), alive(2)));
    }
}
