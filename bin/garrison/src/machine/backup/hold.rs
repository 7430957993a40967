//! Second names of what is copied, so that the server may go on and let go of it meanwhile.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// The folder of these names, below the data folder: on the same file system.
const FOLDER: &str = "pinned";
const LOCK: &str = "pinned.lock";

/// Held while a backup is made; then the names go.
pub struct Hold {
    folder: PathBuf,
    _lock: File,
}

impl Hold {
    /// Nothing where another backup is being made. What one left that was killed goes.
    pub fn take(data: &Path) -> anyhow::Result<Option<Self>> {
        let path = data.join(LOCK);
        let lock = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
        let lock = lock.with_context(|| format!("opening {}", path.display()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("locking {}", path.display()));
            }
        }
        let hold = Self { folder: data.join(FOLDER), _lock: lock };
        hold.clear()?;
        Ok(Some(hold))
    }

    /// Lets go of everything, to begin anew.
    pub fn clear(&self) -> anyhow::Result<()> {
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("removing {}", self.folder.display()));
            }
            _ => {}
        }
        for folder in [&self.folder, &self.log(), &self.folder.join("lake")] {
            let made = DirBuilder::new().mode(0o700).create(folder);
            made.with_context(|| format!("making the folder {}", folder.display()))?;
        }
        Ok(())
    }

    /// Where the segments of the log of events are held.
    pub fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// Holds a file of the lake; nothing where it is gone.
    pub fn file(&self, path: &Path, number: usize) -> anyhow::Result<Option<PathBuf>> {
        let held = self.folder.join("lake").join(number.to_string());
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
