use garrison_base::GroupId;
use garrison_kernel::{
    Act, ActorId, Done, Holder, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Changed;
use crate::store;

/// Takes somebody into a group: with it come the grants that the group holds.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddMember {
    /// Which group.
    pub group: GroupId,
    /// Who: a person or a service account.
    pub member: ActorId,
}

impl Act for AddMember {
    const VERB: Verb = Verb::new("group:add");
    type Output = Changed;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.group.into(), self.member.into()]
    }

    async fn preview(&self, tx: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        let (group, member) = (tx.name_of(Holder::Group(self.group)), tx.name_of(Holder::Actor(self.member)));
        Ok(Preview::sentence(format!("add {member} to the group {group}")))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        tx.set_member(self.group, self.member, true).await?;
        store::add_member(tx, permit, self).await?;
        let (group, member) =
            (tx.read().name_of(Holder::Group(self.group)), tx.read().name_of(Holder::Actor(self.member)));
        let summary = Summary::of(format!("added {member} to the group {group}"));
        Ok(Done::new(Changed::yes(), summary, ()))
    }
}
