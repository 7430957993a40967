//! Windows event files: a header, then chunks of 64 KiB that stand for themselves.
//!
//! The format is documented by <https://github.com/libyal/libevtx>; records are read by the `evtx` crate.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use evtx::{EvtxChunkData, ParserSettings};

/// The first bytes of every event file.
pub const MAGIC: &[u8] = b"ElfFile\0";

const HEADER: usize = 4096;
const CHUNK: usize = 65_536;

/// A part of a file that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("chunk {chunk}: {reason}")]
pub struct Unreadable {
    /// The chunk, from 1.
    pub chunk: u64,
    /// Why.
    pub reason: String,
}

/// Cuts an event file into records. Holds one chunk and one chunk's worth of input.
#[derive(Debug, Default)]
pub struct Reader {
    buffer: Vec<u8>,
    past_header: bool,
    chunks: u64,
}

impl Reader {
    /// Takes the next bytes; calls `emit` with the number and the JSON text of each record, and with an
    /// error for each part that cannot be read. What can be read is read in any case.
    pub fn push(&mut self, bytes: &[u8], emit: &mut dyn FnMut(Result<(u64, String), Unreadable>)) {
        self.buffer.extend_from_slice(bytes);
        if !self.past_header && self.buffer.len() >= HEADER {
            self.buffer.drain(..HEADER);
            self.past_header = true;
        }
        while self.past_header && self.buffer.len() >= CHUNK {
            let rest = self.buffer.split_off(CHUNK);
            let chunk = std::mem::replace(&mut self.buffer, rest);
            self.chunk(chunk, emit);
        }
    }

    /// The file has ended.
    pub fn finish(self, emit: &mut dyn FnMut(Result<(u64, String), Unreadable>)) {
        let left = self.buffer.len();
        if !self.past_header || left > 0 {
            let reason = format!("the file ends in the middle of it, after {left} bytes");
            emit(Err(Unreadable { chunk: self.chunks + 1, reason }));
        }
    }

    fn chunk(&mut self, chunk: Vec<u8>, emit: &mut dyn FnMut(Result<(u64, String), Unreadable>)) {
        self.chunks += 1;
        // Files are allocated ahead of their records.
        if chunk.iter().all(|byte| *byte == 0) {
            return;
        }
        let number = self.chunks;
        let mut unreadable = |reason: String| emit(Err(Unreadable { chunk: number, reason }));
        // The crate reads hostile bytes: a panic in it must cost no more than the chunk.
        match catch_unwind(AssertUnwindSafe(|| records(chunk))) {
            Err(_) => unreadable("its records make no sense".to_owned()),
            Ok(Err(reason)) => unreadable(reason),
            Ok(Ok(records)) => {
                for record in records {
                    match record {
                        Ok(record) => emit(Ok(record)),
                        Err(reason) => emit(Err(Unreadable { chunk: number, reason })),
                    }
                }
            }
        }
    }
}

type Record = Result<(u64, String), String>;

fn records(chunk: Vec<u8>) -> Result<Vec<Record>, String> {
    let settings = Arc::new(ParserSettings::default().indent(false));
    let mut data = EvtxChunkData::new(chunk, true).map_err(|error| error.to_string())?;
    let mut parsed = data.parse(settings).map_err(|error| error.to_string())?;
    let record = |record: Result<evtx::EvtxRecord<'_>, evtx::err::EvtxError>| {
        let record = record.and_then(evtx::EvtxRecord::into_json).map_err(|error| error.to_string())?;
        Ok((record.event_record_id, record.data))
    };
    Ok(parsed.iter().map(record).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_wrong_files_are_told() {
        let mut errors = Vec::new();
        let mut reader = Reader::default();
        let mut wrong = MAGIC.to_vec();
        wrong.resize(HEADER + CHUNK, b'x');
        wrong.resize(wrong.len() + CHUNK, 0);
        wrong.extend_from_slice(b"rest");
        for piece in wrong.chunks(1000) {
            reader.push(piece, &mut |record| errors.push(record.unwrap_err()));
        }
        reader.finish(&mut |record| errors.push(record.unwrap_err()));
        assert_eq!(errors.iter().map(|error| error.chunk).collect::<Vec<_>>(), [1, 3]);
    }
}
