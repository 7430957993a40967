use std::fmt;

use garrison_base::{NodeId, TenantId};
use jiff::Timestamp;

/// The name of a file: never used twice.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub String);

impl fmt::Display for FileId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// A file of the lake, as the list tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    /// Its name.
    pub id: FileId,
    /// Whose events.
    pub tenant: TenantId,
    /// Of which stream.
    pub stream: String,
    /// The hour of its events, or the first hour of the day where `sorted`; in hours since 1970.
    pub hour: i64,
    /// A day's events, sorted.
    pub sorted: bool,
    /// How many.
    pub rows: u64,
    /// The size of the file in bytes.
    pub bytes: u64,
    /// The first moment in it, in nanoseconds since 1970.
    pub first: i64,
    /// The last moment in it.
    pub last: i64,
    /// The nodes of its events.
    pub nodes: Vec<NodeId>,
    /// The SHA-256 of its bytes.
    pub digest: [u8; 32],
}

impl FileEntry {
    /// Where it lies, below the lake's folder.
    pub fn path(&self) -> String {
        let day = Timestamp::from_second(self.hour.saturating_mul(3600)).unwrap_or_default();
        let (day, hour) = (day.strftime("%Y-%m-%d"), day.strftime("%H"));
        let Self { id, tenant, stream, .. } = self;
        if self.sorted {
            format!("{tenant}/{stream}/{day}/{id}.parquet")
        } else {
            format!("{tenant}/{stream}/{day}/{hour}-{id}.parquet")
        }
    }

    /// Where the index of its words lies.
    pub fn words_path(&self) -> String {
        format!("{}.words", self.path())
    }
}
