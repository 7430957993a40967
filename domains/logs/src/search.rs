//! Asking the logs: the recorded question, and its answer as it is found.

use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::compute::filter_record_batch;
use arrow::json::WriterBuilder;
use arrow::json::writer::LineDelimited;
use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use datafusion::common::DFSchema;
use datafusion::common::cast::as_boolean_array;
use datafusion::logical_expr::{Expr, lit};
use datafusion::physical_plan::PhysicalExpr;
use datafusion::prelude::SessionContext;
use futures_util::stream::unfold;
use garrison_base::{NodeId, Timestamp};
use garrison_kernel::{Actor, KernelError, ObjectRef, ReadAct, ReadTx, Verb};
use garrison_lake::{Answer as Rows, Ask, Budget, News, Question, Scope};
use garrison_web::{Answer, Body as JsonBody, Caller, Refusal, Web};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::time::{Instant, timeout};
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
/// How long a tail lasts; whoever follows asks again, and is recognised again.
const TAIL: Duration = Duration::from_mins(10);
/// How often the rights of whoever follows are looked at, and a sign of life is sent.
const LOOK: Duration = Duration::from_secs(1);

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
    tenant: garrison_base::TenantId,
    nodes: Option<Arc<HashSet<NodeId>>>,
    now: Timestamp,
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
        let budget = Budget { time: Duration::from_secs(seconds), memory: MEMORY };
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
    let mut rows = logs.lake().ask(question).await.map_err(problem::asked)?;
    // What is wrong with a question shows at its first rows: then it is still an answer of its own.
    let first = rows.next().await.map_err(problem::asked)?;
    Ok(lines(Going {
        ended: false,
        nulls: asked.sql.is_some(),
        rows,
        next: first,
        sent: 0,
        limit,
        _place: place,
    }))
}

struct Going {
    /// Held while rows are found.
    _place: OwnedSemaphorePermit,
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
fn end(rows: u64, refusal: Option<Refusal>) -> Bytes {
    let mut end = json!({ "rows": rows, "complete": refusal.is_none() });
    if let (Some(refusal), Some(end)) = (refusal, end.as_object_mut()) {
        end.insert("type".into(), refusal.kind().name.into());
        end.insert("detail".into(), refusal.detail().into());
    }
    Bytes::from(format!("{}\n", json!({ "_end": end })))
}

fn json_lines(batch: &RecordBatch, nulls: bool) -> Vec<u8> {
    let builder = WriterBuilder::new().with_explicit_nulls(nulls);
    let mut writer = builder.build::<_, LineDelimited>(Vec::new());
    // Writing to memory fails only for types that JSON has no form for; the table has none of them, and a question that
    // makes one loses the rows' line, not the server.
    if let Err(error) = writer.write(batch).and_then(|()| writer.finish()) {
        tracing::warn!(%error, "rows cannot be written as JSON");
    }
    writer.into_inner()
}

/// Follows the logs.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TailLogs {
    /// A filter; nothing for all events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 16384)]
    pub query: Option<String>,
}

/// `POST /api/v1/log/tail`: events as JSON lines while they come; an empty line is a sign of life.
pub(crate) async fn tail(
    State(web): State<Web>,
    Extension(logs): Extension<Logs>,
    Caller(actor): Caller,
    JsonBody(asked): JsonBody<TailLogs>,
) -> Answer<Response> {
    let recorded =
        SearchLogs { query: asked.query.clone(), from: Some("now".into()), ..SearchLogs::default() };
    let visible = web.kernel.ask(&actor, recorded).await.map_err(Refusal::from)?;
    let query = asked.query.unwrap_or_default();
    let condition = condition(&query, visible.now)?.unwrap_or_else(|| lit(true));
    let schema =
        DFSchema::try_from(crate::columns::schema()).map_err(|error| problem::asked(error.into()))?;
    let test = SessionContext::new()
        .create_physical_expr(condition, &schema)
        .map_err(|error| problem::asked(error.into()))?;
    let following = Following {
        news: logs.lake().news(),
        test,
        visible,
        web,
        actor,
        logs,
        until: Instant::now() + TAIL,
        looked: Instant::now(),
        said: Instant::now(),
    };
    let stream = unfold(following, async |mut following| {
        let bytes = following.next().await?;
        Some((Ok::<_, Infallible>(bytes), following))
    });
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(stream)).into_response())
}

struct Following {
    news: Receiver<News>,
    test: Arc<dyn PhysicalExpr>,
    visible: Visible,
    web: Web,
    actor: Actor,
    logs: Logs,
    until: Instant,
    looked: Instant,
    said: Instant,
}

impl Following {
    /// The next lines; nothing at the end.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if self.logs.is_stopping() || Instant::now() >= self.until {
                return None;
            }
            if self.looked.elapsed() >= LOOK {
                self.looked = Instant::now();
                // A right that has ended ends what was opened with it.
                let tx = self.web.kernel.read(&self.actor, SEARCH).await.ok()?;
                self.visible.nodes = tx.visible().map(Arc::new);
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

    fn lines(&self, news: &News) -> Option<Bytes> {
        if news.tenant != self.visible.tenant {
            return None;
        }
        let batch = seen(&news.batch, self.visible.nodes.as_deref());
        let passed = self.test.evaluate(&batch).and_then(|value| value.into_array(batch.num_rows())).ok()?;
        let passed = filter_record_batch(&batch, as_boolean_array(&passed).ok()?).ok()?;
        (passed.num_rows() > 0).then(|| json_lines(&passed, false).into())
    }
}

/// The rows of visible nodes.
fn seen(batch: &RecordBatch, nodes: Option<&HashSet<NodeId>>) -> RecordBatch {
    use arrow::array::{AsArray as _, BooleanArray};
    let Some(nodes) = nodes else { return batch.clone() };
    let column = batch.column_by_name("node").and_then(|column| column.as_string_opt::<i32>());
    let visible = |node: Option<&str>| {
        node.and_then(|node| node.parse().ok()).is_some_and(|node| nodes.contains(&node))
    };
    let mask: BooleanArray = column.into_iter().flatten().map(|node| Some(visible(node))).collect();
    filter_record_batch(batch, &mask).unwrap_or_else(|_| batch.slice(0, 0))
}
