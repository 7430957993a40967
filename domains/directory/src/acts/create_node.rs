use garrison_base::{NodeId, PathName};
use garrison_kernel::{
    Act, Done, KernelError, NewNode, NodeKind, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::store;

/// Hangs a new node under another.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateNode {
    /// Under which.
    pub parent: NodeId,
    /// Its name, unique there.
    pub name: PathName,
    /// Its kind.
    pub kind: NodeKind,
    /// Whether it, with all below, is production.
    #[serde(default)]
    pub production: bool,
}

/// A node that was made.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreatedNode {
    /// Its id.
    pub node: NodeId,
}

impl Act for CreateNode {
    const VERB: Verb = Verb::new("node:create");
    type Output = CreatedNode;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.parent.into()]
    }

    async fn preview(&self, tx: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        let at = tx.path(self.parent);
        Ok(Preview::sentence(format!("hang a new {} `{}` under {at}", self.kind, self.name)))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        let new = NewNode {
            parent: self.parent,
            name: self.name.clone(),
            kind: self.kind,
            production: self.production,
        };
        let node = tx.create_node(new).await?;
        store::note(tx, permit, (node, "created", "none", self.name.as_str())).await?;
        let summary =
            Summary::of(format!("hung a new {} `{}` in the tree", self.kind, self.name)).object(node);
        Ok(Done::new(CreatedNode { node }, summary, ()))
    }
}
