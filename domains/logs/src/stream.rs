//! Following the logs in a browser: server-sent events (the HTML standard, section 9.2) that go on where they broke off.
//!
//! Ids grow from one publication of the follower to the next, and a tenant's events of one can be found at the same
//! moment. So a single id tells what was told: all events up to it, and none behind it. Whoever comes back with it first
//! follows the news, then gets from the lake what lies between the two, then the news behind that.

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use arrow::array::{AsArray as _, RecordBatch};
use arrow::compute::{concat_batches, sort_to_indices, take_record_batch};
use arrow::datatypes::{Int64Type, TimestampNanosecondType};
use arrow::json::writer::JsonArray;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, SortExpr, col, lit};
use garrison_base::Timestamp;
use garrison_lake::{Ask, News, Question, Scope};
use garrison_web::events::{LIFE, alive, end, event, event_of, event_response, last_event_id};
use garrison_web::{Answer, Caller, Follow, HangUp, Refusal, Web};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::time::{Instant, timeout};
use utoipa::IntoParams;

use crate::batch::event_id;
use crate::search::{Recorded, SearchLogs, both, budget, condition, json_rows};
use crate::sight::Sight;
use crate::tail::{LOOK, TAIL};
use crate::{Logs, problem};

/// Rows of one message at most, and about the bytes of their texts.
const ROWS: usize = 500;
const BYTES: i32 = 1 << 20;
/// Bytes that wait to be taken: beyond, no more is made ready.
const READY: usize = 8 << 20;
/// Rows that are made up for after a pause; beyond, a search is the better way.
const MISSED: usize = 10_000;
/// How long the pause may have been, in microseconds.
const PAUSE: i64 = 3_600_000_000;
/// By so many microseconds an event may have come before one with a smaller id.
const MARGIN: i64 = 3_600_000_000;
/// How long it may take to read some of what was missed.
const READ: Duration = Duration::from_secs(5);

/// Follows the logs.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct StreamLogs {
    /// A filter; nothing for all events.
    #[param(max_length = 16384)]
    pub query: Option<String>,
    /// The id of the last message that arrived, to go on behind it. `Last-Event-ID` counts before it.
    pub after: Option<String>,
}

/// How far somebody was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Position {
    /// All events up to this id.
    id: i64,
    /// When that was, in microseconds since 1970: what comes was received later, but for [`MARGIN`].
    at: i64,
}

impl fmt::Display for Position {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}-{}", self.id, self.at)
    }
}

impl FromStr for Position {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse::<i64>().ok().filter(|number| *number >= 0);
        let both = text.split_once('-').and_then(|(id, at)| Some((number(id)?, number(at)?)));
        let (id, at) = both.ok_or("what to go on behind is the id of a message of this stream")?;
        Ok(Self { id, at })
    }
}

/// `GET /api/v1/log/stream`: events while they come. `hello` begins, `rows` bring them, `lagged` tells what was left out,
/// `end` why it is over; without one, the time is over, and whoever follows asks again.
pub(crate) async fn stream(
    State(web): State<Web>,
    Extension(logs): Extension<Logs>,
    Caller(actor): Caller,
    (headers, hang_up): (HeaderMap, HangUp),
    RawQuery(query): RawQuery,
) -> Answer<Response> {
    let asked: StreamLogs = garrison_web::query_parameters(query.as_deref())?;
    let after = last_event_id(&headers).or(asked.after).filter(|id| !id.is_empty());
    let after: Option<Position> = after.map(|id| id.parse()).transpose().map_err(problem::query)?;
    let from = after.map_or_else(|| "now".to_owned(), |after| moment(after.at).to_string());
    // Before it is recorded: that stays for ever.
    let condition = condition(asked.query.as_deref().unwrap_or_default(), logs.now())?;
    let place = web.streams.place(&actor)?;
    let recorded = SearchLogs { query: asked.query, from: Some(from), ..SearchLogs::default() };
    let visible = web.kernel.ask(&actor, Recorded(recorded)).await.map_err(Refusal::from)?;
    let sight = Sight::new((web, actor), visible, condition.clone())?;
    let following = Following::begin(logs, sight, condition, after);
    Ok(event_response(following, (place, hang_up)))
}

struct Following {
    logs: Logs,
    sight: Sight,
    condition: Option<Expr>,
    news: Receiver<News>,
    position: Position,
    /// Something behind the position can be found already, and no news will tell of it.
    behind: bool,
    /// Rows that were made up for since the news were left.
    made_up: usize,
    ready: VecDeque<Bytes>,
    until: Instant,
    looked: Instant,
    said: Instant,
    ended: bool,
}

impl Follow for Following {
    /// The next bytes; nothing at the end.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if !self.ended && self.looked.elapsed() >= LOOK {
                self.looked = Instant::now();
                match self.sight.look().await {
                    Ok(false) => {}
                    // What is ready may be of a node that was taken away. Whoever follows asks again, behind what arrived.
                    Ok(true) => return None,
                    Err(refusal) => {
                        // What is ready was meant for somebody who may no longer see it.
                        self.ready.clear();
                        self.end(&refusal);
                    }
                }
            }
            if let Some(bytes) = self.ready.pop_front() {
                self.said = Instant::now();
                return Some(bytes);
            }
            if self.ended || self.logs.is_stopping() || Instant::now() >= self.until {
                return None;
            }
            if self.said.elapsed() >= LIFE {
                self.live();
            } else if self.behind {
                self.make_up().await;
            } else {
                match timeout(LOOK, self.news.recv()).await {
                    Err(_) => {}
                    Ok(Err(RecvError::Closed)) => return None,
                    // They are in the lake.
                    Ok(Err(RecvError::Lagged(_))) => self.behind = true,
                    Ok(Ok(news)) => self.take(&news),
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
    fn begin(logs: Logs, sight: Sight, condition: Option<Expr>, after: Option<Position>) -> Self {
        let (news, latest) = logs.news(sight.visible.tenant);
        let now = Instant::now();
        let here = Position { id: latest, at: logs.0.clock.now().as_microsecond() };
        let position = after.unwrap_or(here);
        let mut following = Self {
            logs,
            sight,
            condition,
            news,
            position,
            behind: position.id < latest,
            made_up: 0,
            ready: VecDeque::new(),
            until: now + TAIL,
            looked: now,
            said: now,
            ended: false,
        };
        following.tell("hello", &json!({ "position": position.to_string() }));
        // An id that the log never reached is of another log, such as one from before a backup was put back.
        let reached = event_id(*following.logs.0.log.durable().borrow(), usize::MAX);
        let too_far = |after: Position| after.id > reached || after.at < here.at.saturating_sub(PAUSE);
        if after.is_some_and(too_far) {
            following.skip();
        }
        following
    }

    /// A sign of life, and how far this is, so that nobody who saw nothing for long reads it all again. An event, because
    /// browsers tell a page of nothing else.
    fn live(&mut self) {
        let latest = self.logs.progress().latest().get(&self.sight.visible.tenant).copied().unwrap_or(0);
        // All of the news up to there has been taken.
        if !self.behind && self.news.is_empty() {
            let at = self.logs.0.clock.now().as_microsecond();
            self.position = Position { id: latest.max(self.position.id), at };
        }
        self.ready.push_back(alive(self.position));
    }

    /// Takes what came.
    fn take(&mut self, news: &News) {
        if news.tenant != self.sight.visible.tenant {
            return;
        }
        match self.fresh(news) {
            // What is left of it is in the lake.
            Ok(rows) => self.behind = self.say(&rows) < rows.num_rows(),
            Err(error) => {
                tracing::warn!(%error, "new events could not be shown; they are read again");
                self.behind = true;
            }
        }
    }

    /// What of the news concerns whoever follows, and was not told: in the order of ids.
    fn fresh(&self, news: &News) -> Result<RecordBatch, DataFusionError> {
        let passed: Result<Vec<_>, _> = news.batches.iter().map(|batch| self.sight.rows(batch)).collect();
        let rows = concat_batches(&crate::columns::schema(), &passed?)?;
        let Some(ids) = rows.column_by_name("id") else { return Ok(rows) };
        let rows = take_record_batch(&rows, &sort_to_indices(ids, None, None)?)?;
        let ids = rows.column_by_name("id").and_then(|ids| ids.as_primitive_opt::<Int64Type>());
        let told = ids.map_or(0, |ids| ids.values().partition_point(|id| *id <= self.position.id));
        Ok(rows.slice(told, rows.num_rows() - told))
    }

    /// Reads some of what was missed; what is too much for that is left to a search.
    async fn make_up(&mut self) {
        if self.made_up >= MISSED {
            self.skip();
            return;
        }
        let Err(refusal) = self.read().await else { return };
        let kind = refusal.kind().name;
        if kind == problem::COSTS.name {
            self.skip();
        } else if kind != problem::BUSY.name {
            self.end(&refusal);
        }
    }

    /// Reads what lies behind the position, and tells it.
    async fn read(&mut self) -> Answer<()> {
        let place = self.logs.place_for_question().await?;
        let visible = &self.sight.visible;
        let now = self.logs.0.clock.now().as_microsecond();
        let from = self.position.at.min(now).saturating_sub(MARGIN).saturating_mul(1_000);
        let scope = Scope { tenant: visible.tenant, nodes: visible.nodes.clone(), from, to: i64::MAX };
        let ask = Ask::Rows {
            condition: both(self.condition.clone(), Some(col("id").gt(lit(self.position.id)))),
            wanted: Vec::new(),
            order: vec![SortExpr::new(col("id"), true, true)],
            limit: Some(ROWS),
        };
        let mut answer = self.logs.lake().ask(Question { ask, scope, budget: budget(READ) }, place);
        let mut count = 0;
        let mut all = true;
        while let Some(batch) = answer.next().await.map_err(problem::asked)? {
            let said = self.say(&batch);
            count += said;
            all = said == batch.num_rows();
            if !all {
                break;
            }
        }
        self.behind = !all || count >= ROWS;
        self.made_up = if self.behind { self.made_up + count } else { 0 };
        Ok(())
    }

    /// Leaves out what is behind the position, tells so, and goes on from now.
    fn skip(&mut self) {
        let left = self.position;
        let (news, latest) = self.logs.news(self.sight.visible.tenant);
        self.news = news;
        let now = self.logs.0.clock.now();
        self.position = Position { id: latest, at: now.as_microsecond() };
        (self.behind, self.made_up) = (false, 0);
        let detail = "more came meanwhile than is made up for here; search for it";
        let from = moment(left.at).min(now);
        self.tell("lagged", &json!({ "from": from.to_string(), "to": now.to_string(), "detail": detail }));
    }

    fn end(&mut self, refusal: &Refusal) {
        // What was ready and is not told any more lies behind the last one that arrived.
        self.ready.push_back(end(refusal));
        self.ended = true;
    }

    /// Tells rows that are in the order of ids, in messages of bearable size, until so much is ready that it is to be taken
    /// first; how many.
    fn say(&mut self, rows: &RecordBatch) -> usize {
        let mut from = 0;
        while from < rows.num_rows() && self.ready.iter().map(Bytes::len).sum::<usize>() < READY {
            let piece = rows.slice(from, fitting(rows, from));
            from += piece.num_rows();
            self.position = last(&piece).unwrap_or(self.position);
            self.ready.push_back(event("rows", self.position, &json_rows::<JsonArray>(&piece, false)));
        }
        from
    }

    fn tell(&mut self, name: &str, data: &Value) {
        self.ready.push_back(event_of(name, self.position, data));
    }
}

/// How many rows from this one on make a message; one at least.
fn fitting(rows: &RecordBatch, from: usize) -> usize {
    let most = ROWS.min(rows.num_rows() - from);
    let raw = rows.column_by_name("raw").and_then(|raw| raw.as_string_opt::<i32>());
    let mut bytes = 0_i32;
    let fits = |row: &usize| {
        bytes = bytes.saturating_add(raw.map_or(0, |raw| raw.value_length(*row)));
        bytes <= BYTES
    };
    (from..from + most).take_while(fits).count().max(1)
}

/// The position behind the last row.
fn last(rows: &RecordBatch) -> Option<Position> {
    let row = rows.num_rows().checked_sub(1)?;
    let id = rows.column_by_name("id")?.as_primitive_opt::<Int64Type>()?.value(row);
    let received = rows.column_by_name("received")?.as_primitive_opt::<TimestampNanosecondType>()?;
    Some(Position { id, at: received.value(row) / 1_000 })
}

fn moment(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::StringArray;
    use arrow::datatypes::{DataType, Field, Schema};

    use super::*;

    #[test]
    fn a_position_is_its_text_and_no_other_text_is_one() {
        for position in [Position { id: 0, at: 0 }, Position { id: i64::MAX, at: 1_795_341_600_000_000 }] {
            assert_eq!(position.to_string().parse::<Position>(), Ok(position));
        }
        let beyond = "9223372036854775808-1";
        for text in ["", "1", "-", "1-", "-1-5", "1--5", "1-2-3", "a-b", " 1-2", beyond, "?"] {
            assert!(text.parse::<Position>().is_err(), "{text}");
        }
    }

    #[test]
    fn messages_hold_few_rows_or_few_bytes_and_one_row_at_least() {
        let rows = |lengths: &[usize]| {
            let texts = lengths.iter().map(|length| "x".repeat(*length));
            let schema = Schema::new(vec![Field::new("raw", DataType::Utf8, false)]);
            let texts = StringArray::from_iter_values(texts);
            RecordBatch::try_new(Arc::new(schema), vec![Arc::new(texts)]).unwrap()
        };
        let small = rows(&[10; ROWS + 7]);
        assert_eq!((fitting(&small, 0), fitting(&small, ROWS), fitting(&small, ROWS + 6)), (ROWS, 7, 1));
        let large = rows(&[2 << 20, 600 << 10, 400 << 10, 300 << 10, 1]);
        assert_eq!([0, 1, 3, 4].map(|from| fitting(&large, from)), [1, 2, 2, 1]);
    }
}
