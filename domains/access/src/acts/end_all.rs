use garrison_base::PersonId;
use garrison_kernel::{
    Act, ActorId, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Ended;
use crate::store;

/// Ends every session and every token of a person, open links and logins that are under way.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndAll {
    /// Whose.
    pub person: PersonId,
}

impl Act for EndAll {
    const VERB: Verb = Verb::new("account:end-all");
    type Output = Ended;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.person.into()]
    }

    async fn preview(&self, _: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        Ok(Preview::sentence(format!("end every session and token of {}", self.person)))
    }

    async fn perform(&self, _: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        let sessions = store::end_sessions(tx, self.person, None).await?;
        let tokens = store::end_tokens(tx, ActorId::Person(self.person)).await?;
        store::drop_ways_in(tx, self.person).await?;
        let summary = Summary::of(format!("ended {sessions} sessions and {tokens} tokens"));
        Ok(Done::new(Ended { ended: sessions + tokens }, summary, ()))
    }
}
