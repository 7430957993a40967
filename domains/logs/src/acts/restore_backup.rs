use garrison_base::Timestamp;
use garrison_kernel::{Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};

use super::Changed;
use crate::backup::NotedBackup;
use crate::store;

/// The first act of a state that was restored: from which backup, and what is known to have been lost by it. The backup
/// does not know of itself, so it is noted too.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RestoreBackup {
    /// From which.
    pub backup: NotedBackup,
    /// What witnesses knew that the backup does not have.
    pub lost: Vec<Lost>,
}

/// Records that were in the log and are not in the restored state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lost {
    /// The first.
    pub from: u64,
    /// The last that the witness knew.
    pub to: u64,
    /// Since when there is nothing.
    pub since: Timestamp,
    /// The witness, where it lies now.
    pub witness: String,
    /// The checkpoint that it held, as it was signed: the trace of what was lost.
    pub checkpoint: String,
}

impl RestoreBackup {
    fn words(&self) -> String {
        let NotedBackup { backup, records, made, .. } = &self.backup;
        let restored = format!("restored from the backup {backup} of {made:.0}, with {records} records");
        match self.lost.iter().max_by_key(|lost| lost.to) {
            None => restored,
            Some(Lost { from, to, since, .. }) => {
                format!("{restored}; lost on purpose: the records {from} to {to}, since {since:.0}")
            }
        }
    }
}

impl Act for RestoreBackup {
    const VERB: Verb = Verb::new("backup:restore");
    type Output = Changed;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![ObjectRef::tenant()]
    }

    async fn preview(&self, _: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        Ok(Preview::sentence(self.words()))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        store::add_backup(tx, permit, &self.backup).await?;
        Ok(Done::new(Changed { changed: true }, Summary::of(self.words()), ()))
    }
}
