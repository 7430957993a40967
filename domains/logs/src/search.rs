//! Asking the logs: the recorded question, and its answer as it is found.

use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::json::WriterBuilder;
use arrow::json::writer::LineDelimited;
use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use datafusion::logical_expr::Expr;
use futures_util::stream::unfold;
use garrison_base::{NodeId, TenantId, Timestamp};
use garrison_kernel::{KernelError, ObjectRef, ReadAct, ReadTx, Verb};
use garrison_lake::{Answer as Rows, Ask, Budget, Question, Scope};
use garrison_web::{Answer, Body as JsonBody, Caller, Refusal, Web};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::{Logs, filter, problem};

/// Rows of an answer where nothing is said, and at most.
const ROWS: u64 = 1_000;
const MOST_ROWS: u64 = 100_000_000;
/// A question's time where nothing is said, and at most.
const SECONDS: u64 = 60;
const MOST_SECONDS: u64 = 3_600;
/// Memory of one question.
const MEMORY: usize = 192 << 20;
/// What one question may put aside on the disk.
const DISK: u64 = 4 << 30;

/// Searches the logs that one may see.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchLogs {
    /// A filter, such as `failed and src_ip:203.0.113.0/24`; nothing for all events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 16384)]
    pub query: Option<String>,
    /// A question in SQL over the table `logs`, in the place of a filter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 16384)]
    pub sql: Option<String>,
    /// From when on, as the server received it: a time, or how long ago, such as `15m`. The last 24 hours where nothing
    /// is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Until when; now where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Rows at most, up to 100,000,000; 1,000 where nothing is said. SQL has a `LIMIT` of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// In the order in which they are found, which is faster, and not the latest first.
    #[serde(default)]
    pub unordered: bool,
    /// Columns, separated by commas; all where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<String>,
    /// Seconds at most, up to 3,600; 60 where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
}

/// Whose and which events somebody may see.
pub struct Visible {
    pub(crate) tenant: TenantId,
    pub(crate) nodes: Option<Arc<HashSet<NodeId>>>,
    pub(crate) now: Timestamp,
}

/// Searching: each question is recorded before a row is released.
pub const SEARCH: Verb = Verb::new("log:search");

impl ReadAct for SearchLogs {
    const VERB: Verb = SEARCH;
    type Output = Visible;
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![ObjectRef::anywhere()]
    }

    async fn read(&self, tx: &mut ReadTx<'_>) -> Result<Visible, KernelError> {
        Ok(Visible { tenant: tx.tenant(), nodes: tx.visible().map(Arc::new), now: tx.now() })
    }
}

impl SearchLogs {
    fn scope(&self, visible: &Visible) -> Result<Scope, Refusal> {
        let at = |text: &Option<String>, or: &str| {
            filter::time(text.as_deref().unwrap_or(or), visible.now).map_err(problem::query)
        };
        let (from, to) = (
            at(&self.from, "24h")?,
            match &self.to {
                Some(_) => at(&self.to, "now")?,
                // Events may come while the question runs; those of this moment belong to it.
                None => visible.now + jiff::SignedDuration::from_secs(1),
            },
        );
        if from >= to {
            return Err(problem::query(format!("`from` ({from}) is not before `to` ({to})")));
        }
        let nanos = |at: Timestamp| i64::try_from(at.as_nanosecond()).unwrap_or(i64::MAX);
        Ok(Scope { tenant: visible.tenant, nodes: visible.nodes.clone(), from: nanos(from), to: nanos(to) })
    }

    fn question(&self, visible: &Visible) -> Result<Question, Refusal> {
        let limit = self.limit.unwrap_or(ROWS);
        let seconds = self.seconds.unwrap_or(SECONDS);
        if !(1..=MOST_ROWS).contains(&limit) || !(1..=MOST_SECONDS).contains(&seconds) {
            return Err(problem::query(format!(
                "limit is 1 to {MOST_ROWS} rows, seconds 1 to {MOST_SECONDS}"
            )));
        }
        let ask = match (&self.query, &self.sql) {
            (Some(_), Some(_)) => return Err(problem::query("give `query` or `sql`, not both")),
            (_, Some(sql)) if sql.len() > garrison_search::MOST_BYTES => {
                return Err(problem::query("SQL has at most 16 KiB"));
            }
            (_, Some(sql)) => Ask::Sql(sql.clone()),
            (query, None) => Ask::Rows {
                condition: condition(query.as_deref().unwrap_or_default(), visible.now)?,
                columns: columns(self.columns.as_deref())?,
                limit: usize::try_from(limit).ok(),
                latest_first: !self.unordered,
            },
        };
        let budget = Budget { time: Duration::from_secs(seconds), memory: MEMORY, disk: DISK };
        Ok(Question { ask, scope: self.scope(visible)?, budget })
    }
}

/// The condition of a filter; the error points at the place.
pub(crate) fn condition(query: &str, now: Timestamp) -> Result<Option<Expr>, Refusal> {
    let parsed = garrison_search::parse(query).map_err(|error| problem::syntax(&error, query))?;
    filter::condition(&parsed, now).map_err(problem::query)
}

fn columns(wanted: Option<&str>) -> Result<Vec<String>, Refusal> {
    let schema = crate::columns::schema();
    let names =
        wanted.into_iter().flat_map(|names| names.split(',')).map(str::trim).filter(|name| !name.is_empty());
    names
        .map(|name| {
            if schema.field_with_name(name).is_ok() {
                return Ok(name.to_owned());
            }
            let known: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
            Err(problem::query(format!("there is no column `{name}`; there are {}", known.join(", "))))
        })
        .collect()
}

/// `POST /api/v1/log/search`: rows as JSON lines, as they are found; the last line tells how it ended.
pub(crate) async fn search(
    State(web): State<Web>,
    Extension(logs): Extension<Logs>,
    Caller(actor): Caller,
    JsonBody(asked): JsonBody<SearchLogs>,
) -> Answer<Response> {
    let visible = web.kernel.ask(&actor, asked.clone()).await.map_err(Refusal::from)?;
    let question = asked.question(&visible)?;
    let place = logs.place_for_question().await?;
    let limit = if asked.sql.is_some() { asked.limit.unwrap_or(MOST_ROWS) } else { MOST_ROWS };
    let mut rows = logs.lake().ask(question, place);
    // What is wrong with a question shows at its first rows: then it is still an answer of its own.
    let first = rows.next().await.map_err(problem::asked)?;
    Ok(lines(Going { ended: false, nulls: asked.sql.is_some(), rows, next: first, sent: 0, limit }))
}

struct Going {
    /// Columns without a value are written too, so that each row of a table has the same.
    nulls: bool,
    rows: Rows,
    next: Option<RecordBatch>,
    sent: u64,
    limit: u64,
    ended: bool,
}

fn lines(going: Going) -> Response {
    let stream = unfold(going, async |mut going| {
        if going.ended {
            return None;
        }
        let Some(batch) = going.next.take() else {
            going.ended = true;
            return Some((Ok::<_, Infallible>(end(going.sent, None)), going));
        };
        let left = usize::try_from(going.limit - going.sent).unwrap_or(usize::MAX);
        let batch = batch.slice(0, batch.num_rows().min(left));
        going.sent += batch.num_rows() as u64;
        let mut bytes = json_lines(&batch, going.nulls);
        if going.sent >= going.limit {
            going.ended = true;
            bytes.extend(end(going.sent, None));
        } else {
            match going.rows.next().await {
                Ok(next) => going.next = next,
                Err(error) => {
                    going.ended = true;
                    bytes.extend(end(going.sent, Some(problem::asked(error))));
                }
            }
        }
        Some((Ok(Bytes::from(bytes)), going))
    });
    ([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(stream)).into_response()
}

/// The last line of an answer.
pub(crate) fn end(rows: u64, refusal: Option<Refusal>) -> Bytes {
    let mut end = json!({ "rows": rows, "complete": refusal.is_none() });
    if let (Some(refusal), Some(end)) = (refusal, end.as_object_mut()) {
        end.insert("type".into(), refusal.kind().name.into());
        end.insert("detail".into(), refusal.detail().into());
    }
    Bytes::from(format!("{}\n", json!({ "_end": end })))
}

pub(crate) fn json_lines(batch: &RecordBatch, nulls: bool) -> Vec<u8> {
    let builder = WriterBuilder::new().with_explicit_nulls(nulls);
    let mut writer = builder.build::<_, LineDelimited>(Vec::new());
    // Writing to memory fails only for types that JSON has no form for; the table has none of them, and a question that
    // makes one loses the rows' line, not the server.
    if let Err(error) = writer.write(batch).and_then(|()| writer.finish()) {
        tracing::warn!(%error, "rows cannot be written as JSON");
    }
    writer.into_inner()
}
