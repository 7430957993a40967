use garrison_base::{KeyChangeId, Timestamp};
use garrison_kernel::{Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Changed;
use crate::store;

/// Says that a change of the tenant's keys is done, and which versions were destroyed for it in the key store.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettleKeys {
    /// Which change.
    pub change: KeyChangeId,
    /// Those that were destroyed.
    pub destroyed: Vec<DestroyedVersion>,
}

/// A version of the tenant's key that was destroyed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DestroyedVersion {
    /// Which.
    pub version: u32,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub destroyed: Timestamp,
}

impl Act for SettleKeys {
    const VERB: Verb = Verb::new("key:settle");
    type Output = Changed;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![ObjectRef::tenant()]
    }

    async fn preview(&self, _: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        Ok(Preview::sentence(format!("note that {} is done", self.change)))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        let changed = store::settle(tx, permit, self).await?;
        let versions: Vec<String> =
            self.destroyed.iter().map(|destroyed| destroyed.version.to_string()).collect();
        let words = match versions.as_slice() {
            [] => format!("renewed the tenant's key: {}", self.change),
            versions => {
                format!("destroyed the versions {} of the tenant's key: {}", versions.join(", "), self.change)
            }
        };
        Ok(Done::new(Changed { changed }, Summary::of(words), ()))
    }
}
