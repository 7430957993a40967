use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// What was done to what is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Something else stands in its place.
    Edited,
    /// It is gone, and what comes after it is there.
    Deleted,
    /// The end is gone.
    Truncated,
    /// It stands in another place.
    Reordered,
    /// All of it is of an earlier time.
    RolledBack,
    /// It cannot be read.
    Unreadable,
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Edited => "edited",
            Self::Deleted => "deleted",
            Self::Truncated => "truncated",
            Self::Reordered => "reordered",
            Self::RolledBack => "rolled back",
            Self::Unreadable => "unreadable",
        })
    }
}

/// A place where what is kept is not what was sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {kind}: {what}")]
pub struct Fault {
    /// What kind.
    pub kind: Kind,
    /// Where: a record, a file.
    pub place: String,
    /// What does not fit, and what to do.
    pub what: String,
}

impl Fault {
    /// Of a place that is told.
    pub fn new(kind: Kind, place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { kind, place: place.into(), what: what.into() }
    }
}

/// Why a tree does not open, or cannot be sealed or proven.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// It is not what was sealed.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// There is no such record.
    #[error("there is no record {0}")]
    Absent(u64),
    /// The file system said no.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// Records cannot be read.
    #[error("{0}")]
    Records(String),
    /// The library that signs.
    #[error("{0}")]
    Sign(String),
}

impl TreeError {
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |source| Self::Io { path, source }
    }
}
