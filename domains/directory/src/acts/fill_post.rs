use garrison_base::{GrantId, PersonId, PostId};
use garrison_kernel::{
    Act, ActorId, Done, Holder, KernelError, NewGrant, ObjectRef, Permit, Preview, ReadTx, Summary, Verb,
    WriteTx,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::store;

/// Puts a person on a post. With it comes a grant of the role that is the post's level, at the post's node.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FillPost {
    /// Which.
    pub post: PostId,
    /// Who.
    pub person: PersonId,
}

/// A post that was filled.
#[derive(Debug, Serialize, ToSchema)]
pub struct FilledPost {
    /// The grant that came with it.
    pub grant: GrantId,
}

impl Act for FillPost {
    const VERB: Verb = Verb::new("post:fill");
    type Output = FilledPost;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.post.into()]
    }

    async fn preview(&self, tx: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        let post = store::post(tx, self.post).await?;
        let person = tx.name_of(Holder::Actor(ActorId::Person(self.person)));
        Ok(Preview::sentence(format!(
            "put {person} on the post `{}` ({}) at {}",
            post.title, post.level, post.path
        )))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        let post = store::post(&mut tx.read(), self.post).await?;
        if post.person.is_some() {
            return Err(KernelError::Invalid("the post is filled; vacate it first".into()));
        }
        let new = NewGrant {
            holder: Holder::Actor(ActorId::Person(self.person)),
            role: post.level.to_string(),
            node: permit.node(),
            until: None,
            duty: format!("post: {}", post.title),
            reason: format!("holds the post {}", self.post),
        };
        let grant = tx.grant(new).await?;
        tx.touch(&self.post.into()).await?;
        store::set_post(tx, self.post, Some((self.person, grant))).await?;
        let person = tx.read().name_of(Holder::Actor(ActorId::Person(self.person)));
        Ok(Done::new(
            FilledPost { grant },
            Summary::of(format!("put {person} on the post `{}`", post.title)),
            (),
        ))
    }
}
