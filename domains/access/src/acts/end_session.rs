use garrison_base::SessionId;
use garrison_kernel::{Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Ended;
use crate::session::end_with_handed;
use crate::store;

/// Ends a session: one's own, or, for an administrator, anybody's. What was handed over from it to a browser ends too.
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
        store::session(&mut tx.read(), &self.session).await?.ok_or(KernelError::NotFound)?;
        let ended = end_with_handed(tx, self.session).await?;
        let words = match ended {
            0 | 1 => format!("ended the session {}", self.session),
            _ => format!("ended the session {} and what was handed over from it", self.session),
        };
        Ok(Done::new(Ended { ended }, Summary::of(words), ()))
    }
}
