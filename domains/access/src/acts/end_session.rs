use garrison_base::SessionId;
use garrison_kernel::{Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Ended;
use crate::store::{self, Session, put_session};

/// Ends a session: one's own, or, for an administrator, anybody's.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndSession {
    /// Which.
    pub session: SessionId,
}

impl Act for EndSession {
    const VERB: Verb = Verb::new("session:end");
    type Output = Ended;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.session.into()]
    }

    async fn preview(&self, _: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        Ok(Preview::sentence(format!("end the session {}", self.session)))
    }

    async fn perform(&self, _: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        let session = store::session(&mut tx.read(), &self.session).await?.ok_or(KernelError::NotFound)?;
        let ended = u64::from(session.state == "active");
        put_session(tx, &Session { state: "ended".to_owned(), ..session }).await?;
        Ok(Done::new(Ended { ended }, Summary::of(format!("ended the session {}", self.session)), ()))
    }
}
