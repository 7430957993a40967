//! Hashes of the tree: RFC 6962, section 2.1.

use aws_lc_rs::digest::{Context, Digest, SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A SHA-256 hash: of a leaf, of a node, or of a whole tree, which is its root.
pub type Hash = [u8; 32];

/// Bytes of a [`Hash`].
pub(crate) const BYTES: usize = 32;

// Leaves and nodes are told apart by a first byte, so that nobody can pass off two hashes as an entry.
const LEAF: u8 = 0;
const NODE: u8 = 1;

/// The hash of an entry of the log.
pub fn leaf_hash(entry: &[u8]) -> Hash {
    let mut context = Context::new(&SHA256);
    context.update(&[LEAF]);
    context.update(entry);
    to_hash(&context.finish())
}

/// The hash of two neighbours.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut input = [NODE; 1 + 2 * BYTES];
    input[1..=BYTES].copy_from_slice(left);
    input[1 + BYTES..].copy_from_slice(right);
    sha256(&input)
}

/// The root of a tree without entries.
pub fn empty_root() -> Hash {
    sha256(&[])
}

pub(crate) fn sha256(bytes: &[u8]) -> Hash {
    to_hash(&digest(&SHA256, bytes))
}

pub(crate) fn to_base64(hash: &Hash) -> String {
    STANDARD.encode(hash)
}

/// `None` unless `text` is the one way to write 32 bytes.
pub(crate) fn from_base64(text: &str) -> Option<Hash> {
    let mut hash = [0; BYTES];
    let written = STANDARD.decode_slice(text, &mut hash).ok()?;
    (written == BYTES).then_some(hash)
}

/// All of a SHA-256 is its first 32 bytes, so the default is never taken.
fn to_hash(digest: &Digest) -> Hash {
    let bytes: &[u8] = digest.as_ref();
    bytes.first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::hex;

    #[test]
    fn known_hashes() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(hex(&empty_root()), empty);
        let leaf = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d";
        assert_eq!(hex(&leaf_hash(b"")), leaf);
        let two = "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125";
        assert_eq!(hex(&node_hash(&leaf_hash(b""), &leaf_hash(&[0]))), two);
    }

    #[test]
    fn no_entry_passes_for_a_node() {
        let (left, right) = (leaf_hash(b"a"), leaf_hash(b"b"));
        assert_ne!(leaf_hash(&[left, right].concat()), node_hash(&left, &right));
        assert_ne!(node_hash(&right, &left), node_hash(&left, &right));
    }

    #[test]
    fn base64_has_one_form() {
        let hash = leaf_hash(b"a");
        let text = to_base64(&hash);
        assert_eq!(from_base64(&text), Some(hash));
        let unpadded = text[..43].to_owned();
        // `B` has a bit set that belongs to no byte.
        let spare_bit = format!("{}B=", &text[..42]);
        for text in [unpadded, spare_bit, format!("{text} "), String::new()] {
            assert_eq!(from_base64(&text), None, "{text:?}");
        }
        for bytes in [31, 33] {
            assert_eq!(from_base64(&STANDARD.encode(vec![0_u8; bytes])), None, "{bytes}");
        }
    }
}
