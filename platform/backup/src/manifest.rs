use garrison_base::{BackupId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::OBJECTS;

/// What stands first in every manifest.
pub(crate) const FORMAT: &str = "garrison-backup-v1";

/// What a backup tells without a key.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub(crate) format: String,
    /// Its id.
    pub backup: BackupId,
    /// What is in it.
    pub told: Told,
    /// The recovery key that it is sealed to: the public half.
    pub recovery: String,
    /// The backup's key, sealed to it; in base64.
    pub(crate) key: String,
    pub(crate) index: Extent,
    pub(crate) objects: Vec<Extent>,
}

/// What is in a backup, in numbers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// When it was begun.
    pub made: Timestamp,
    /// When it should be gone.
    pub expires: Timestamp,
    /// Of how many tenants.
    pub tenants: u64,
    /// How many records its state has.
    pub records: u64,
    /// The last checkpoint of the record before it was begun, as it was signed. Nothing where there was none.
    pub checkpoint: Option<String>,
}

/// The size of a file in bytes, and its SHA-256 in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extent {
    /// Bytes.
    pub bytes: u64,
    /// SHA-256.
    pub sha256: String,
}

/// An object, in the index.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub(crate) name: crate::ObjectName,
    /// Whether the backup's key seals it. Otherwise it was sealed before, and is as it was.
    pub(crate) sealed: bool,
}

impl Manifest {
    /// Reads the two lines of a manifest: what it says, the bytes that the tag is of, and the tag.
    pub fn parse(bytes: &[u8]) -> Result<(Self, &[u8], &[u8]), String> {
        let mut lines = bytes.split(|byte| *byte == b'\n');
        let (Some(text), Some(tag), Some(b""), None) =
            (lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err("it was cut or changed: it has not two lines".to_owned());
        };
        let manifest: Self = serde_json::from_slice(text)
            .map_err(|error| format!("it was changed, or is of a newer Garrison: {error}"))?;
        if manifest.format != FORMAT {
            return Err(format!("it is of the form `{}`, and {FORMAT} is known", manifest.format));
        }
        if manifest.objects.len() > OBJECTS {
            return Err("it lists more objects than a backup can have".to_owned());
        }
        Ok((manifest, text, tag))
    }
}

impl Extent {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.len() as u64, sha256: hex(&garrison_secrets::digest(bytes)) }
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
