use std::fmt;

use garrison_base::{NodeId, TenantId};
use jiff::Timestamp;

/// How the name of a sealed file ends.
pub(crate) const SEALED: &str = ".sealed";

/// What a part of a file is called wherever it lies.
pub(crate) fn object(tenant: TenantId, id: &str, part: &str) -> String {
    format!("{tenant}/{id}/{part}")
}

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
    /// It is sealed. Files of older versions are not, until their day is joined.
    pub sealed: bool,
    /// How many.
    pub rows: u64,
    /// The size of the file in bytes, as it lies on the disk.
    pub bytes: u64,
    /// The first moment in it, in nanoseconds since 1970.
    pub first: i64,
    /// The last moment in it.
    pub last: i64,
    /// The nodes of its events.
    pub nodes: Vec<NodeId>,
    /// The SHA-256 of its bytes, as they lie on the disk.
    pub digest: [u8; 32],
}

impl FileEntry {
    /// Where it lies, below the lake's folder.
    pub fn path(&self) -> String {
        format!("{}{}", self.stem(), self.ending())
    }

    /// Where the index of its words lies.
    pub fn words_path(&self) -> String {
        format!("{}.words{}", self.stem(), self.ending())
    }

    /// The day of its events, in days since 1970.
    pub fn day(&self) -> i64 {
        self.hour.div_euclid(24)
    }

    /// What its events are sealed to: an object that was moved or exchanged does not open.
    pub(crate) fn object(&self) -> String {
        object(self.tenant, &self.id.0, "events")
    }

    /// What the index of its words is sealed to.
    pub(crate) fn words_object(&self) -> String {
        object(self.tenant, &self.id.0, "words")
    }

    /// How many bytes the engine reads of it.
    pub(crate) fn plain_bytes(&self) -> u64 {
        if self.sealed { garrison_secrets::plain_len(self.bytes).unwrap_or(0) } else { self.bytes }
    }

    fn ending(&self) -> &'static str {
        if self.sealed { SEALED } else { "" }
    }

    fn stem(&self) -> String {
        let day = Timestamp::from_second(self.hour.saturating_mul(3600)).unwrap_or_default();
        let (day, hour) = (day.strftime("%Y-%m-%d"), day.strftime("%H"));
        let Self { id, tenant, stream, .. } = self;
        if self.sorted {
            format!("{tenant}/{stream}/{day}/{id}.parquet")
        } else {
            format!("{tenant}/{stream}/{day}/{hour}-{id}.parquet")
        }
    }
}
