use garrison_base::KeyChangeId;
use garrison_kernel::{Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use garrison_secrets::Class;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::renewal::NewChange;
use crate::store;

/// Asks for a new version of the tenant's key: it will wrap new keys, and those that there are. No stored data is written
/// again. Older versions stay, so that backups can be read.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateKey {
    /// For which data: `security` or `customer`.
    #[schema(value_type = String, pattern = "^(security|customer)$")]
    pub class: Class,
}

/// A change of the tenant's keys that will be done.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeyChangeAsked {
    /// The id: `key:list` tells when it is done.
    pub change: KeyChangeId,
}

impl Act for RotateKey {
    const VERB: Verb = Verb::new("key:rotate");
    type Output = KeyChangeAsked;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![ObjectRef::tenant()]
    }

    async fn preview(&self, _: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        Ok(Preview::sentence(format!("make a new version of the key for {} data", self.class)))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        let change = store::add_change(tx, permit, &NewChange::rotation(self.class)).await?;
        let words = format!("asked for a new version of the key for {} data: {change}", self.class);
        Ok(Done::new(KeyChangeAsked { change }, Summary::of(words), ()))
    }
}
