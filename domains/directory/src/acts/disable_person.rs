use garrison_base::PersonId;
use garrison_kernel::{
    Act, ActorId, Done, Holder, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Changed;
use crate::store;

/// Disables a person: from the commit on everything is denied; sessions and tokens end.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DisablePerson {
    /// Which.
    pub person: PersonId,
}

impl DisablePerson {
    fn holder(&self) -> Holder {
        Holder::Actor(ActorId::Person(self.person))
    }
}

impl Act for DisablePerson {
    const VERB: Verb = Verb::new("person:disable");
    type Output = Changed;
    type Fact = garrison_facts::PersonDisabled;
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.person.into()]
    }

    async fn preview(&self, tx: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        Ok(Preview::sentence(format!("disable {}", tx.name_of(self.holder()))))
    }

    async fn perform(&self, _: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        tx.set_active(self.holder(), false).await?;
        store::set_person_state(tx, self.person, "disabled").await?;
        let summary = Summary::of(format!("disabled {}", tx.read().name_of(self.holder())));
        Ok(Done::new(Changed::yes(), summary, garrison_facts::PersonDisabled { person: self.person }))
    }
}
