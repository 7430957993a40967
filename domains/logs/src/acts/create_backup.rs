use garrison_kernel::{Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};

use super::Changed;
use crate::backup::NotedBackup;
use crate::store;

/// Notes a backup that is about to get its name. Noted before: one too many in a certificate of destruction harms nobody,
/// one too few would be a lie.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateBackup {
    /// Which.
    pub backup: NotedBackup,
}

impl CreateBackup {
    fn words(&self) -> String {
        let NotedBackup { backup, records, place, expires, .. } = &self.backup;
        format!("made the backup {backup} of {records} records in {place}, until {expires:.0}")
    }
}

impl Act for CreateBackup {
    const VERB: Verb = Verb::new("backup:create");
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
