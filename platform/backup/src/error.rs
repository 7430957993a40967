use std::io;
use std::path::{Path, PathBuf};

use garrison_base::BackupId;

use crate::ObjectName;

/// Why a backup is not made or not read.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// The folder holds something else, or a manifest that was changed without the key.
    #[error("{}: {what}", path.display())]
    Manifest {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// An object is not as it was written.
    #[error("{place}: {what}")]
    Object {
        /// Where it lies in the backup, and what it is called where that is known.
        place: String,
        /// What is wrong with it.
        what: String,
    },
    /// It is sealed to another recovery key.
    #[error("{backup} is sealed to the recovery key {sealed_to}, and this is {given}")]
    Key {
        /// Which backup.
        backup: BackupId,
        /// The public half of the right key.
        sealed_to: String,
        /// The public half of the one that was given.
        given: String,
    },
    /// More than a backup can hold.
    #[error("a backup holds at most {0} objects")]
    Many(usize),
    /// An object that could not be opened again.
    #[error("{0} is longer than an object can be that a backup seals")]
    Long(ObjectName),
    /// The public half of the recovery key is no good.
    #[error("nothing can be sealed to the recovery key {0}: make another")]
    Weak(String),
}

impl BackupError {
    /// The place that is not as it was written; nothing where the backup could not be looked at.
    pub fn place(&self) -> Option<String> {
        match self {
            Self::Object { place, .. } => Some(place.clone()),
            Self::Manifest { path, .. } => path.file_name().map(|name| name.to_string_lossy().into_owned()),
            _ => None,
        }
    }

    pub(crate) fn io(path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        let path = path.as_ref().to_owned();
        |source| Self::Io { path, source }
    }

    pub(crate) fn object(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self::Object { place: place.into(), what: what.into() }
    }
}
