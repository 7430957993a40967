//! Following the alerts: each that is raised or changed, as server-sent events, for as long as the right to them lasts,
//! and the session or token that it was asked with.

use std::time::Duration;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use garrison_kernel::{Actor, problems};
use garrison_web::events::{LIFE, alive, end, event_of, event_response, last_event_id};
use garrison_web::{Answer, Caller, Follow, HangUp, Question as _, Refusal, Web, query_parameters};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use utoipa::IntoParams;

use crate::Live;
use crate::reads::ListAlerts;
use crate::store;

/// How long a stream lasts; a browser asks again, with the id of what it has seen.
const STREAM: Duration = Duration::from_mins(10);
/// How often it is asked whether the session or token still counts, and whether it may see alerts.
const CONFIRM: Duration = Duration::from_secs(1);
/// Alerts that are told at once.
const BATCH: usize = 500;

/// Follows the alerts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct FollowAlerts {
    /// Behind which change; from now on where nothing is said. The header `Last-Event-ID` says it too, and counts first.
    pub after: Option<i64>,
}

/// The first event of a stream.
#[derive(Serialize)]
struct Hello {
    /// The changes behind this one are told.
    position: i64,
}

/// `GET /api/v1/alert/stream`
pub(crate) async fn follow(
    State(web): State<Web>,
    Extension(live): Extension<Live>,
    Caller(actor): Caller,
    (headers, hang_up): (HeaderMap, HangUp),
    RawQuery(query): RawQuery,
) -> Answer<Response> {
    let asked: FollowAlerts = query_parameters(query.as_deref())?;
    let seen = last_change_seen(&headers)?.or(asked.after);
    let place = web.streams.place(&actor)?;
    let mut tx = web.kernel.read(&actor, ListAlerts::VERB).await?;
    let now = store::last_change(&mut tx).await?;
    drop(tx);
    // A number that was not given yet is one of another database: nothing would be told until it is reached.
    let after = seen.filter(|seen| (0..=now).contains(seen)).unwrap_or(now);
    let following = Following {
        changes: live.changes().of(actor.tenant, now),
        web,
        actor,
        live,
        after,
        said: None,
        confirmed: Instant::now(),
        until: Instant::now() + STREAM,
        ended: false,
    };
    Ok(event_response(following, (place, hang_up)))
}

fn last_change_seen(headers: &HeaderMap) -> Answer<Option<i64>> {
    let seen = last_event_id(headers).map(|id| id.parse::<i64>()).transpose();
    seen.map_err(|_| Refusal::new(&problems::INVALID, "Last-Event-ID is the number of a change"))
}

struct Following {
    web: Web,
    actor: Actor,
    live: Live,
    /// The number of the last change there is.
    changes: watch::Receiver<i64>,
    /// All changes up to here were told, or are not for whoever follows.
    after: i64,
    /// When something was sent last; nothing before the first event.
    said: Option<Instant>,
    confirmed: Instant,
    until: Instant,
    ended: bool,
}

impl Follow for Following {
    /// The next events; nothing at the end.
    async fn next(&mut self) -> Option<Bytes> {
        let Some(said) = self.said else {
            self.said = Some(Instant::now());
            return Some(event_of("hello", self.after, &Hello { position: self.after }));
        };
        loop {
            if self.is_over() {
                return None;
            }
            let events = match self.look().await {
                Ok(events) if events.is_empty() && said.elapsed() >= LIFE => alive(self.after),
                Ok(events) => events,
                Err(refusal) => {
                    self.ended = true;
                    // What is the server's own trouble ends without a word: then a browser asks again.
                    return (refusal.kind().status < 500).then(|| end(&refusal));
                }
            };
            if !events.is_empty() {
                self.said = Some(Instant::now());
                return Some(events);
            }
            // Closed means that the server stops; a pause that is over, that it is time to ask again.
            if let Ok(Err(_)) = timeout(CONFIRM, self.changes.changed()).await {
                return None;
            }
        }
    }

    async fn goes_on(&mut self) -> bool {
        !self.is_over() && self.confirm().await.is_ok()
    }
}

impl Following {
    fn is_over(&self) -> bool {
        self.ended || self.live.is_stopping() || Instant::now() >= self.until
    }

    /// Whether whoever follows still may.
    async fn confirm(&self) -> Answer<()> {
        self.web.gate.confirm(&self.actor).await?;
        self.web.kernel.read(&self.actor, ListAlerts::VERB).await?;
        Ok(())
    }

    /// What has changed meanwhile, for whoever still may see it. A session, a token or a right that has ended ends what
    /// was opened with it.
    async fn look(&mut self) -> Answer<Bytes> {
        let is_due = self.confirmed.elapsed() >= CONFIRM;
        if is_due {
            self.confirmed = Instant::now();
            self.confirm().await?;
        }
        let last = *self.changes.borrow_and_update();
        if last <= self.after {
            return Ok(Bytes::new());
        }
        let mut tx = self.web.kernel.read(&self.actor, ListAlerts::VERB).await?;
        let alerts = store::changed(&mut tx, self.after, i64::try_from(BATCH).unwrap_or(i64::MAX)).await?;
        drop(tx);
        let told = alerts.last().map_or(self.after, |alert| alert.change);
        self.after = read_up_to(told, last, alerts.len() < BATCH);
        let events: Vec<Bytes> = alerts.iter().map(|alert| event_of("alert", alert.change, alert)).collect();
        Ok(events.concat().into())
    }
}

/// The number behind which it is to be looked next. `told` is the last one that was told, `last` one that there was before
/// it was read. Numbers are given in the order of the commits: none up to that one comes later.
fn read_up_to(told: i64, last: i64, is_all: bool) -> i64 {
    // Changes that whoever follows may not see are passed over, unless there are more than were read.
    if is_all { last.max(told) } else { told }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_header_names_a_change() {
        let read = |id: &'static str| {
            let header = ("last-event-id".parse().unwrap(), HeaderValue::from_static(id));
            last_change_seen(&HeaderMap::from_iter([header])).map_err(|refusal| refusal.kind().status)
        };
        assert_eq!(last_change_seen(&HeaderMap::new()).unwrap(), None);
        assert_eq!([read("12"), read(""), read("x")], [Ok(Some(12)), Ok(None), Err(422)]);
    }

    #[test]
    fn what_one_may_not_see_is_passed_over() {
        assert_eq!(read_up_to(3, 9, true), 9, "it is not looked for again");
        assert_eq!(read_up_to(12, 9, true), 12, "more came meanwhile");
        assert_eq!(read_up_to(3, 9, false), 3, "the rest is read next");
    }
}
