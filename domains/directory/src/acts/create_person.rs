use garrison_base::{AccountName, Email, Line, PersonId};
use garrison_kernel::{
    Act, ActorId, Done, Holder, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::store;

/// Makes a person known. Before the person can log in, the account must be activated.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreatePerson {
    /// What the person types to log in.
    pub name: AccountName,
    /// The person's full name.
    pub full_name: Line,
    /// Where mail reaches the person.
    pub email: Email,
}

/// A person who was made known.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreatedPerson {
    /// The id.
    pub person: PersonId,
}

impl Act for CreatePerson {
    const VERB: Verb = Verb::new("person:create");
    type Output = CreatedPerson;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![ObjectRef::tenant()]
    }

    async fn preview(&self, _: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        Ok(Preview::sentence(format!("make {} ({}) known as `{}`", self.full_name, self.email, self.name)))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        let person = PersonId::new(permit.now(), tx.entropy());
        let who = Holder::Actor(ActorId::Person(person));
        tx.introduce(who, self.name.as_str(), who).await?;
        store::add_person(tx, permit, person, self).await?;
        let summary = Summary::of(format!("made {} known as `{}`", self.full_name, self.name)).object(person);
        Ok(Done::new(CreatedPerson { person }, summary, ()))
    }
}
