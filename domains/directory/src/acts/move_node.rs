use garrison_base::NodeId;
use garrison_kernel::{Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Changed;
use crate::store;

/// Hangs a node, with all below it, under another. Grants from above are those of the new place.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveNode {
    /// Which.
    pub node: NodeId,
    /// Under which.
    pub parent: NodeId,
}

impl Act for MoveNode {
    const VERB: Verb = Verb::new("node:move");
    type Output = Changed;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.node.into(), self.parent.into()]
    }

    async fn preview(&self, tx: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        let (from, to) = (tx.path(self.node), tx.path(self.parent));
        let name = tx.node(self.node).await?.name;
        let sentence = format!("move {from} with all below it under {to}");
        Ok(Preview::sentence(sentence).change("path", from, format!("{to}/{name}")))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        let (before, above) = (tx.read().path(self.node), tx.read().path(self.parent));
        tx.move_node(self.node, self.parent).await?;
        store::note(tx, permit, (self.node, "moved", &before, &above)).await?;
        Ok(Done::new(Changed::yes(), Summary::of(format!("moved {before} under {above}")), ()))
    }
}
