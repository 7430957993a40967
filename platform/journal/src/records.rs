//! The records of acts in a log: the second place where they are kept.

use std::future::Future;
use std::pin::Pin;

use garrison_kernel::{Journal, JournalError, Journaled};

use crate::frame::APPEND;
use crate::{Entry, Kept, Log, LogError, Stream};

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
        let mut reader = self.0.reader(1);
        let pages = std::iter::from_fn(move || match reader.read(READ) {
            Ok(page) => (!page.is_empty()).then_some(Ok(page)),
            Err(error) => Some(Err(JournalError(error.to_string()))),
        });
        Box::new(pages.flat_map(|page| match page {
            Ok(page) => page.into_iter().filter_map(record).collect(),
            Err(error) => vec![Err(error)],
        }))
    }
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
