use garrison_base::{DepositId, PersonId};
use garrison_facts::AccountSecured;
use garrison_kernel::{
    Act, ActorId, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx,
};
use serde::{Deserialize, Serialize};

use crate::problem::AccessError;
use crate::store::{self, Credential, put_credential};

/// Changes the actor's own password; the one before was proven just now. Every other session ends.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    /// Whose: the actor's own.
    pub person: PersonId,
    /// Where the hash of the new one was put down.
    pub password: DepositId,
}

impl Act for ChangePassword {
    const VERB: Verb = Verb::new("password:change");
    const NEEDS_LOGIN: bool = true;
    type Output = ();
    type Fact = AccountSecured;
    type Error = AccessError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.person.into()]
    }

    async fn preview(&self, _: &mut ReadTx<'_>) -> Result<Preview, AccessError> {
        Ok(Preview::sentence("change one's own password"))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, AccessError> {
        if permit.actor().id != ActorId::Person(self.person) {
            return Err(AccessError::NeedsLogin("changing a password"));
        }
        let before = store::credential(&mut tx.read(), &self.person).await?.ok_or(KernelError::NotFound)?;
        let hash = tx.claim(self.password).await?;
        let password = String::from_utf8(hash).map_err(|_| KernelError::Invalid("not a hash".into()))?;
        put_credential(tx, &Credential { password, changed: permit.now(), ..before }).await?;
        let kept = permit.actor().origin.session.parse().ok();
        let ended = store::end_sessions(tx, self.person, kept).await?;
        store::drop_ways_in(tx, self.person).await?;
        let summary = Summary::of(format!("changed the password; {ended} other sessions ended"));
        Ok(Done::new((), summary, AccountSecured { person: self.person }))
    }
}
