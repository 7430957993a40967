use garrison_kernel::{Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};

use super::Invited;
use crate::store::any_credential;

/// Makes the one-time link by which somebody becomes the first administrator of a tenant. There is none once
/// anybody can log in.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InviteFirst {}

impl Act for InviteFirst {
    const VERB: Verb = Verb::new("account:invite-first");
    type Output = Invited;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![ObjectRef::tenant()]
    }

    async fn preview(&self, _: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        Ok(Preview::sentence("make the link for the first administrator"))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        if any_credential(&mut tx.read()).await? {
            return Err(KernelError::Invalid("somebody can log in already".into()));
        }
        let invited = Invited::make(permit, tx, None).await?;
        Ok(Done::new(invited, Summary::of("made the link for the first administrator"), ()))
    }
}
