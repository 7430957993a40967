//! Evidence packs: records of a log in one file, for somebody who has neither a server nor a secret.
//!
//! A pack is a ZIP file with six parts, in this order:
//!
//! - `manifest.json`: what was asked, who made the pack and when, how many records there are, whether these are all, and
//!   the SHA-256 of each other part;
//! - `log.vkey`: the public key of the log, a line as [C2SP signed-note](https://c2sp.org/signed-note) has it, its name of
//!   visible ASCII characters but `'`;
//! - `checkpoint`: the [signed tree head](https://c2sp.org/tlog-checkpoint) that everything is proven under;
//! - `records.ndjson`: the records, one a line; a line without its line break is a leaf of the tree, to the byte;
//! - `proofs.ndjson`: in line N the proof of record N, `{"index":I,"hashes":[...]}`, as RFC 6962, section 2.1.1, has it;
//! - `report.html`: the same for people.
//!
//! **One form.** Everything that is not a record, a proof or the checkpoint follows from these and the manifest: the
//! report, the digests, each byte of the ZIP file. [`verify()`] makes the pack again from what it read, and the two must be
//! the same to the byte, so that a report cannot tell of other records than those that are proven.
//!
//! **What it proves**: that these records are in the log that the key signs for, each at its place. Not: that the log has
//! no other that fits, nor who made the pack; these are the words of whoever made it, and the report says so.
//!
//! Pure: no files, no clock, no randomness.

mod archive;
mod manifest;
mod pack;
mod record;
mod report;
#[cfg(test)]
mod sample;
mod verify;

pub use manifest::{Asked, Made, Manifest};
pub use pack::{Entry, MOST_BYTES, MOST_RECORD_BYTES, MOST_RECORDS, Pack};
pub use verify::{Verified, verify};

/// Why something is no pack: the first place that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}")]
pub struct Refused {
    /// The part of the pack, and the line in it.
    pub place: String,
    /// What is wrong there.
    pub what: String,
}

impl Refused {
    fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into() }
    }
}
