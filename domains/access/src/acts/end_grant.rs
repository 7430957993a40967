use garrison_base::{GrantId, Line};
use garrison_kernel::{Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Ended;

/// Ends a grant at once.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndGrant {
    /// Which.
    pub grant: GrantId,
    /// Why.
    pub reason: Line,
}

impl Act for EndGrant {
    const VERB: Verb = Verb::new("grant:end");
    type Output = Ended;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.grant.into()]
    }

    async fn preview(&self, _: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        Ok(Preview::sentence(format!("end the grant {}: {}", self.grant, self.reason)))
    }

    async fn perform(&self, _: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        let ended = u64::from(tx.end_grant(self.grant, "ended").await?);
        Ok(Done::new(Ended { ended }, Summary::of(format!("ended a grant: {}", self.reason)), ()))
    }
}
