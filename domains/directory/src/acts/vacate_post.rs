use garrison_base::PostId;
use garrison_kernel::{Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Changed;
use crate::store;

/// Takes the person off a post; the grant that came with it ends.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VacatePost {
    /// Which.
    pub post: PostId,
}

impl Act for VacatePost {
    const VERB: Verb = Verb::new("post:vacate");
    type Output = Changed;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.post.into()]
    }

    async fn preview(&self, tx: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        let post = store::post(tx, self.post).await?;
        Ok(Preview::sentence(format!("vacate the post `{}` at {}", post.title, post.path)))
    }

    async fn perform(&self, _: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        let post = store::post(&mut tx.read(), self.post).await?;
        if let Some(grant) = store::grant_of(tx, &post).await? {
            tx.end_grant(grant, "the post was vacated").await?;
        }
        tx.touch(&self.post.into()).await?;
        store::set_post(tx, self.post, None).await?;
        Ok(Done::new(
            Changed { changed: post.person.is_some() },
            Summary::of(format!("vacated the post `{}`", post.title)),
            (),
        ))
    }
}
