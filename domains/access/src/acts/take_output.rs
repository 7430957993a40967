use garrison_base::RequestId;
use garrison_kernel::{Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Takes what an approved request of one's own has brought. It is there once.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeOutput {
    /// Which.
    pub approval: RequestId,
}

/// What an approved request has brought.
#[derive(Debug, Serialize, ToSchema)]
pub struct TakenOutput {
    /// What its own operation would have answered.
    #[schema(value_type = Object)]
    pub output: serde_json::Value,
}

impl Act for TakeOutput {
    const VERB: Verb = Verb::new("approval:take-output");
    type Output = TakenOutput;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.approval.into()]
    }

    async fn preview(&self, _: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        Ok(Preview::sentence(format!("take what {} has brought", self.approval)))
    }

    async fn perform(&self, _: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        let output = tx.take_output(self.approval).await?;
        Ok(Done::new(
            TakenOutput { output },
            Summary::of(format!("took what {} has brought", self.approval)),
            (),
        ))
    }
}
