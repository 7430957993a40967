//! What a pack says of itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The form of a pack. Whoever changes it in a way that older programs misread writes another one.
pub(crate) const FORMAT: &str = "garrison-evidence/1";

/// The form of the report. It follows from the rest, so whoever changes its template raises this, and keeps the older one
/// for the packs that were made with it.
pub(crate) const REPORT: u32 = 1;

/// The first part of a pack. All of it but the digests is the word of whoever made the pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The form of the pack.
    pub format: String,
    /// The form of the report.
    pub report: u32,
    /// What was asked.
    pub asked: Asked,
    /// Who made the pack.
    pub made: Made,
    /// How many records there are.
    pub records: usize,
    /// Whether these are all that fit.
    pub complete: bool,
    /// Where they are not: the number of the record after which the next pack begins.
    pub next: Option<u64>,
    /// The SHA-256 of each other part in hexadecimal digits, by its name.
    pub sha256: BTreeMap<String, String>,
}

/// What was asked of the log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The filter; empty for every record.
    pub query: String,
    /// From when on, in RFC 3339.
    pub from: Option<String>,
    /// Until before when.
    pub to: Option<String>,
    /// Only records after this number.
    pub after: Option<u64>,
}

/// Who made a pack, and when.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Made {
    /// When, in RFC 3339.
    pub at: String,
    /// The name of who asked for it.
    pub by: String,
    /// The id of who asked for it.
    pub id: String,
}
