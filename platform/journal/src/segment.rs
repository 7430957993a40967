//! A segment: a file of a fixed size; one block that names it, then frames, then zeros.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use garrison_base::Entropy;
use garrison_secrets::{FrameKey, SealKey};

use crate::OpenError;
use crate::frame::{HEADER, Header, Kept, OVERHEAD, part};

/// The block that names a segment; frames begin behind it.
pub(crate) const BLOCK: usize = 4096;
const MAGIC: &[u8; 8] = b"GARLOG\x00\x01";
const SUFFIX: &str = ".log";

/// Where a segment stands in its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) number: u64,
    /// The sequence number of its first frame.
    pub(crate) first: u64,
}

impl Place {
    pub(crate) fn path(self, dir: &Path) -> PathBuf {
        path(dir, self.number)
    }

    fn words(self, log: &str) -> String {
        format!("log/{log}/segment/{}/from/{}", self.number, self.first)
    }

    /// Writes the block that names the segment, with a fresh key, and waits until it is on the disk.
    pub(crate) fn begin(
        self,
        file: &File,
        (log, outer): (&str, &SealKey),
        entropy: &dyn Entropy,
    ) -> io::Result<FrameKey> {
        let (key, wrapped) = FrameKey::fresh(outer, &self.words(log), entropy);
        let mut block = Vec::with_capacity(BLOCK);
        block.extend(MAGIC);
        block.extend(self.number.to_le_bytes());
        block.extend(self.first.to_le_bytes());
        block.extend(wrapped);
        block.resize(BLOCK, 0);
        file.write_all_at(&block, 0)?;
        file.sync_data()?;
        Ok(key)
    }
}

pub(crate) fn path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:020}{SUFFIX}"))
}

/// The numbers of the segments of a folder, in order.
pub(crate) fn numbers(dir: &Path) -> Result<Vec<u64>, OpenError> {
    let mut numbers = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(OpenError::io(dir))? {
        let name = entry.map_err(OpenError::io(dir))?.file_name();
        numbers.extend(name.to_str().and_then(|name| name.strip_suffix(SUFFIX)?.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Flushes the folder, so that names that came or went stay so.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// A segment that is read.
pub(crate) struct Segment {
    pub(crate) place: Place,
    pub(crate) path: PathBuf,
    file: File,
    key: FrameKey,
    length: u64,
}

/// What stands at a place of a segment.
pub(crate) enum Step {
    /// A frame: what it keeps, its header, and where the next one begins.
    Frame(Kept, Header, u64),
    /// Nothing was written here.
    End,
    /// Something that does not verify.
    Broken,
}

/// What the first block of a file says.
pub(crate) enum Named {
    /// A segment.
    Segment(Box<Segment>),
    /// The process ended before the block was on the disk: nothing can follow it.
    Unwritten,
}

impl Segment {
    pub(crate) fn open(dir: &Path, number: u64, (log, outer): (&str, &SealKey)) -> Result<Named, OpenError> {
        let path = path(dir, number);
        let file = File::open(&path).map_err(OpenError::io(&path))?;
        let length = file.metadata().map_err(OpenError::io(&path))?.len();
        let mut block = [0; BLOCK];
        let unwritten = |file: &File| -> io::Result<bool> {
            let mut first = [0; HEADER];
            Ok(length < (BLOCK + HEADER) as u64 || {
                file.read_exact_at(&mut first, BLOCK as u64)?;
                first == [0; HEADER]
            })
        };
        let damaged = || OpenError::damaged(&path, "its first block does not verify");
        if length < BLOCK as u64 {
            return Ok(Named::Unwritten);
        }
        file.read_exact_at(&mut block, 0).map_err(OpenError::io(&path))?;
        let place = Place {
            number: u64::from_le_bytes(part(&block, 8)),
            first: u64::from_le_bytes(part(&block, 16)),
        };
        let (wrapped, rest) =
            block.get(24..).and_then(|behind| behind.split_at_checked(FrameKey::WRAPPED)).unwrap_or_default();
        let key = FrameKey::unwrap(outer, &place.words(log), wrapped);
        let empty = rest.iter().all(|byte| *byte == 0);
        match key {
            Ok(key) if block.starts_with(MAGIC) && place.number == number && empty => {
                Ok(Named::Segment(Box::new(Self { place, path, file, key, length })))
            }
            _ if unwritten(&file).map_err(OpenError::io(&path))? => Ok(Named::Unwritten),
            _ => Err(damaged()),
        }
    }

    /// Reads the frame at `offset`, which must have the number `seq`.
    pub(crate) fn step(&self, offset: u64, seq: u64) -> Result<Step, OpenError> {
        let Some(header) = self.header(offset)? else { return Ok(Step::End) };
        let Some(next) = self.after(offset, &header) else { return Ok(Step::Broken) };
        if header.seq != seq || seq < self.place.first {
            return Ok(Step::Broken);
        }
        let mut sealed = vec![0; header.length + OVERHEAD - HEADER];
        self.file.read_exact_at(&mut sealed, offset + HEADER as u64).map_err(OpenError::io(&self.path))?;
        Ok(match header.open(&self.key, seq - self.place.first, &mut sealed) {
            Some(kept) => Step::Frame(kept, header, next),
            None => Step::Broken,
        })
    }

    fn header(&self, offset: u64) -> Result<Option<Header>, OpenError> {
        if offset + HEADER as u64 > self.length {
            return Ok(None);
        }
        let mut bytes = [0; HEADER];
        self.file.read_exact_at(&mut bytes, offset).map_err(OpenError::io(&self.path))?;
        Ok(Header::decode(&bytes))
    }

    /// Where the next frame begins, if this one fits into the file.
    fn after(&self, offset: u64, header: &Header) -> Option<u64> {
        let next = offset.checked_add((header.length + OVERHEAD) as u64)?;
        (next <= self.length).then_some(next)
    }

    /// Whether a frame behind `offset` verifies that tells that `seq` had been durable: then what is missing at
    /// `offset` was not cut off by the end of a process.
    pub(crate) fn proves_durable(&self, offset: u64, seq: u64) -> Result<bool, OpenError> {
        let mut rest = vec![0; usize::try_from(self.length.saturating_sub(offset)).unwrap_or_default()];
        self.file.read_exact_at(&mut rest, offset).map_err(OpenError::io(&self.path))?;
        // What was not written yet is zeros, most of a young segment.
        let written = rest.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        for at in 0..written {
            let Some(header) = rest.get(at..).and_then(<[u8]>::first_chunk).and_then(Header::decode) else {
                continue;
            };
            // Cheap tests first: nearly every place fails them.
            if header.seq <= seq || header.durable < seq || header.durable >= header.seq {
                continue;
            }
            let body = at + HEADER..at + header.length + OVERHEAD;
            let Some(sealed) = rest.get(body) else { continue };
            if header.open(&self.key, header.seq - self.place.first, &mut sealed.to_vec()).is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
