//! Second names of what is copied, so that the server may go on and let go of it meanwhile.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, symlink};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use garrison_backup::UNFINISHED;
use garrison_base::BackupId;

use crate::say;

/// The folder of these names, below the data folder: on the same file system.
const FOLDER: &str = "pinned";
const LOG: &str = "log";
const LAKE: &str = "lake";
/// A link to the folder in which the backup is made, by which it is found after a kill.
const MAKING: &str = "making";
const LOCK: &str = "pinned.lock";

/// Held while a backup is made; then the names go.
pub struct Hold {
    folder: PathBuf,
    _lock: File,
}

impl Hold {
    /// Nothing where another backup is being made. What one left that was killed goes.
    pub fn take(data: &Path) -> anyhow::Result<Option<Self>> {
        let Some(lock) = lock(data)? else { return Ok(None) };
        let hold = Self { folder: data.join(FOLDER), _lock: lock };
        hold.clear()?;
        Ok(Some(hold))
    }

    /// Lets go of everything, to begin anew.
    pub fn clear(&self) -> anyhow::Result<()> {
        if let Some(making) = self.unfinished()
            && let Err(error) = remove(&making)
        {
            say!("garrison: a backup that was killed left something, which stays: {error:#}");
        }
        remove(&self.folder)?;
        for folder in [&self.folder, &self.log(), &self.folder.join(LAKE)] {
            let made = DirBuilder::new().mode(0o700).create(folder);
            made.with_context(|| format!("making the folder {}", folder.display()))?;
        }
        Ok(())
    }

    /// Where the segments of the log of events are held.
    pub fn log(&self) -> PathBuf {
        self.folder.join(LOG)
    }

    /// Keeps in mind where the backup is made.
    pub fn note(&self, making: &Path) -> anyhow::Result<()> {
        let link = self.folder.join(MAKING);
        symlink(making, &link).with_context(|| format!("making the link {}", link.display()))
    }

    /// Where a backup was made that was killed: a folder with the name of one that is not finished, and nothing else.
    fn unfinished(&self) -> Option<PathBuf> {
        let making = fs::read_link(self.folder.join(MAKING)).ok()?;
        let named = making.file_name()?.to_str()?.strip_suffix(UNFINISHED)?.parse::<BackupId>();
        named.is_ok().then_some(making)
    }

    /// Holds a file of the lake; nothing where it is gone.
    pub fn file(&self, path: &Path, number: usize) -> anyhow::Result<Option<PathBuf>> {
        let held = self.folder.join(LAKE).join(number.to_string());
        match fs::hard_link(path, &held) {
            Ok(()) => Ok(Some(held)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| {
                format!(
                    "holding {} by a second name: its file system must have hard links, and this must run as the user \
                     of the server",
                    path.display()
                )
            }),
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        // What cannot be removed goes with the next backup.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Lets go of what a backup still holds that was killed, where none is being made: otherwise it takes room on the disk until
/// the next one. Where that one was made stays noted, since a server may have no access there.
pub fn let_go(data: &Path) -> anyhow::Result<()> {
    let held = [LOG, LAKE].map(|name| data.join(FOLDER).join(name));
    if held.iter().all(|folder| !folder.exists()) {
        return Ok(());
    }
    let Some(_lock) = lock(data)? else { return Ok(()) };
    held.iter().try_for_each(|folder| remove(folder))
}

/// Nothing where another process has it.
fn lock(data: &Path) -> anyhow::Result<Option<File>> {
    let path = data.join(LOCK);
    let lock = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
    let lock = lock.with_context(|| format!("opening {}", path.display()))?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(lock)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("locking {}", path.display())),
    }
}

fn remove(folder: &Path) -> anyhow::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", folder.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a kill leaves: second names, and a backup that is not finished.
    fn killed(data: &Path, making: &Path) {
        let hold = Hold::take(data).unwrap().unwrap();
        fs::write(data.join("file"), "events").unwrap();
        hold.file(&data.join("file"), 0).unwrap().unwrap();
        fs::create_dir(making).unwrap();
        hold.note(making).unwrap();
        // The lock goes with the process, and nothing else does.
        let Hold { folder, .. } = &hold;
        let aside = data.join("aside");
        fs::rename(folder, &aside).unwrap();
        drop(hold);
        fs::rename(aside, data.join(FOLDER)).unwrap();
    }

    #[test]
    fn what_a_killed_backup_left_goes() {
        let dir = tempfile::tempdir().unwrap();
        let (data, to) = (dir.path().join("data"), dir.path().join("to"));
        for folder in [&data, &to] {
            fs::create_dir(folder).unwrap();
        }
        let making = to.join("bak_01JDG4Q4ZK8V3T6W0R2Y5X7B9C.making");
        killed(&data, &making);
        assert!(data.join("pinned/lake/0").exists() && making.exists());
        let_go(&data).unwrap();
        assert!(!data.join("pinned/lake").exists() && making.exists());
        let hold = Hold::take(&data).unwrap().unwrap();
        assert!(!making.exists());
        assert!(Hold::take(&data).unwrap().is_none(), "one at a time");
        let_go(&data).unwrap();
        assert!(hold.log().exists(), "what is held stays");
        drop(hold);
        assert!(!data.join("pinned").exists());
        let_go(&data).unwrap();
        // A link to anything else is not followed.
        let other = to.join("precious");
        killed(&data, &other);
        drop(Hold::take(&data).unwrap());
        assert!(other.exists() && !data.join("pinned").exists());
    }
}
