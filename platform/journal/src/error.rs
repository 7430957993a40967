use std::io;
use std::path::PathBuf;

/// Why entries were not kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// Nothing is lost by sending less at a time.
    #[error("{bytes} bytes in one append are too many: {limit} at most, and no entry is empty")]
    Size {
        /// What was to be kept.
        bytes: usize,
        /// What one append may bring.
        limit: usize,
    },
    /// It goes on by itself when there is room.
    #[error("the disk has no room for the next segment of the log: free some, or move the data folder")]
    Full,
    /// After a failed `fdatasync` nobody knows what is on the disk, so nothing more is promised.
    #[error("the log could not be written, and takes nothing until the server starts again: {0}")]
    Failed(String),
    /// The process ends.
    #[error("the log is closed")]
    Closed,
}

/// Why a log does not open, or cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file system said no.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// A part that was on the disk is not as it was written.
    #[error(
        "{} was damaged or changed: {what}; put the file back from a copy, or move the folder away to go on without",
        path.display()
    )]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What does not fit.
        what: String,
    },
    /// Another process has it open.
    #[error("{} is open in another process", .0.display())]
    Taken(PathBuf),
}

impl OpenError {
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |source| Self::Io { path, source }
    }

    pub(crate) fn damaged(path: impl Into<PathBuf>, what: impl Into<String>) -> Self {
        Self::Damaged { path: path.into(), what: what.into() }
    }
}
