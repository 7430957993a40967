use garrison_base::{NodeId, PathName};
use garrison_kernel::{Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Changed;
use crate::store;

/// Gives a node another name.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RenameNode {
    /// Which.
    pub node: NodeId,
    /// The new name.
    pub name: PathName,
}

impl Act for RenameNode {
    const VERB: Verb = Verb::new("node:rename");
    type Output = Changed;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.node.into()]
    }

    async fn preview(&self, tx: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        let node = tx.node(self.node).await?;
        let sentence = format!("rename {} to `{}`", tx.path(self.node), self.name);
        Ok(Preview::sentence(sentence).change("name", node.name, &self.name))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        let before = tx.read().node(self.node).await?.name;
        tx.rename_node(self.node, &self.name).await?;
        store::note(tx, permit, (self.node, "renamed", &before, self.name.as_str())).await?;
        Ok(Done::new(Changed::yes(), Summary::of(format!("renamed `{before}` to `{}`", self.name)), ()))
    }
}
