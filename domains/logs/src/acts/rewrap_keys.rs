use garrison_base::KeyChangeId;
use garrison_kernel::{Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};

use super::Changed;
use crate::keys::DataKey;
use crate::store;

/// Lists keys as a new version of the tenant's key wraps them. From the first such act of a change on, no key is listed any
/// more that an older version wraps.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RewrapKeys {
    /// For which change.
    pub change: KeyChangeId,
    /// The new version.
    pub version: u32,
    /// The keys; none in the first act of a change.
    pub keys: Vec<Rewrapped>,
}

/// A key that was wrapped anew.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rewrapped {
    /// The version that wrapped it.
    pub from: u32,
    /// The key, as it is wrapped now.
    pub key: DataKey,
}

impl Act for RewrapKeys {
    const VERB: Verb = Verb::new("key:rewrap");
    type Output = Changed;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![ObjectRef::tenant()]
    }

    async fn preview(&self, _: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        Ok(Preview::sentence(format!("wrap {} keys by version {}", self.keys.len(), self.version)))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        store::set_version(tx, permit, self.change, self.version).await?;
        for rewrapped in &self.keys {
            if !store::rewrap(tx, permit, rewrapped).await? {
                let DataKey { stream, day, .. } = &rewrapped.key;
                let words = format!("the key of the stream `{stream}` and day {day} has changed meanwhile");
                return Err(KernelError::Invalid(words));
            }
        }
        let words = format!("wrapped {} keys by version {}: {}", self.keys.len(), self.version, self.change);
        Ok(Done::new(Changed { changed: true }, Summary::of(words), ()))
    }
}
