//! Asking the logs: the recorded question, and its answer as it is found.

use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use arrow::json::WriterBuilder;
use arrow::json::writer::{JsonFormat, LineDelimited};
use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use datafusion::common::Column;
use datafusion::logical_expr::{Expr, SortExpr, col, lit};
use datafusion::scalar::ScalarValue;
use futures_util::stream::unfold;
use garrison_base::{NodeId, TenantId, Timestamp};
use garrison_kernel::{Actor, KernelError, ObjectRef, ReadAct, ReadTx, Verb};
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
pub(crate) const SECONDS: u64 = 60;
const MOST_SECONDS: u64 = 3_600;
/// Memory of one question.
const MEMORY: usize = 192 << 20;
/// What one question may put aside on the disk.
const DISK: u64 = 4 << 30;
/// Bytes of a time, and of a list of columns.
const MOST_TIME: usize = 256;
const MOST_COLUMNS: usize = 4_096;

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
    /// The last row that is known already: only rows that come after it, the latest first. Not with SQL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<RowPlace>,
}

/// Where a row stands in the order of all rows, the latest first: by the time of receipt, then by the id.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RowPlace {
    /// When it was received, as the row tells it.
    #[schema(value_type = String, format = DateTime)]
    pub received: Timestamp,
    /// Its id.
    pub id: i64,
}

/// A question about logs, as it is recorded.
#[derive(Serialize)]
#[serde(transparent)]
pub struct Recorded<Q>(pub Q);

/// Whose and which events somebody may see.
pub struct Visible {
    pub(crate) tenant: TenantId,
    pub(crate) nodes: Option<Arc<HashSet<NodeId>>>,
    pub(crate) now: Timestamp,
}

/// Searching: each question is recorded before a row is released.
pub const SEARCH: Verb = Verb::new("log:search");

impl<Q: Serialize + Send + Sync + 'static> ReadAct for Recorded<Q> {
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

impl Visible {
    /// Everything of a tenant: to look at a question with before it is recorded, and then let go. What is recorded stays
    /// for ever, so a question that is too long or has no sense must not come so far.
    pub(crate) fn whole(actor: &Actor, now: Timestamp) -> Self {
        Self { tenant: actor.tenant, nodes: None, now }
    }

    /// What there is to see of a time; of the last 24 hours where nothing is said.
    pub(crate) fn scope(&self, from: Option<&str>, to: Option<&str>) -> Answer<Scope> {
        let at = |text: &str| match text.len() {
            0..=MOST_TIME => filter::time(text, self.now).map_err(problem::query),
            _ => Err(problem::query(format!("a time has at most {MOST_TIME} bytes"))),
        };
        let from = at(from.unwrap_or("24h"))?;
        let to = match to {
            Some(to) => at(to)?,
            // Events may come while the question runs; those of this moment belong to it.
            None => self.now + jiff::SignedDuration::from_secs(1),
        };
        if from >= to {
            return Err(problem::query(format!("`from` ({from}) is not before `to` ({to})")));
        }
        Ok(Scope { tenant: self.tenant, nodes: self.nodes.clone(), from: nanos(from), to: nanos(to) })
    }
}

/// A moment as the table holds it, in nanoseconds since 1970: about from 1678 to 2262.
pub(crate) fn nanos(at: Timestamp) -> i64 {
    let beyond = if at < Timestamp::UNIX_EPOCH { i64::MIN } else { i64::MAX };
    i64::try_from(at.as_nanosecond()).unwrap_or(beyond)
}

impl RowPlace {
    /// The rows behind this one, in the order of [`latest_first`].
    fn condition(self) -> Expr {
        let at = || lit(ScalarValue::TimestampNanosecond(Some(nanos(self.received)), Some("UTC".into())));
        let same = col("received").eq(at()).and(col("id").lt(lit(self.id)));
        col("received").lt(at()).or(same)
    }
}

/// The one order in which each row has a place of its own: many are received in the same moment.
fn latest_first() -> Vec<SortExpr> {
    ["received", "id"].map(|name| SortExpr::new(col(name), false, false)).to_vec()
}

impl SearchLogs {
    fn question(&self, visible: &Visible) -> Answer<Question> {
        let limit = self.limit.unwrap_or(ROWS);
        let seconds = self.seconds.unwrap_or(SECONDS);
        if !(1..=MOST_ROWS).contains(&limit) || !(1..=MOST_SECONDS).contains(&seconds) {
            return Err(problem::query(format!(
                "limit is 1 to {MOST_ROWS} rows, seconds 1 to {MOST_SECONDS}"
            )));
        }
        if self.columns.as_ref().is_some_and(|columns| columns.len() > MOST_COLUMNS) {
            return Err(problem::query(format!("columns has at most {MOST_COLUMNS} bytes")));
        }
        let ask = match (&self.query, &self.sql) {
            (Some(_), Some(_)) => return Err(problem::query("give `query` or `sql`, not both")),
            (_, Some(sql)) if sql.len() > garrison_search::MOST_BYTES => {
                return Err(problem::query("SQL has at most 16 KiB"));
            }
            (_, Some(_)) if self.before.is_some() => {
                return Err(problem::query("`before` goes with a filter; SQL has a WHERE of its own"));
            }
            (_, Some(sql)) => Ask::Sql(sql.clone()),
            (query, None) => self.rows(query.as_deref().unwrap_or_default(), visible, limit)?,
        };
        let mut scope = visible.scope(self.from.as_deref(), self.to.as_deref())?;
        if let Some(before) = self.before {
            // Files of later events need not be opened.
            scope.to = scope.to.min(nanos(before.received).saturating_add(1));
        }
        Ok(Question { ask, scope, budget: budget(Duration::from_secs(seconds)) })
    }

    fn rows(&self, query: &str, visible: &Visible, limit: u64) -> Answer<Ask> {
        if self.unordered && self.before.is_some() {
            return Err(problem::query("`before` goes with rows in order, the latest first"));
        }
        Ok(Ask::Rows {
            condition: both(condition(query, visible.now)?, self.before.map(RowPlace::condition)),
            wanted: columns(self.columns.as_deref())?,
            order: if self.unordered { Vec::new() } else { latest_first() },
            limit: usize::try_from(limit).ok(),
        })
    }
}

/// What a question of this length may cost.
pub(crate) fn budget(time: Duration) -> Budget {
    Budget { time, memory: MEMORY, disk: DISK }
}

/// The rows for which both conditions hold; nothing means all.
pub(crate) fn both(one: Option<Expr>, other: Option<Expr>) -> Option<Expr> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.and(other)),
        (one, other) => one.or(other),
    }
}

/// The condition of a filter; the error points at the place.
pub(crate) fn condition(query: &str, now: Timestamp) -> Answer<Option<Expr>> {
    let parsed = garrison_search::parse(query).map_err(|error| problem::syntax(&error, query))?;
    filter::condition(&parsed, now).map_err(problem::query)
}

fn columns(wanted: Option<&str>) -> Answer<Vec<Expr>> {
    let names =
        wanted.into_iter().flat_map(|names| names.split(',')).map(str::trim).filter(|name| !name.is_empty());
    names.map(|name| column(name).map(|(_, column)| column)).collect()
}

/// A column of the table by its name, and its type.
pub(crate) fn column(name: &str) -> Answer<(DataType, Expr)> {
    let schema = crate::columns::schema();
    if let Ok(field) = schema.field_with_name(name) {
        return Ok((field.data_type().clone(), Expr::Column(Column::from_name(name))));
    }
    let known: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    Err(problem::query(format!("there is no column `{name}`; there are {}", known.join(", "))))
}

/// `POST /api/v1/log/search`: rows as JSON lines, as they are found; the last line tells how it ended.
pub(crate) async fn search(
    State(web): State<Web>,
    Extension(logs): Extension<Logs>,
    Caller(actor): Caller,
    JsonBody(asked): JsonBody<SearchLogs>,
) -> Answer<Response> {
    asked.question(&Visible::whole(&actor, logs.now()))?;
    let visible = web.kernel.ask(&actor, Recorded(asked.clone())).await.map_err(Refusal::from)?;
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
    json_rows::<LineDelimited>(batch, nulls)
}

pub(crate) fn json_rows<F: JsonFormat>(batch: &RecordBatch, nulls: bool) -> Vec<u8> {
    let builder = WriterBuilder::new().with_explicit_nulls(nulls);
    let mut writer = builder.build::<_, F>(Vec::new());
    // Writing to memory fails only for types that JSON has no form for; the table has none of them, and a question that
    // makes one loses the rows' line, not the server.
    if let Err(error) = writer.write(batch).and_then(|()| writer.finish()) {
        tracing::warn!(%error, "rows cannot be written as JSON");
    }
    writer.into_inner()
}
