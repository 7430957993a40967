use garrison_base::NodeId;
use garrison_kernel::{Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Changed;
use crate::store;

/// Marks a node, with all below it, as production, or takes the mark away.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MarkNode {
    /// Which.
    pub node: NodeId,
    /// Whether it is production.
    pub production: bool,
}

fn words(production: bool) -> &'static str {
    if production { "production" } else { "not production" }
}

impl Act for MarkNode {
    const VERB: Verb = Verb::new("node:mark");
    type Output = Changed;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.node.into()]
    }

    async fn preview(&self, tx: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        let before = tx.node(self.node).await?.production;
        let sentence = format!("mark {} as {}", tx.path(self.node), words(self.production));
        Ok(Preview::sentence(sentence).change("production", before, self.production))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        let before = words(tx.read().node(self.node).await?.production);
        tx.mark_production(self.node, self.production).await?;
        store::note(tx, permit, (self.node, "marked", before, words(self.production))).await?;
        let summary =
            Summary::of(format!("marked {} as {}", tx.read().path(self.node), words(self.production)));
        Ok(Done::new(Changed::yes(), summary, ()))
    }
}
