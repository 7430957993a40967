use garrison_base::{NodeId, SourceId};
use garrison_kernel::{Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use garrison_lake::{FileEntry, FileId};
use serde::{Deserialize, Serialize};

use super::Changed;
use crate::keys::DataKey;
use crate::store;
use crate::tally::{HeardDay, RefusedDay};

/// Lets files of the lake count: their events are in them now. The record names each file with its digest, so that
/// a file which is changed or exchanged later can be told.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeepLogs {
    /// Up to which number of the log.
    pub upto: u64,
    /// The files.
    pub files: Vec<KeptFile>,
    /// The keys of files, wrapped, that the state does not have yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<DataKey>,
    /// What was heard from which source since the last time.
    pub counted: Vec<Counted>,
    /// What the events of these files add to the calendar.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<HeardDay>,
    /// What limits refused since the last time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<RefusedDay>,
}

/// A file of the lake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptFile {
    /// Its name.
    pub file: String,
    /// Of which stream.
    pub stream: String,
    /// The hour, in hours since 1970.
    pub hour: i64,
    /// A day, sorted.
    pub sorted: bool,
    /// Sealed.
    #[serde(default)]
    pub sealed: bool,
    /// Its events.
    pub events: u64,
    /// Its bytes.
    pub bytes: u64,
    /// The first moment in it, in nanoseconds since 1970.
    pub first: i64,
    /// The last.
    pub last: i64,
    /// The nodes of its events.
    pub nodes: Vec<NodeId>,
    /// The SHA-256 of its bytes, in hexadecimal.
    pub digest: String,
}

/// What was heard from a source.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counted {
    /// Which.
    pub source: SourceId,
    /// Events.
    pub events: u64,
    /// Their bytes.
    pub bytes: u64,
    /// When the last one came, in microseconds since 1970.
    pub last_seen: i64,
    /// By how many milliseconds its clock was ahead then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skew: Option<i64>,
}

impl From<&FileEntry> for KeptFile {
    fn from(file: &FileEntry) -> Self {
        Self {
            file: file.id.to_string(),
            stream: file.stream.clone(),
            hour: file.hour,
            sorted: file.sorted,
            sealed: file.sealed,
            events: file.rows,
            bytes: file.bytes,
            first: file.first,
            last: file.last,
            nodes: file.nodes.clone(),
            digest: file.digest.iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    }
}

impl KeptFile {
    /// Refuses the file when the key that seals it is not listed: nobody could read it after the next start.
    pub(super) async fn expect_key<A: Act>(
        &self,
        tx: &mut WriteTx<'_>,
        permit: &Permit<A>,
    ) -> Result<(), KernelError> {
        if !self.sealed {
            return Ok(());
        }
        store::expect_key(tx, permit, (&self.stream, self.hour.div_euclid(24))).await
    }

    /// The file, for the lake. Nothing where the row was changed by hand.
    pub fn entry(&self, tenant: garrison_base::TenantId) -> Option<FileEntry> {
        let mut digest = [0; 32];
        for (place, byte) in digest.iter_mut().enumerate() {
            *byte = u8::from_str_radix(self.digest.get(place * 2..place * 2 + 2)?, 16).ok()?;
        }
        Some(FileEntry {
            id: FileId(self.file.clone()),
            tenant,
            stream: self.stream.clone(),
            hour: self.hour,
            sorted: self.sorted,
            sealed: self.sealed,
            rows: self.events,
            bytes: self.bytes,
            first: self.first,
            last: self.last,
            nodes: self.nodes.clone(),
            digest,
        })
    }
}

impl Act for KeepLogs {
    const VERB: Verb = Verb::new("log:keep");
    type Output = Changed;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![ObjectRef::tenant()]
    }

    async fn preview(&self, _: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        Ok(Preview::sentence(format!("keep {} files of logs", self.files.len())))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        for key in &self.keys {
            store::add_key(tx, permit, key).await?;
        }
        for file in &self.files {
            file.expect_key(tx, permit).await?;
            store::add_file(tx, permit, file).await?;
        }
        for counted in &self.counted {
            store::count(tx, permit, counted).await?;
        }
        for heard in &self.days {
            store::cover(tx, permit, heard).await?;
        }
        for refused in &self.refused {
            store::add_refusal(tx, permit, refused).await?;
        }
        store::move_position(tx, permit, self.upto).await?;
        let events: u64 = self.files.iter().map(|file| file.events).sum();
        let words = format!("kept {events} events in {} files", self.files.len());
        Ok(Done::new(Changed { changed: true }, Summary::of(words), ()))
    }
}
