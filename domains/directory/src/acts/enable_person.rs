use garrison_base::PersonId;
use garrison_kernel::{
    Act, ActorId, Done, Holder, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Changed;
use crate::store;

/// Enables a person again; sessions and tokens that ended stay ended.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnablePerson {
    /// Which.
    pub person: PersonId,
}

impl EnablePerson {
    fn holder(&self) -> Holder {
        Holder::Actor(ActorId::Person(self.person))
    }
}

impl Act for EnablePerson {
    const VERB: Verb = Verb::new("person:enable");
    type Output = Changed;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.person.into()]
    }

    async fn preview(&self, tx: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        Ok(Preview::sentence(format!("enable {}", tx.name_of(self.holder()))))
    }

    async fn perform(&self, _: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        tx.set_active(self.holder(), true).await?;
        store::set_person_state(tx, self.person, "active").await?;
        let summary = Summary::of(format!("enabled {}", tx.read().name_of(self.holder())));
        Ok(Done::new(Changed::yes(), summary, ()))
    }
}
