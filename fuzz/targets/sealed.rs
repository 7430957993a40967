//! Sealed objects: whatever the bytes are, they open or are refused; what was sealed opens, whole and in parts, and not when
//! a byte was changed.
#![no_main]

use garrison_base::Entropy;
use garrison_secrets::{StreamKey, plain_len, sealed_len};
use libfuzzer_sys::fuzz_target;

/// The same each time, so that an input does the same again.
struct Fixed;

impl Entropy for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

/// Bytes of plaintext at most: four segments and some.
const MOST: u32 = 280_000;

fuzz_target!(|data: &[u8]| {
    let Some((numbers, bytes)) = data.split_first_chunk::<12>() else { return };
    let number = |place: usize| {
        numbers.get(place..).and_then(|rest| rest.first_chunk()).copied().map_or(0, u32::from_le_bytes)
    };
    let (from, to, length) = (u64::from(number(0) % MOST), u64::from(number(4) % MOST), number(8) % MOST);
    let key = StreamKey::fresh(&Fixed);
    anything(&key, bytes, from..to, u64::from(length));

    let plain: Vec<u8> = bytes.iter().copied().chain([0]).cycle().take(length as usize).collect();
    let mut sealed = key.seal(b"object", &plain, &Fixed);
    assert_eq!(sealed.len() as u64, sealed_len(plain.len() as u64));
    assert!(key.open(b"object", &sealed).is_ok_and(|opened| opened == plain));
    let part = part(&key, &sealed, sealed.len() as u64, from..to);
    let end = (to as usize).min(plain.len());
    assert_eq!(part.as_deref(), plain.get((from as usize).min(end)..end));
    let place = from as usize % sealed.len();
    sealed[place] ^= 1;
    assert!(key.open(b"object", &sealed).is_err());
});

/// Bytes that nobody sealed, with a right first byte, and said to be of any length.
fn anything(key: &StreamKey, bytes: &[u8], range: std::ops::Range<u64>, length: u64) {
    let mut sealed = bytes.to_vec();
    if let Some(first) = sealed.first_mut() {
        *first = 40;
    }
    assert!(key.open(b"object", &sealed).is_err());
    assert!(part(key, &sealed, length, range).is_none_or(|part| part.is_empty()));
    assert!(plain_len(length).is_none_or(|plain| sealed_len(plain) == length));
}

/// These bytes of the plaintext, as a store reads them.
fn part(key: &StreamKey, sealed: &[u8], length: u64, range: std::ops::Range<u64>) -> Option<Vec<u8>> {
    let opener = key.opener(b"object", sealed.first_chunk()?, length).ok()?;
    let wanted = opener.segments(range.clone());
    let mut bytes = sealed.get(wanted.start as usize..wanted.end as usize)?.to_vec();
    let found = opener.open(range, &mut bytes).ok()?;
    bytes.get(found).map(<[u8]>::to_vec)
}
