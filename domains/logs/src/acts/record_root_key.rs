use garrison_kernel::{Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};

use super::Changed;

/// Leaves a record of what somebody did at the machine: there is a new root key. Nothing in the state rests on it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordRootKey {
    /// Whether it is sealed by a passphrase.
    pub sealed: bool,
}

impl RecordRootKey {
    fn words(&self) -> &'static str {
        if self.sealed { "made a new root key, sealed by a passphrase" } else { "made a new root key" }
    }
}

impl Act for RecordRootKey {
    const VERB: Verb = Verb::new("key:rotate-root");
    type Output = Changed;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![ObjectRef::tenant()]
    }

    async fn preview(&self, _: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        Ok(Preview::sentence(self.words()))
    }

    async fn perform(&self, _: &Permit<Self>, _: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        Ok(Done::new(Changed { changed: true }, Summary::of(self.words()), ()))
    }
}
