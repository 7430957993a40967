//! What somebody who follows the logs may see of them, for as long as the right to it lasts, and the session or token
//! that it was asked with.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{AsArray as _, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use datafusion::common::DFSchema;
use datafusion::common::cast::as_boolean_array;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, lit};
use datafusion::physical_plan::PhysicalExpr;
use datafusion::prelude::SessionContext;
use garrison_base::NodeId;
use garrison_kernel::Actor;
use garrison_web::{Answer, Web};

use crate::problem;
use crate::search::{SEARCH, Visible};

/// Who follows, and what concerns them.
pub(crate) struct Sight {
    web: Web,
    actor: Actor,
    pub(crate) visible: Visible,
    test: Arc<dyn PhysicalExpr>,
}

impl Sight {
    /// The events for which a condition holds; all where there is none.
    pub(crate) fn new((web, actor): (Web, Actor), visible: Visible, condition: Option<Expr>) -> Answer<Self> {
        let schema =
            DFSchema::try_from(crate::columns::schema()).map_err(|error| problem::asked(error.into()))?;
        let test = SessionContext::new()
            .create_physical_expr(condition.unwrap_or_else(|| lit(true)), &schema)
            .map_err(|error| problem::asked(error.into()))?;
        Ok(Self { web, actor, visible, test })
    }

    /// Whether whoever follows still may, and what; true where less than before. A session, a token or a right that has
    /// ended ends what was opened with it.
    pub(crate) async fn look(&mut self) -> Answer<bool> {
        self.web.gate.confirm(&self.actor).await?;
        let tx = self.web.kernel.read(&self.actor, SEARCH).await?;
        let before = std::mem::replace(&mut self.visible.nodes, tx.visible().map(Arc::new));
        Ok(narrowed(before.as_deref(), self.visible.nodes.as_deref()))
    }

    /// The rows that concern whoever follows.
    pub(crate) fn rows(&self, batch: &RecordBatch) -> Result<RecordBatch, DataFusionError> {
        let batch = seen(batch, self.visible.nodes.as_deref());
        let passed = self.test.evaluate(&batch)?.into_array(batch.num_rows())?;
        Ok(filter_record_batch(&batch, as_boolean_array(&passed)?)?)
    }
}

/// Whether some of the nodes that were visible before are not any more.
fn narrowed(before: Option<&HashSet<NodeId>>, now: Option<&HashSet<NodeId>>) -> bool {
    match (before, now) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(before), Some(now)) => !before.is_subset(now),
    }
}

/// The rows of visible nodes.
fn seen(batch: &RecordBatch, nodes: Option<&HashSet<NodeId>>) -> RecordBatch {
    let Some(nodes) = nodes else { return batch.clone() };
    let column = batch.column_by_name("node").and_then(|column| column.as_string_opt::<i32>());
    let visible = |node: Option<&str>| {
        node.and_then(|node| node.parse().ok()).is_some_and(|node| nodes.contains(&node))
    };
    let mask: BooleanArray = column.into_iter().flatten().map(|node| Some(visible(node))).collect();
    filter_record_batch(batch, &mask).unwrap_or_else(|_| batch.slice(0, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_taken_away_narrows() {
        let node = |number: &u8| NodeId::from_bytes([*number; 16]);
        let nodes = |numbers: &[u8]| numbers.iter().map(node).collect::<HashSet<NodeId>>();
        let (one, two, other) = (nodes(&[1]), nodes(&[1, 2]), nodes(&[2, 3]));
        let (one, two, other) = (Some(&one), Some(&two), Some(&other));
        for (before, now, expected) in [
            (one, one, false),
            (one, two, false),
            (two, one, true),
            (two, other, true),
            (None, two, true),
            (two, None, false),
            (None, None, false),
        ] {
            assert_eq!(narrowed(before, now), expected, "{before:?} {now:?}");
        }
    }
}
