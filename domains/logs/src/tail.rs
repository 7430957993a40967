//! Following the logs: events as they come, line by line.

use std::convert::Infallible;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use futures_util::StreamExt as _;
use garrison_lake::News;
use garrison_web::{Answer, Body as JsonBody, Caller, Follow, HangUp, Refusal, Web, fed};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::time::{Instant, timeout};
use utoipa::ToSchema;

use crate::Logs;
use crate::search::{Recorded, SearchLogs, condition, end, json_lines};
use crate::sight::Sight;

/// How long a tail lasts; whoever follows asks again.
pub(crate) const TAIL: Duration = Duration::from_mins(10);
/// How often it is asked whether whoever follows still may, and a sign of life is sent.
pub(crate) const LOOK: Duration = Duration::from_secs(1);

/// Follows the logs.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TailLogs {
    /// A filter; nothing for all events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 16384)]
    pub query: Option<String>,
}

/// `POST /api/v1/log/tail`: events as JSON lines while they come; an empty line is a sign of life. Where whoever follows
/// may do so no longer, the last line tells why.
pub(crate) async fn tail(
    State(web): State<Web>,
    Extension(logs): Extension<Logs>,
    Caller(actor): Caller,
    hang_up: HangUp,
    JsonBody(asked): JsonBody<TailLogs>,
) -> Answer<Response> {
    // Before it is recorded: that stays for ever.
    let condition = condition(asked.query.as_deref().unwrap_or_default(), logs.now())?;
    let place = web.streams.place(&actor)?;
    let recorded = SearchLogs { query: asked.query, from: Some("now".into()), ..SearchLogs::default() };
    let visible = web.kernel.ask(&actor, Recorded(recorded)).await.map_err(Refusal::from)?;
    let following = Following {
        news: logs.lake().news(),
        sight: Sight::new((web, actor), visible, condition)?,
        logs,
        until: Instant::now() + TAIL,
        looked: Instant::now(),
        said: Instant::now(),
        sent: 0,
        ended: false,
    };
    let body = Body::from_stream(fed(following, (place, hang_up)).map(Ok::<_, Infallible>));
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], body).into_response())
}

struct Following {
    news: Receiver<News>,
    sight: Sight,
    logs: Logs,
    until: Instant,
    looked: Instant,
    said: Instant,
    sent: u64,
    ended: bool,
}

impl Follow for Following {
    /// The next lines; nothing at the end.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if self.ended || self.logs.is_stopping() || Instant::now() >= self.until {
                return None;
            }
            if self.looked.elapsed() >= LOOK {
                self.looked = Instant::now();
                if let Err(refusal) = self.sight.look().await {
                    self.ended = true;
                    return Some(end(self.sent, Some(refusal)));
                }
            }
            if self.said.elapsed() >= LOOK {
                self.said = Instant::now();
                return Some(Bytes::from_static(b"\n"));
            }
            match timeout(LOOK, self.news.recv()).await {
                Err(_) => {}
                Ok(Err(RecvError::Closed)) => return None,
                Ok(Err(RecvError::Lagged(batches))) => {
                    let words = json!({"_end": {"complete": false, "detail": format!(
                        "{batches} batches came faster than they were read; search for what is missing")}});
                    return Some(Bytes::from(format!("{words}\n")));
                }
                Ok(Ok(news)) => {
                    if let Some(bytes) = self.lines(&news) {
                        return Some(bytes);
                    }
                }
            }
        }
    }

    async fn goes_on(&mut self) -> bool {
        let over = self.ended || self.logs.is_stopping() || Instant::now() >= self.until;
        !over && self.sight.look().await.is_ok_and(|narrowed| !narrowed)
    }
}

impl Following {
    fn lines(&mut self, news: &News) -> Option<Bytes> {
        if news.tenant != self.sight.visible.tenant {
            return None;
        }
        let mut lines = Vec::new();
        for batch in &news.batches {
            let rows = self.sight.rows(batch).ok()?;
            self.sent += rows.num_rows() as u64;
            lines.extend(json_lines(&rows, false));
        }
        (!lines.is_empty()).then(|| lines.into())
    }
}
