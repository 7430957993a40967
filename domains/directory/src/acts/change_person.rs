use garrison_base::{Email, Line, PersonId};
use garrison_kernel::{Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Changed;
use crate::store;

/// Changes what is known of a person.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePerson {
    /// Who.
    pub person: PersonId,
    /// The full name.
    pub full_name: Line,
    /// The address.
    pub email: Email,
}

impl Act for ChangePerson {
    const VERB: Verb = Verb::new("person:change");
    type Output = Changed;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.person.into()]
    }

    async fn preview(&self, tx: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        let before = store::person(tx, &self.person.to_string()).await?;
        Ok(Preview::sentence(format!("change what is known of {}", before.name))
            .change("full name", before.full_name, &self.full_name)
            .change("email", before.email, &self.email))
    }

    async fn perform(&self, _: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        store::change_person(tx, self).await?;
        Ok(Done::new(Changed::yes(), Summary::of(format!("changed what is known of {}", self.full_name)), ()))
    }
}
