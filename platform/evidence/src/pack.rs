//! What is in a pack, and its parts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use garrison_transparency::{Checkpoint, Hash, Note, Verifier};
use serde::{Deserialize, Serialize};

use crate::manifest::{Asked, FORMAT, Made, Manifest, REPORT};
use crate::record::Record;
use crate::report::{self, Told};
use crate::{Refused, archive};

/// Records of a pack.
pub const MOST_RECORDS: usize = 10_000;
/// Bytes of its records, with a line break behind each. Ten thousand records of the usual size have this much.
pub const MOST_RECORD_BYTES: usize = 8 << 20;
/// Bytes of a pack.
pub const MOST_BYTES: usize = 160 << 20;

/// The parts in their order, and how many bytes each may have: a proof has at most 64 hashes, and what the report makes of
/// a byte of a record are at most five.
pub(crate) static PARTS: [(&str, usize); 6] = [
    ("manifest.json", 1 << 18),
    ("log.vkey", 1 << 10),
    ("checkpoint", 1 << 20),
    ("records.ndjson", MOST_RECORD_BYTES),
    ("proofs.ndjson", 32 << 20),
    ("report.html", 96 << 20),
];

/// What is packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pack {
    /// What was asked.
    pub asked: Asked,
    /// By whom.
    pub made: Made,
    /// The number of the record after which the next pack begins, where these are not all.
    pub next: Option<u64>,
    /// The public key of the log.
    pub key: Verifier,
    /// What all records are proven under.
    pub checkpoint: Note,
    /// The records, in the order of the log.
    pub entries: Vec<Entry>,
}

/// A record with its proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the log, counted from 0.
    pub index: u64,
    /// Its siblings, as `garrison_transparency::inclusion` gives them.
    pub proof: Vec<Hash>,
    /// Its bytes, as they are a leaf of the tree.
    pub record: Vec<u8>,
}

/// A line of the proofs.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Proof {
    pub(crate) index: u64,
    pub(crate) hashes: Vec<String>,
}

impl Pack {
    /// The bytes of the file. Whether the proofs hold is not looked at: [`verify`](crate::verify()) does that.
    pub fn write(&self) -> Result<Vec<u8>, Refused> {
        let parts = self.parts()?;
        let named: Vec<_> =
            PARTS.iter().zip(&parts).map(|((name, _), part)| (*name, part.as_slice())).collect();
        archive::write(&named)
    }

    /// The parts, in their order.
    pub(crate) fn parts(&self) -> Result<[Vec<u8>; 6], Refused> {
        // The report shows the key within a command that people copy.
        if !self.key.name().chars().all(|char| char.is_ascii_graphic() && char != '\'') {
            let what = "the name of the log may have visible ASCII characters only, and no single quote";
            return Err(Refused::new("log.vkey", what));
        }
        let key = format!("{}\n", self.key).into_bytes();
        let checkpoint = self.checkpoint.to_string().into_bytes();
        let mut records = Vec::new();
        for (line, entry) in (1..).zip(&self.entries) {
            if entry.record.contains(&b'\n') {
                return Err(Refused::new(
                    line_of("records.ndjson", line),
                    "the record has a line break in it",
                ));
            }
            records.extend_from_slice(&entry.record);
            records.push(b'\n');
        }
        let mut proofs = Vec::new();
        for entry in &self.entries {
            let hashes = entry.proof.iter().map(|hash| STANDARD.encode(hash)).collect();
            proofs.extend(json("proofs.ndjson", serde_json::to_vec(&Proof { index: entry.index, hashes }))?);
            proofs.push(b'\n');
        }
        let report = self.report()?.into_bytes();
        let named = PARTS.iter().skip(1).map(|(name, _)| (*name).to_owned());
        let digests = [&key, &checkpoint, &records, &proofs, &report].map(|part| sha256(part));
        let manifest = Manifest {
            format: FORMAT.to_owned(),
            report: REPORT,
            asked: self.asked.clone(),
            made: self.made.clone(),
            records: self.entries.len(),
            complete: self.next.is_none(),
            next: self.next,
            sha256: named.zip(digests).collect(),
        };
        let mut manifest = json("manifest.json", serde_json::to_vec_pretty(&manifest))?;
        manifest.push(b'\n');
        Ok([manifest, key, checkpoint, records, proofs, report])
    }

    fn report(&self) -> Result<String, Refused> {
        let checkpoint = Checkpoint::verify(&self.checkpoint, &self.key);
        let checkpoint = checkpoint.map_err(|error| Refused::new("checkpoint", error.to_string()))?;
        let entries = (1..).zip(&self.entries);
        let records: Result<Vec<_>, _> = entries.map(|(line, entry)| read(line, entry)).collect();
        report::render(&Told {
            asked: &self.asked,
            made: &self.made,
            next: self.next,
            key: &self.key,
            checkpoint: &checkpoint,
            records: records?,
        })
    }
}

/// A record, as far as people are told of it. It must say that it stands where it stands: record N is leaf N - 1.
fn read(line: usize, entry: &Entry) -> Result<Record<'_>, Refused> {
    let refused = |what: String| Refused::new(line_of("records.ndjson", line), what);
    let record: Record<'_> = serde_json::from_slice(&entry.record)
        .map_err(|error| refused(format!("it is not a record: {error}")))?;
    if entry.index.checked_add(1) == Some(record.seq) {
        return Ok(record);
    }
    Err(refused(format!(
        "it calls itself record {}, and its place, counted from 0, is {}",
        record.seq, entry.index
    )))
}

/// Where in a pack something is; lines count from 1.
pub(crate) fn line_of(part: &str, line: usize) -> String {
    format!("{part}, line {line}")
}

/// SHA-256 in hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn json(part: &str, written: serde_json::Result<Vec<u8>>) -> Result<Vec<u8>, Refused> {
    written.map_err(|error| Refused::new(part, error.to_string()))
}
