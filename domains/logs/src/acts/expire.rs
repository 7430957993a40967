use std::collections::BTreeSet;

use garrison_base::Day;
use garrison_kernel::{Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use garrison_lake::FileEntry;
use serde::{Deserialize, Serialize};

use super::{Changed, KeptFile};
use crate::retention::{AT_ONCE, Rules};
use crate::store;

/// Takes files off the list whose time is over. The act names each as the list has it, with its digest, so that its
/// record is the trace that stays. Whether they are due is found out here; one that is not keeps all of them.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpireLogs {
    /// The files, 100 at most.
    pub files: Vec<KeptFile>,
}

impl Act for ExpireLogs {
    const VERB: Verb = Verb::new("log:expire");
    type Output = Changed;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![ObjectRef::tenant()]
    }

    async fn preview(&self, _: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        Ok(Preview::sentence(format!("delete {} files of logs whose time is over", self.files.len())))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        if self.files.len() > AT_ONCE {
            return Err(KernelError::Invalid(format!("at most {AT_ONCE} files go at once")));
        }
        let mut read = tx.read();
        let (rules, listed) = (Rules::read(&mut read).await?, store::files(&mut read).await?);
        drop(read);
        let today = Day::of(permit.now());
        let mut days = BTreeSet::new();
        for file in &self.files {
            let entry = find(&listed, file)?;
            let stays = |why| KernelError::Invalid(format!("the file {} stays: {why}", file.file));
            rules.check(entry, today).map_err(stays)?;
            store::remove_file(tx, permit, &file.file).await?;
            days.insert((file.stream.as_str(), entry.day()));
        }
        for (stream, day) in days {
            store::remove_unused_key(tx, permit, (stream, day)).await?;
        }
        store::forget_gone(tx, permit).await?;
        let events: u64 = self.files.iter().map(|file| file.events).sum();
        let words = format!("deleted {} files with {events} events, whose time is over", self.files.len());
        Ok(Done::new(Changed { changed: true }, Summary::of(words), ()))
    }
}

/// The file of the list, if it is what the act says that it is: nothing else may stand in the record.
fn find<'l>(listed: &'l [FileEntry], file: &KeptFile) -> Result<&'l FileEntry, KernelError> {
    let entry = listed.iter().find(|entry| entry.id.0 == file.file);
    let entry =
        entry.ok_or_else(|| KernelError::Invalid(format!("the file {} is not on the list", file.file)))?;
    if KeptFile::from(entry) != *file {
        return Err(KernelError::Invalid(format!("the file {} is not what the list says of it", file.file)));
    }
    Ok(entry)
}
