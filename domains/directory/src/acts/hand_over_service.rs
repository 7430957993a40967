use garrison_base::{PersonId, ServiceId};
use garrison_kernel::{
    Act, ActorId, Done, Holder, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Changed;
use crate::store;

/// Gives a service account to another owner.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HandOverService {
    /// Which.
    pub service: ServiceId,
    /// Who answers for it from now on.
    pub owner: PersonId,
}

impl Act for HandOverService {
    const VERB: Verb = Verb::new("service:hand-over");
    type Output = Changed;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.service.into(), self.owner.into()]
    }

    async fn preview(&self, tx: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        let service = tx.name_of(Holder::Actor(ActorId::Service(self.service)));
        let owner = tx.name_of(Holder::Actor(ActorId::Person(self.owner)));
        Ok(Preview::sentence(format!("let {owner} answer for `{service}`")))
    }

    async fn perform(&self, _: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        let owner = Holder::Actor(ActorId::Person(self.owner));
        tx.set_principal(Holder::Actor(ActorId::Service(self.service)), owner).await?;
        store::set_service_owner(tx, self.service, self.owner).await?;
        let summary = Summary::of(format!("handed the account over to {}", tx.read().name_of(owner)));
        Ok(Done::new(Changed::yes(), summary, ()))
    }
}
