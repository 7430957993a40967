//! The words of a file's text, one filter for each row group: "this word is certainly not in here".
//!
//! Beside `x.parquet` lies `x.parquet.words`: a head of 8 bytes, then for each row group the length of the filter
//! (u32, little-endian), its descriptor and its fingerprints; at the end a checksum (XXH3, 64 bits) of all before. The
//! filters are binary fuse filters with 8 bits (Graf and Lemire, 2022), about 9 bits a distinct word, wrong in 0.4 %.

use std::collections::HashSet;

use datafusion::arrow::array::AsArray as _;
use datafusion::arrow::array::{Array as _, RecordBatch};
use twox_hash::XxHash3_64;
use xorf::{BinaryFuse8, BinaryFuse8Ref, DmaSerializable as _, Filter as _, FilterRef as _};

use crate::Layout;

const HEAD: &[u8; 8] = b"GARWRD\x00\x01";
const DESCRIPTOR: usize = BinaryFuse8::DESCRIPTOR_LEN;

/// The words of a row group while it is written.
#[derive(Default)]
pub(crate) struct Words(HashSet<u64>);

/// The index of a file, as it lies on the disk.
pub(crate) struct Index(Vec<u8>);

/// The index of a file, read.
pub(crate) struct Known {
    bytes: Vec<u8>,
    groups: Vec<std::ops::Range<usize>>,
}

fn hash(word: &str) -> u64 {
    XxHash3_64::oneshot(word.as_bytes())
}

impl Words {
    pub(crate) fn add(&mut self, batch: &RecordBatch, layout: &Layout) {
        let Some(texts) = batch.column_by_name(layout.text).and_then(|column| column.as_string_opt::<i32>())
        else {
            return;
        };
        for row in (0..texts.len()).filter(|row| texts.is_valid(*row)) {
            (layout.words)(texts.value(row), &mut |word| {
                self.0.insert(hash(word));
            });
        }
    }
}

impl Default for Index {
    fn default() -> Self {
        Self(HEAD.to_vec())
    }
}

impl Index {
    /// The next row group is complete.
    pub(crate) fn group(&mut self, words: &mut Words) {
        let hashes: Vec<u64> = words.0.drain().collect();
        // Building fails only for a set that has a word twice; without a filter nothing is ruled out.
        let Ok(filter) = BinaryFuse8::try_from(&hashes) else {
            self.0.extend(0_u32.to_le_bytes());
            return;
        };
        let prints = filter.dma_fingerprints();
        self.0.extend(u32::try_from(DESCRIPTOR + prints.len()).unwrap_or(0).to_le_bytes());
        let start = self.0.len();
        self.0.resize(start + DESCRIPTOR, 0);
        filter.dma_copy_descriptor_to(self.0.get_mut(start..).unwrap_or_default());
        self.0.extend(prints);
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        let sum = XxHash3_64::oneshot(&self.0);
        self.0.extend(sum.to_le_bytes());
        self.0
    }
}

impl Known {
    /// `None` for bytes that are no index, or were damaged: then nothing is ruled out.
    pub(crate) fn read(bytes: Vec<u8>) -> Option<Self> {
        let (body, sum) = bytes.split_last_chunk::<8>()?;
        if !body.starts_with(HEAD) || XxHash3_64::oneshot(body) != u64::from_le_bytes(*sum) {
            return None;
        }
        let (mut groups, mut at) = (Vec::new(), HEAD.len());
        while at < body.len() {
            let length = u32::from_le_bytes(*body.get(at..)?.first_chunk()?) as usize;
            let group = at + 4..at + 4 + length;
            body.get(group.clone())?;
            at = group.end;
            groups.push(group);
        }
        Some(Self { bytes, groups })
    }

    pub(crate) fn size(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn groups(&self) -> usize {
        self.groups.len()
    }

    /// Whether all these words may stand in the row group.
    pub(crate) fn may_hold(&self, group: usize, words: &[String]) -> bool {
        let Some(bytes) = self.groups.get(group).and_then(|range| self.bytes.get(range.clone())) else {
            return true;
        };
        if bytes.is_empty() {
            return true;
        }
        let Some((descriptor, prints)) = bytes.split_at_checked(DESCRIPTOR) else { return true };
        if prints.is_empty() {
            return words.is_empty();
        }
        let filter = BinaryFuse8Ref::from_dma(descriptor, prints);
        words.iter().all(|word| filter.contains(&hash(word)))
    }
}
