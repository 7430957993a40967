//! Following the logs: events as they come, for as long as the right to them lasts, and the session or token that it was
//! asked with.

use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::compute::filter_record_batch;
use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use datafusion::common::DFSchema;
use datafusion::common::cast::as_boolean_array;
use datafusion::logical_expr::lit;
use datafusion::physical_plan::PhysicalExpr;
use datafusion::prelude::SessionContext;
use futures_util::stream::unfold;
use garrison_base::NodeId;
use garrison_kernel::Actor;
use garrison_lake::News;
use garrison_web::{Answer, Body as JsonBody, Caller, Refusal, Web};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::time::{Instant, timeout};
use utoipa::ToSchema;

use crate::search::{SEARCH, SearchLogs, Visible, condition, end, json_lines};
use crate::{Logs, problem};

/// How long a tail lasts; whoever follows asks again.
const TAIL: Duration = Duration::from_mins(10);
/// How often it is asked whether whoever follows still may, and a sign of life is sent.
const LOOK: Duration = Duration::from_secs(1);

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
        sent: 0,
        ended: false,
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
    sent: u64,
    ended: bool,
}

impl Following {
    /// The next lines; nothing at the end.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if self.ended || self.logs.is_stopping() || Instant::now() >= self.until {
                return None;
            }
            if self.looked.elapsed() >= LOOK {
                self.looked = Instant::now();
                if let Err(refusal) = self.look().await {
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

    /// Whether whoever follows still may, and what. A session, a token or a right that has ended ends what was opened
    /// with it.
    async fn look(&mut self) -> Answer<()> {
        self.web.gate.confirm(&self.actor).await?;
        let tx = self.web.kernel.read(&self.actor, SEARCH).await?;
        self.visible.nodes = tx.visible().map(Arc::new);
        Ok(())
    }

    fn lines(&mut self, news: &News) -> Option<Bytes> {
        if news.tenant != self.visible.tenant {
            return None;
        }
        let batch = seen(&news.batch, self.visible.nodes.as_deref());
        let passed = self.test.evaluate(&batch).and_then(|value| value.into_array(batch.num_rows())).ok()?;
        let passed = filter_record_batch(&batch, as_boolean_array(&passed).ok()?).ok()?;
        self.sent += passed.num_rows() as u64;
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
