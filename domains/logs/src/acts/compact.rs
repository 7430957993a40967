use garrison_kernel::{Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};

use super::{Changed, KeptFile};
use crate::store;

/// Lets files count in the place of others that hold the same events.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompactLogs {
    /// Those.
    pub old: Vec<String>,
    /// These.
    pub new: Vec<KeptFile>,
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
        for file in &self.new {
            store::add_file(tx, permit, file).await?;
        }
        // No event may come or go on the way.
        if events != self.new.iter().map(|file| file.events).sum::<u64>() {
            return Err(KernelError::Invalid("the files do not hold the same events".into()));
        }
        let words = format!("joined {} files into {}", self.old.len(), self.new.len());
        Ok(Done::new(Changed { changed: true }, Summary::of(words), ()))
    }
}
