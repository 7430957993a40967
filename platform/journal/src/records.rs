//! The records of acts in a log: the second place where they are kept.

use std::future::Future;
use std::pin::Pin;

use garrison_kernel::{Journal, JournalError, Journaled};

use crate::frame::APPEND;
use crate::{Archive, Entry, Kept, Log, LogError, Reader, Stream};

/// How much is read in one go.
const READ: usize = 4 << 20;

/// A log that keeps the records of acts.
pub struct Records(Log);

impl Records {
    /// Keeps them in this log.
    pub fn new(log: Log) -> Self {
        Self(log)
    }

    /// Why it takes nothing any more, where a write has failed.
    pub fn failed(&self) -> Option<LogError> {
        self.0.failed()
    }

    /// The number of the last record that is on the disk; 0 where there is none.
    pub fn reached(&self) -> u64 {
        *self.0.durable().borrow()
    }

    /// The bytes of the records from this number on, in order and without a gap.
    pub fn bytes_from(&self, seq: u64) -> impl Iterator<Item = Result<Vec<u8>, String>> + use<> {
        // An entry has the number of its record: both begin with 1, and nothing else stands in this log.
        records(self.0.reader(seq)).zip(seq..).map(|(read, expected)| {
            let record = read.map_err(|error| error.to_string())?;
            if u64::try_from(record.seq) == Ok(expected) {
                return Ok(record.bytes);
            }
            Err(format!("the journal has record {} where {expected} belongs", record.seq))
        })
    }

    /// Keeps all, in appends that are not too large.
    async fn keep_all(&self, records: Vec<Journaled>) -> Result<(), JournalError> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut size = 0;
        for entry in records.into_iter().map(entry) {
            if size + entry.framed() > APPEND / 2 && !entries.is_empty() {
                self.append(std::mem::take(&mut entries)).await?;
                size = 0;
            }
            size += entry.framed();
            entries.push(entry);
        }
        self.append(entries).await
    }

    async fn append(&self, entries: Vec<Entry>) -> Result<(), JournalError> {
        self.0.append(entries).await.map(|_| ()).map_err(|error| JournalError(error.to_string()))
    }
}

impl Journal for Records {
    fn keep(
        &self,
        records: Vec<Journaled>,
    ) -> Pin<Box<dyn Future<Output = Result<(), JournalError>> + Send + '_>> {
        Box::pin(self.keep_all(records))
    }

    fn kept(&self) -> Box<dyn Iterator<Item = Result<Journaled, JournalError>> + Send + '_> {
        Box::new(records(self.0.reader(1)))
    }
}

impl Archive {
    /// The records of acts that it holds, in order.
    pub fn records(&self) -> impl Iterator<Item = Result<Journaled, JournalError>> {
        self.entries().filter_map(|kept| match kept {
            Ok(kept) => record(kept),
            Err(error) => Some(Err(JournalError(error.to_string()))),
        })
    }
}

/// All records that a reader comes to.
fn records(mut reader: Reader) -> impl Iterator<Item = Result<Journaled, JournalError>> + Send {
    let mut broken = false;
    let pages = std::iter::from_fn(move || {
        if broken {
            return None;
        }
        let page = reader.read(READ).map_err(|error| JournalError(error.to_string()));
        broken = page.is_err();
        page.map(|page| (!page.is_empty()).then_some(page)).transpose()
    });
    pages.flat_map(|page| match page {
        Ok(page) => page.into_iter().filter_map(record).collect(),
        Err(error) => vec![Err(error)],
    })
}

/// A record with its number in front.
fn entry(record: Journaled) -> Entry {
    let bytes = record.seq.to_be_bytes().into_iter().chain(record.bytes).collect();
    Entry { tenant: record.tenant, stream: Stream::AUDIT, bytes }
}

fn record(kept: Kept) -> Option<Result<Journaled, JournalError>> {
    let Entry { tenant, stream, mut bytes } = kept.entry;
    if stream != Stream::AUDIT {
        return None;
    }
    let Some(seq) = bytes.first_chunk().copied() else {
        return Some(Err(JournalError(format!("entry {} is no record", kept.seq))));
    };
    bytes.drain(..size_of_val(&seq));
    Some(Ok(Journaled { seq: i64::from_be_bytes(seq), tenant, bytes }))
}
