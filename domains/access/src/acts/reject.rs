use garrison_base::{Line, RequestId};
use garrison_kernel::{Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Ended;

/// Says no to a waiting request.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reject {
    /// Which.
    pub approval: RequestId,
    /// Why.
    pub reason: Line,
}

impl Act for Reject {
    const VERB: Verb = Verb::new("approval:reject");
    const NEEDS_LOGIN: bool = true;
    type Output = Ended;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.approval.into()]
    }

    async fn preview(&self, _: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        Ok(Preview::sentence(format!("reject {}", self.approval)))
    }

    async fn perform(&self, _: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        tx.reject(self.approval, self.reason.as_str()).await?;
        Ok(Done::new(
            Ended { ended: 1 },
            Summary::of(format!("rejected {}: {}", self.approval, self.reason)),
            (),
        ))
    }
}
