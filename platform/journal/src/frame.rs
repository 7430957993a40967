//! A frame: 40 bytes of header, the sealed body, 16 bytes of tag. Numbers are little-endian.
//!
//! | bytes | |
//! |---|---|
//! | 0..4 | length of the body; the highest bit marks the last frame of an append |
//! | 4..8 | stream |
//! | 8..16 | sequence number |
//! | 16..24 | the last number that was durable when this was written: proof against whoever cuts out a frame |
//! | 24..40 | tenant |

use garrison_base::TenantId;
use garrison_secrets::FrameKey;

pub(crate) const HEADER: usize = 40;
/// What a frame adds to its body.
pub(crate) const OVERHEAD: usize = HEADER + FrameKey::TAG;
/// What one append may bring, bodies and frames together.
pub(crate) const APPEND: usize = 16 << 20;
const LAST: u32 = 1 << 31;

/// A stream of one tenant, by number: whoever keeps the streams gives them out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stream(pub u32);

impl Stream {
    /// Records of acts. They are kept also when the disk is too full for anything else.
    pub const AUDIT: Self = Self(0);
}

/// What is to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Whose.
    pub tenant: TenantId,
    /// Which stream of theirs.
    pub stream: Stream,
    /// The bytes; at least one.
    pub bytes: Vec<u8>,
}

impl Entry {
    pub(crate) fn framed(&self) -> usize {
        self.bytes.len() + OVERHEAD
    }
}

/// What was kept, under its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its place in the log: 1 is the first, and none is left out.
    pub seq: u64,
    /// What was given.
    pub entry: Entry,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) length: usize,
    pub(crate) last: bool,
    pub(crate) stream: Stream,
    pub(crate) seq: u64,
    pub(crate) durable: u64,
    pub(crate) tenant: TenantId,
}

/// `N` bytes from `at` on, of which there are that many.
pub(crate) fn part<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..).and_then(<[u8]>::first_chunk).copied().unwrap_or([0; N])
}

impl Header {
    /// Puts the sealed frame behind what `out` holds. `number` is its place in the segment.
    pub(crate) fn seal(&self, key: &FrameKey, number: u64, body: &[u8], out: &mut Vec<u8>) {
        let header = self.encode();
        out.extend(header);
        let start = out.len();
        out.extend(body);
        let tag = key.seal(number, &header, out.get_mut(start..).unwrap_or_default());
        out.extend(tag);
    }

    fn encode(&self) -> [u8; HEADER] {
        let length = u32::try_from(self.length).unwrap_or(u32::MAX) | if self.last { LAST } else { 0 };
        let fields = length
            .to_le_bytes()
            .into_iter()
            .chain(self.stream.0.to_le_bytes())
            .chain(self.seq.to_le_bytes())
            .chain(self.durable.to_le_bytes())
            .chain(self.tenant.to_bytes());
        let mut bytes = [0; HEADER];
        for (slot, byte) in bytes.iter_mut().zip(fields) {
            *slot = byte;
        }
        bytes
    }

    /// `None` where no frame begins: the zeros of what was not written yet.
    pub(crate) fn decode(bytes: &[u8; HEADER]) -> Option<Self> {
        let length = u32::from_le_bytes(part(bytes, 0));
        let last = length & LAST != 0;
        let length = (length & !LAST) as usize;
        (length > 0).then(|| Self {
            length,
            last,
            stream: Stream(u32::from_le_bytes(part(bytes, 4))),
            seq: u64::from_le_bytes(part(bytes, 8)),
            durable: u64::from_le_bytes(part(bytes, 16)),
            tenant: TenantId::from_bytes(part(bytes, 24)),
        })
    }

    /// Opens the body with its tag, where they stand.
    pub(crate) fn open(&self, key: &FrameKey, number: u64, sealed: &mut [u8]) -> Option<Kept> {
        let bytes = key.open(number, &self.encode(), sealed).ok()?.to_vec();
        Some(Kept { seq: self.seq, entry: Entry { tenant: self.tenant, stream: self.stream, bytes } })
    }
}
