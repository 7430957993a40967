use garrison_base::{GrantId, NodeId};
use garrison_kernel::{Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::store;

/// Merges a node into another: what hangs on it moves there, its own grants end, and it is gone.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MergeNode {
    /// Which goes.
    pub node: NodeId,
    /// Which stays.
    pub into: NodeId,
}

/// What a merge did.
#[derive(Debug, Serialize, ToSchema)]
pub struct MergedNode {
    /// Nodes that hang under the other one now.
    pub children: usize,
    /// Objects that hang on the other one now.
    pub objects: usize,
    /// Grants that ended, because they were given for another place.
    pub ended_grants: Vec<GrantId>,
}

impl Act for MergeNode {
    const VERB: Verb = Verb::new("node:merge");
    type Output = MergedNode;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.node.into(), self.into.into()]
    }

    async fn preview(&self, tx: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        let sentence = format!(
            "merge {} into {}: what hangs on it moves, grants given at it end",
            tx.path(self.node),
            tx.path(self.into),
        );
        Ok(Preview::sentence(sentence))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        let (before, into) = (tx.read().path(self.node), tx.read().path(self.into));
        let merged = tx.merge_node(self.node, self.into).await?;
        store::note(tx, permit, (self.node, "merged", &before, &into)).await?;
        store::note(tx, permit, (self.into, "took in", &before, &into)).await?;
        let output =
            MergedNode { children: merged.children, objects: merged.objects, ended_grants: merged.ended };
        Ok(Done::new(output, Summary::of(format!("merged {before} into {into}")), ()))
    }
}
