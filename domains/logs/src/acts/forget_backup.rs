use garrison_base::BackupId;
use garrison_kernel::{Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};

use super::Changed;
use crate::store;

/// Says that a backup is gone from wherever it was: certificates of destruction do not name it any more.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForgetBackup {
    /// Which.
    pub backup: BackupId,
}

impl Act for ForgetBackup {
    const VERB: Verb = Verb::new("backup:forget");
    type Output = Changed;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![ObjectRef::tenant()]
    }

    async fn preview(&self, _: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        Ok(Preview::sentence(format!("note that the backup {} is gone", self.backup)))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        let changed = store::forget_backup(tx, permit, self.backup).await?;
        let words = if changed {
            format!("noted that the backup {} is gone", self.backup)
        } else {
            format!("the backup {} is not known, or is gone already", self.backup)
        };
        Ok(Done::new(Changed { changed }, Summary::of(words), ()))
    }
}
