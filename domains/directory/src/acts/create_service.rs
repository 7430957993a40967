use garrison_base::{AccountName, Line, PersonId, ServiceId};
use garrison_kernel::{
    Act, ActorId, Done, Holder, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::store;

/// Makes an account for a program. A person owns it and answers for it; approvals count the two as one.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateService {
    /// The account's name.
    pub name: AccountName,
    /// Who answers for it.
    pub owner: PersonId,
    /// What it is for.
    pub purpose: Line,
}

/// A service account that was made.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreatedService {
    /// The id.
    pub service: ServiceId,
}

impl Act for CreateService {
    const VERB: Verb = Verb::new("service:create");
    type Output = CreatedService;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![ObjectRef::tenant(), self.owner.into()]
    }

    async fn preview(&self, tx: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        let owner = tx.name_of(Holder::Actor(ActorId::Person(self.owner)));
        Ok(Preview::sentence(format!("make a service account `{}` that {owner} answers for", self.name)))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        let service = ServiceId::new(permit.now(), tx.entropy());
        let owner = Holder::Actor(ActorId::Person(self.owner));
        tx.introduce(Holder::Actor(ActorId::Service(service)), self.name.as_str(), owner).await?;
        store::add_service(tx, permit, service, self).await?;
        let summary = Summary::of(format!("made a service account `{}`", self.name)).object(service);
        Ok(Done::new(CreatedService { service }, summary, ()))
    }
}
