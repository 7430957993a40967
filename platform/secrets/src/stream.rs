//! Objects that are finished, sealed in segments that open one by one.
//!
//! The form is that of Tink's streaming AEAD with the key type `AesGcmHkdfStreamingKey` (SHA-256, derived keys of 32
//! bytes, segments of 65,536 bytes, no output prefix), so that somebody who has the key opens an object with a tool
//! that is not ours: <https://developers.google.com/tink/streaming-aead/aes_gcm_hkdf_streaming>.
//!
//! An object begins with the header: its length (40), a salt of 32 bytes, and 7 bytes that all nonces begin with. Its
//! own key is HKDF-SHA-256 of the stream key with that salt, and the associated data as `info`. Then come the segments;
//! the header counts as a part of the first. The nonce of a segment is the 7 bytes, its number (u32, big-endian), and 1
//! for the last segment, 0 for others; that is what refuses objects that were cut or exchanged. Only an empty object has
//! an empty segment.

use std::iter;
use std::ops::Range;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf;
use garrison_base::Entropy;
use zeroize::Zeroizing;

use crate::{NotSealed, SealKey};

const SALT: usize = 32;
const PREFIX: usize = 7;
const HEADER: usize = 1 + SALT + PREFIX;
/// The first byte of an object: how long its header is.
const FIRST_BYTE: u8 = 40;
const TAG: usize = 16;
/// Bytes of a sealed segment. A reader opens whole segments, so small ones suit small reads.
const SEGMENT: usize = 65_536;
/// Bytes of the plaintext in a full segment. In the first, the header takes some of them.
const ROOM: usize = SEGMENT - TAG;

/// A key that objects are sealed under. Each object gets a key of its own from it. Never printed; wiped when dropped.
pub struct StreamKey(Zeroizing<[u8; 32]>);

impl StreamKey {
    /// Bytes of an object's header, which [`StreamKey::opener`] asks for.
    pub const HEADER: usize = HEADER;
    /// The length of a wrapped key.
    pub const WRAPPED: usize = NONCE_LEN + 32 + TAG;

    /// A key that nobody had before.
    pub fn fresh(entropy: &dyn Entropy) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        entropy.fill(&mut *bytes);
        Self(bytes)
    }

    /// The key that these bytes are.
    pub fn from_bytes(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }

    /// The key, sealed under `outer` for a place.
    pub fn wrap(&self, outer: &SealKey, place: &str, entropy: &dyn Entropy) -> Vec<u8> {
        outer.seal(place, &*self.0, entropy)
    }

    /// The key that was wrapped for this place.
    pub fn unwrap(outer: &SealKey, place: &str, wrapped: &[u8]) -> Result<Self, NotSealed> {
        let bytes = outer.open(place, wrapped)?;
        <[u8; 32]>::try_from(bytes.as_slice()).map(Zeroizing::new).map(Self).map_err(|_| NotSealed)
    }

    /// Seals an object. It opens only with the same associated data.
    ///
    /// # Panics
    /// For more than 256 TiB, which are more segments than can be numbered.
    pub fn seal(&self, associated: &[u8], plain: &[u8], entropy: &dyn Entropy) -> Vec<u8> {
        let mut header = [0; HEADER];
        entropy.fill(&mut header);
        header[0] = FIRST_BYTE;
        let cipher = Cipher::new(&self.0, associated, &header);
        let capacity = usize::try_from(sealed_len(plain.len() as u64)).unwrap_or(plain.len());
        let mut sealed = Vec::with_capacity(capacity);
        sealed.extend(header);
        let (first, rest) = plain.split_at_checked(ROOM - HEADER).unwrap_or((plain, &[]));
        let mut parts = iter::once(first).chain(rest.chunks(ROOM)).zip(0..).peekable();
        while let Some((part, number)) = parts.next() {
            let start = sealed.len();
            sealed.extend_from_slice(part);
            let body = sealed.get_mut(start..).unwrap_or_default();
            let tag = cipher.seal(number, parts.peek().is_none(), body);
            sealed.extend(tag);
        }
        sealed
    }

    /// Opens a whole object.
    pub fn open(&self, associated: &[u8], sealed: &[u8]) -> Result<Vec<u8>, NotSealed> {
        let (header, body) = sealed.split_first_chunk().ok_or(NotSealed)?;
        let opener = self.opener(associated, header, sealed.len() as u64)?;
        let mut plain = body.to_vec();
        let found = opener.open(0..opener.plain_len(), &mut plain)?;
        plain.truncate(found.end);
        Ok(plain)
    }

    /// What opens parts of an object with this header and of this length. That they are right shows when segments are
    /// opened: the header with any of them, the length with the last.
    pub fn opener(&self, associated: &[u8], header: &[u8; HEADER], length: u64) -> Result<Opener, NotSealed> {
        let plain = plain_len(length).ok_or(NotSealed)?;
        if header[0] != FIRST_BYTE {
            return Err(NotSealed);
        }
        Ok(Opener { cipher: Cipher::new(&self.0, associated, header), plain, sealed: length })
    }
}

/// The length of an object with so many bytes of plaintext.
pub fn sealed_len(plain: u64) -> u64 {
    let behind = plain.saturating_add(HEADER as u64);
    behind.saturating_add(behind.div_ceil(ROOM as u64).saturating_mul(TAG as u64))
}

/// How many bytes of plaintext an object of this length has. `None` for lengths that no object has.
pub fn plain_len(sealed: u64) -> Option<u64> {
    let segments = sealed.div_ceil(SEGMENT as u64);
    let tags = segments.checked_mul(TAG as u64)?;
    let plain = sealed.checked_sub(HEADER as u64)?.checked_sub(tags)?;
    // An end of a tag alone, or less, would be of an empty segment behind others.
    (u32::try_from(segments).is_ok() && sealed_len(plain) == sealed).then_some(plain)
}

/// Opens parts of one object. Its lengths are below 2^48, so sums and products of places in it do not overflow.
pub struct Opener {
    cipher: Cipher,
    plain: u64,
    sealed: u64,
}

impl Opener {
    /// Bytes of the plaintext.
    pub fn plain_len(&self) -> u64 {
        self.plain
    }

    /// Bytes of the object.
    pub fn sealed_len(&self) -> u64 {
        self.sealed
    }

    /// Which bytes of the object these bytes of the plaintext need: whole segments, or none for none. What lies behind
    /// the end of the plaintext is left out. Of an empty object it is always the one segment, so that it is checked too.
    pub fn segments(&self, plain: Range<u64>) -> Range<u64> {
        let plain = self.within(plain);
        if plain.is_empty() && self.plain > 0 {
            return 0..0;
        }
        let (first, last) = (segment_of(plain.start), segment_of(plain.end.saturating_sub(1)));
        let start = if first == 0 { HEADER as u64 } else { first * SEGMENT as u64 };
        start..((last + 1) * SEGMENT as u64).min(self.sealed)
    }

    /// Opens these bytes of the plaintext, where `sealed` are the object's bytes that [`Opener::segments`] tells of them.
    /// They are opened where they stand; what is returned is where the plaintext stands then. When it is refused, what is
    /// in `sealed` is of no use.
    pub fn open(&self, plain: Range<u64>, sealed: &mut [u8]) -> Result<Range<usize>, NotSealed> {
        let plain = self.within(plain);
        let wanted = self.segments(plain.clone());
        if sealed.len() as u64 != wanted.end - wanted.start {
            return Err(NotSealed);
        }
        if sealed.is_empty() {
            return Ok(0..0);
        }
        let first = segment_of(plain.start);
        let last = segment_of(self.plain.saturating_sub(1));
        let (mut number, mut from, mut to) = (first, 0, 0);
        while from < sealed.len() {
            let full = if number == 0 { SEGMENT - HEADER } else { SEGMENT };
            let end = (from + full).min(sealed.len());
            let segment = sealed.get_mut(from..end).ok_or(NotSealed)?;
            let opened = self.cipher.open(number, number == last, segment)?;
            // Tags stood between the segments. The first one is where it belongs.
            if from > to {
                sealed.copy_within(from..from + opened, to);
            }
            (number, from, to) = (number + 1, end, to + opened);
        }
        let before = (first * ROOM as u64).saturating_sub(HEADER as u64);
        let place = |byte: u64| usize::try_from(byte - before).map_err(|_| NotSealed);
        Ok(place(plain.start)?..place(plain.end)?)
    }

    fn within(&self, plain: Range<u64>) -> Range<u64> {
        let end = plain.end.min(self.plain);
        plain.start.min(end)..end
    }
}

/// Which segment has this byte of the plaintext.
fn segment_of(plain: u64) -> u64 {
    (plain + HEADER as u64) / ROOM as u64
}

/// The key of one object, and what its nonces begin with.
struct Cipher {
    key: LessSafeKey,
    prefix: [u8; PREFIX],
}

impl Cipher {
    #[expect(clippy::expect_used, reason = "32 bytes are one block of HKDF-SHA-256, and a key")]
    fn new(key: &[u8; 32], associated: &[u8], header: &[u8; HEADER]) -> Self {
        let mut prefix = [0; PREFIX];
        prefix.copy_from_slice(&header[HEADER - PREFIX..]);
        let mut bytes = Zeroizing::new([0; 32]);
        let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, &header[1..=SALT]).extract(key);
        extracted
            .expand(&[associated], hkdf::HKDF_SHA256)
            .and_then(|derived| derived.fill(&mut *bytes))
            .expect("one block");
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &*bytes).expect("32 bytes"));
        Self { key, prefix }
    }

    #[expect(clippy::expect_used, reason = "a segment is far below 64 GiB, and no memory holds 2^32 of them")]
    fn seal(&self, number: usize, last: bool, body: &mut [u8]) -> [u8; TAG] {
        let nonce = self.nonce(u32::try_from(number).expect("at most 2^32 segments"), last);
        let tag = self.key.seal_in_place_separate_tag(nonce, Aad::empty(), body).expect("below 64 GiB");
        tag.as_ref().try_into().expect("16 bytes")
    }

    /// Opens a segment where it stands; returns how many bytes of plaintext it has, before its tag.
    fn open(&self, number: u64, last: bool, segment: &mut [u8]) -> Result<usize, NotSealed> {
        let nonce = self.nonce(u32::try_from(number).map_err(|_| NotSealed)?, last);
        self.key.open_in_place(nonce, Aad::empty(), segment).map(|plain| plain.len()).map_err(|_| NotSealed)
    }

    fn nonce(&self, number: u32, last: bool) -> Nonce {
        let mut nonce = [0; NONCE_LEN];
        nonce[..PREFIX].copy_from_slice(&self.prefix);
        nonce[PREFIX..PREFIX + 4].copy_from_slice(&number.to_be_bytes());
        nonce[NONCE_LEN - 1] = u8::from(last);
        Nonce::assume_unique_for_key(nonce)
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::{RootKey, SystemEntropy};

    /// Bytes of the plaintext in a full first segment.
    const FIRST: usize = ROOM - HEADER;

    /// By tink 1.16.1 of PyPI, with the key 0, 1, 2, ... 31.
    const TINK: &str =
        "KO0mmFt8IeMTDJHOGcwtkVftn0NTjdH8S4A/qPSzlyQqKczSPhV89vI862e3L/n/4i1KVn0zzedM3xEzr8L4tGFk++5R";

    /// Around every edge of an object with up to four segments.
    fn lengths() -> impl Iterator<Item = usize> + Clone {
        let edges = [0, FIRST, FIRST + ROOM, FIRST + 2 * ROOM].into_iter();
        edges.flat_map(|edge: usize| [edge.saturating_sub(1), edge, edge + 1])
    }

    fn plain(length: usize) -> Vec<u8> {
        let mut plain = vec![0; length];
        SystemEntropy.fill(&mut plain);
        plain
    }

    fn sealed(key: &StreamKey, plain: &[u8]) -> Vec<u8> {
        key.seal(b"object", plain, &SystemEntropy)
    }

    #[track_caller]
    fn refused(key: &StreamKey, sealed: &[u8]) {
        assert_eq!(key.open(b"object", sealed).map(|plain| plain.len()), Err(NotSealed));
    }

    #[test]
    fn what_tink_sealed_opens() {
        let sealed = STANDARD.decode(TINK).unwrap();
        let bytes = std::array::from_fn(|place| u8::try_from(place).unwrap());
        let key = StreamKey::from_bytes(Zeroizing::new(bytes));
        assert_eq!(key.open(b"fil_1/events", &sealed).unwrap(), b"by an auditor");
        assert_eq!(key.open(b"fil_2/events", &sealed), Err(NotSealed));
    }

    #[test]
    fn lengths_are_told_both_ways() {
        let mut before = None;
        for plain in 0..200_000 {
            let sealed = sealed_len(plain);
            assert_eq!(plain_len(sealed), Some(plain));
            // All between two neighbours are lengths that no object has.
            for none in before.map_or(0, |before| before + 1)..sealed {
                assert_eq!(plain_len(none), None);
            }
            before = Some(sealed);
        }
        let most = u64::from(u32::MAX) * SEGMENT as u64;
        assert_eq!(plain_len(most).map(sealed_len), Some(most));
        for none in [most + TAG as u64 + 1, u64::MAX - 1, u64::MAX] {
            assert_eq!(plain_len(none), None);
        }
        assert_eq!(plain_len(sealed_len(u64::MAX)), None);
    }

    #[test]
    fn objects_of_every_length_open_whole_and_in_parts() {
        let key = StreamKey::fresh(&SystemEntropy);
        for length in lengths() {
            let plain = plain(length);
            let sealed = sealed(&key, &plain);
            assert_eq!(sealed.len() as u64, sealed_len(length as u64));
            assert!(key.open(b"object", &sealed).unwrap() == plain, "{length}");
            let opener = key.opener(b"object", sealed.first_chunk().unwrap(), sealed.len() as u64).unwrap();
            let places = lengths().chain([FIRST / 2, length / 2, usize::MAX]);
            let ranges = places.clone().flat_map(|from| places.clone().map(move |to| from..to));
            for range in ranges {
                let asked = range.start as u64..range.end as u64;
                let wanted = opener.segments(asked.clone());
                let at = usize::try_from(wanted.start).unwrap()..usize::try_from(wanted.end).unwrap();
                let mut bytes = sealed[at].to_vec();
                let found = opener.open(asked.clone(), &mut bytes).unwrap();
                let end = range.end.min(length);
                assert!(bytes[found] == plain[range.start.min(end)..end], "{range:?} of {length}");
                bytes.push(0);
                assert_eq!(opener.open(asked, &mut bytes), Err(NotSealed));
            }
        }
    }

    #[test]
    fn a_range_needs_only_its_segments() {
        let key = StreamKey::fresh(&SystemEntropy);
        let length = sealed_len((FIRST + 2 * ROOM + 1) as u64);
        let header = std::array::from_fn(|place| if place == 0 { FIRST_BYTE } else { 0 });
        let opener = key.opener(b"object", &header, length).unwrap();
        let (first, room, segment) = (FIRST as u64, ROOM as u64, SEGMENT as u64);
        for (plain, wanted) in [
            (0..1, 40..segment),
            (first - 1..first + 2, 40..2 * segment),
            (first..first + room, segment..2 * segment),
            (first + room..u64::MAX, 2 * segment..length),
            (first + 2 * room..u64::MAX, 3 * segment..length),
            (7..7, 0..0),
            (u64::MAX..u64::MAX, 0..0),
        ] {
            assert_eq!(opener.segments(plain.clone()), wanted, "{plain:?}");
        }
    }

    #[test]
    fn a_small_object_opens_only_as_it_is() {
        let key = StreamKey::fresh(&SystemEntropy);
        for length in [0, 1, 20] {
            let sealed = sealed(&key, &plain(length));
            for place in 0..sealed.len() {
                refused(&key, &sealed[..place]);
                for bit in 0..8 {
                    let mut changed = sealed.clone();
                    changed[place] ^= 1 << bit;
                    refused(&key, &changed);
                }
            }
            refused(&key, &[&sealed[..], &[0]].concat());
            assert_eq!(key.open(b"Object", &sealed), Err(NotSealed));
            refused(&StreamKey::fresh(&SystemEntropy), &sealed);
        }
    }

    #[test]
    fn segments_stay_where_they_are() {
        let key = StreamKey::fresh(&SystemEntropy);
        let whole = sealed(&key, &plain(FIRST + 2 * ROOM));
        let other = sealed(&key, &plain(FIRST + 2 * ROOM));
        let [one, two, three] = [0, 1, 2].map(|part| &whole[part * SEGMENT..(part + 1) * SEGMENT]);
        assert!(key.open(b"object", &[one, two, three].concat()).is_ok());
        for order in [&[one, three, two][..], &[one, two, two], &[one, two], &[one, three], &[one]] {
            refused(&key, &order.concat());
        }
        refused(&key, &[one, two, &other[2 * SEGMENT..]].concat());
        refused(&key, &[&other[..HEADER], &whole[HEADER..]].concat());
        // What C++ Tink passes over: more behind a last segment that is full.
        for more in [1, TAG, TAG + 1, SEGMENT] {
            refused(&key, &[&whole[..], &whole[..more]].concat());
        }
    }

    #[test]
    fn a_wrapped_key_is_the_same_in_its_place() {
        let outer = RootKey::ephemeral(&SystemEntropy).seal("test");
        let key = StreamKey::fresh(&SystemEntropy);
        let wrapped = key.wrap(&outer, "day 1", &SystemEntropy);
        assert_eq!(wrapped.len(), StreamKey::WRAPPED);
        let sealed = sealed(&key, b"plain");
        let again = StreamKey::unwrap(&outer, "day 1", &wrapped).unwrap();
        assert_eq!(again.open(b"object", &sealed).unwrap(), b"plain");
        assert!(StreamKey::unwrap(&outer, "day 2", &wrapped).is_err());
        assert!(StreamKey::unwrap(&outer, "day 1", &outer.seal("day 1", b"short", &SystemEntropy)).is_err());
    }
}
