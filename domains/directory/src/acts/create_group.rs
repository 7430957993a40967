use garrison_base::{AccountName, GroupId, Line};
use garrison_kernel::{
    Act, Done, Holder, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::store;

/// Makes a group. A grant that the group holds, every member holds.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateGroup {
    /// The name.
    pub name: AccountName,
    /// What it is for.
    pub purpose: Line,
}

/// A group that was made.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreatedGroup {
    /// The id.
    pub group: GroupId,
}

impl Act for CreateGroup {
    const VERB: Verb = Verb::new("group:create");
    type Output = CreatedGroup;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![ObjectRef::tenant()]
    }

    async fn preview(&self, _: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        Ok(Preview::sentence(format!("make a group `{}`: {}", self.name, self.purpose)))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        let group = GroupId::new(permit.now(), tx.entropy());
        let holder = Holder::Group(group);
        tx.introduce(holder, self.name.as_str(), holder).await?;
        store::add_group(tx, permit, group, self).await?;
        Ok(Done::new(
            CreatedGroup { group },
            Summary::of(format!("made the group `{}`", self.name)).object(group),
            (),
        ))
    }
}
