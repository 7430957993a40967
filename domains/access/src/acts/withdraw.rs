use garrison_base::{Line, RequestId};
use garrison_kernel::{Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Ended;

/// Takes one's own waiting request back.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Withdraw {
    /// Which.
    pub approval: RequestId,
    /// Why.
    pub reason: Line,
}

impl Act for Withdraw {
    const VERB: Verb = Verb::new("approval:withdraw");
    type Output = Ended;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.approval.into()]
    }

    async fn preview(&self, _: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        Ok(Preview::sentence(format!("withdraw {}", self.approval)))
    }

    async fn perform(&self, _: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        tx.withdraw(self.approval, self.reason.as_str()).await?;
        Ok(Done::new(
            Ended { ended: 1 },
            Summary::of(format!("took back {}: {}", self.approval, self.reason)),
            (),
        ))
    }
}
