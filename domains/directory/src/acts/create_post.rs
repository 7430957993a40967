use garrison_base::{Line, NodeId, PostId};
use garrison_kernel::{Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::PostLevel;
use crate::store;

/// Makes a post at a node.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreatePost {
    /// Where.
    pub node: NodeId,
    /// What it is called.
    pub title: Line,
    /// Its level.
    pub level: PostLevel,
}

/// A post that was made.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreatedPost {
    /// The id.
    pub post: PostId,
}

impl Act for CreatePost {
    const VERB: Verb = Verb::new("post:create");
    type Output = CreatedPost;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.node.into()]
    }

    async fn preview(&self, tx: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        let at = tx.path(self.node);
        Ok(Preview::sentence(format!("make a post `{}` of the level {} at {at}", self.title, self.level)))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        let post = PostId::new(permit.now(), tx.entropy());
        tx.register(&post.into(), self.node, None).await?;
        store::add_post(tx, permit, post, self).await?;
        let summary = Summary::of(format!("made the post `{}` ({})", self.title, self.level)).object(post);
        Ok(Done::new(CreatedPost { post }, summary, ()))
    }
}
