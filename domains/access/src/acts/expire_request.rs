use garrison_base::RequestId;
use garrison_kernel::{Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};

/// Ends a request that nobody decided in time. A timer's act: it looks again at what is true.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpireRequest {
    /// Which.
    pub approval: RequestId,
}

impl Act for ExpireRequest {
    const VERB: Verb = Verb::new("approval:expire");
    type Output = bool;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.approval.into()]
    }

    async fn preview(&self, _: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        Ok(Preview::sentence(format!("let {} expire", self.approval)))
    }

    async fn perform(&self, _: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        let expired = tx.expire(self.approval).await?;
        let words = if expired { "nobody decided in time" } else { "it is decided, or not yet due" };
        Ok(Done::new(expired, Summary::of(words), ()))
    }
}
