use garrison_kernel::{Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};

use super::{Changed, KeptFile};
use crate::keys::DataKey;
use crate::store;

/// Lets files count in the place of others that hold the same events.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompactLogs {
    /// Those.
    pub old: Vec<String>,
    /// These.
    pub new: Vec<KeptFile>,
    /// Their keys, wrapped, that the state does not have yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<DataKey>,
}

impl Act for CompactLogs {
    const VERB: Verb = Verb::new("log:compact");
    type Output = Changed;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![ObjectRef::tenant()]
    }

    async fn preview(&self, _: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        Ok(Preview::sentence(format!("join {} files of logs", self.old.len())))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        let mut events = 0;
        for file in &self.old {
            events += store::remove_file(tx, permit, file).await?;
        }
        for key in &self.keys {
            store::add_key(tx, permit, key).await?;
        }
        for file in &self.new {
            file.expect_key(tx, permit).await?;
            store::add_file(tx, permit, file).await?;
        }
        // No event may come or go on the way.
        if events != self.new.iter().map(|file| file.events).sum::<u64>() {
            return Err(KernelError::Invalid("the files do not hold the same events".into()));
        }
        store::forget_gone(tx, permit).await?;
        let words = format!("joined {} files into {}", self.old.len(), self.new.len());
        Ok(Done::new(Changed { changed: true }, Summary::of(words), ()))
    }
}
