use garrison_base::{Line, RequestId};
use garrison_kernel::{Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Fills a slot of a waiting request. With the last one the request is authorised again, and performed.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Approve {
    /// Which.
    pub approval: RequestId,
    /// SHA-256 of the act that was looked at, as the request shows it.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub digest: String,
    /// Which slot; the first that one may fill where nothing is said.
    #[serde(default)]
    #[schema(max_length = 60)]
    pub slot: Option<String>,
    /// The approver's written opinion.
    pub opinion: Line,
}

/// A slot that was filled.
#[derive(Debug, Serialize, ToSchema)]
pub struct FilledSlot {
    /// Which.
    pub slot: String,
}

impl Act for Approve {
    const VERB: Verb = Verb::new("approval:approve");
    const NEEDS_LOGIN: bool = true;
    type Output = FilledSlot;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.approval.into()]
    }

    async fn preview(&self, _: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        Ok(Preview::sentence(format!("approve {}", self.approval)))
    }

    async fn perform(&self, _: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        let slot =
            tx.fill_slot(self.approval, &self.digest, self.slot.as_deref(), self.opinion.as_str()).await?;
        let summary = Summary::of(format!("approved {} as {slot}: {}", self.approval, self.opinion));
        Ok(Done::new(FilledSlot { slot }, summary, ()))
    }
}
