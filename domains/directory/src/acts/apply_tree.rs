use garrison_base::{NodeId, PathName};
use garrison_kernel::{
    Act, Done, KernelError, NewNode, NodeKind, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::store;

/// How many nodes one act may bring.
const LIMIT: usize = 5_000;

/// Makes the tree below a node hold these nodes. What is missing is made, a mark that differs is set; nothing is
/// moved, and what is not named stays.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplyTree {
    /// Below which.
    pub node: NodeId,
    /// The nodes, parents before children.
    #[schema(max_items = 5000)]
    pub nodes: Vec<WantedNode>,
}

/// A node as it should be.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedNode {
    /// The names from the node of the act down to this one.
    #[schema(min_items = 1, max_items = 24)]
    pub path: Vec<PathName>,
    /// Its kind, where it is made.
    pub kind: NodeKind,
    /// Whether it is production.
    #[serde(default)]
    pub production: bool,
}

/// What was done.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct AppliedTree {
    /// Nodes that were made.
    pub created: usize,
    /// Nodes whose mark was set.
    pub marked: usize,
    /// Nodes that were as they should be.
    pub unchanged: usize,
}

impl Act for ApplyTree {
    const VERB: Verb = Verb::new("tree:apply");
    type Output = AppliedTree;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.node.into()]
    }

    async fn preview(&self, tx: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        let sentence = format!("make sure of {} nodes below {}", self.nodes.len(), tx.path(self.node));
        Ok(Preview::sentence(sentence))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        if self.nodes.len() > LIMIT {
            return Err(KernelError::Invalid(format!(
                "one act brings at most {LIMIT} nodes; send the rest after it"
            )));
        }
        let mut applied = AppliedTree::default();
        for wanted in &self.nodes {
            self.apply(permit, tx, wanted, &mut applied).await?;
        }
        let words = format!("made {} nodes, marked {}", applied.created, applied.marked);
        Ok(Done::new(applied, Summary::of(words), ()))
    }
}

impl ApplyTree {
    async fn apply(
        &self,
        permit: &Permit<Self>,
        tx: &mut WriteTx<'_>,
        wanted: &WantedNode,
        applied: &mut AppliedTree,
    ) -> Result<(), KernelError> {
        let Some((name, above)) = wanted.path.split_last() else {
            return Err(KernelError::Invalid("a path has at least one name".into()));
        };
        let mut parent = self.node;
        for name in above {
            let found = store::child(tx, parent, name).await?;
            parent = found.map(|(node, _)| node).ok_or_else(|| {
                KernelError::Invalid(format!(
                    "there is no node `{name}` to hang `{}` on; name it before",
                    path(wanted)
                ))
            })?;
        }
        match store::child(tx, parent, name).await? {
            Some((_, production)) if production == wanted.production => applied.unchanged += 1,
            Some((node, _)) => {
                tx.mark_production(node, wanted.production).await?;
                let after = wanted.production.to_string();
                store::note(tx, permit, (node, "marked", "differently", &after)).await?;
                applied.marked += 1;
            }
            None => {
                let new =
                    NewNode { parent, name: name.clone(), kind: wanted.kind, production: wanted.production };
                let node = tx.create_node(new).await?;
                store::note(tx, permit, (node, "created", "none", name.as_str())).await?;
                applied.created += 1;
            }
        }
        Ok(())
    }
}

fn path(wanted: &WantedNode) -> String {
    wanted.path.iter().map(PathName::as_str).collect::<Vec<_>>().join("/")
}
