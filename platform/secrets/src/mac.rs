use aws_lc_rs::{digest as sha, hmac};

/// What authenticates something: 32 bytes.
pub type Tag = [u8; 32];

/// Authenticates lists of parts. Moving bytes from one part to the next changes the tag.
pub struct MacKey(hmac::Key);

impl MacKey {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// The tag of these parts, in this order.
    pub fn tag(&self, parts: &[&[u8]]) -> Tag {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        to_array(context.sign().as_ref())
    }

    /// Whether the tag belongs to these parts.
    pub fn fits(&self, parts: &[&[u8]], tag: &[u8]) -> bool {
        crate::same(&self.tag(parts), tag)
    }
}

/// SHA-256.
pub fn digest(bytes: &[u8]) -> [u8; 32] {
    to_array(sha::digest(&sha::SHA256, bytes).as_ref())
}

fn to_array(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    for (to, from) in out.iter_mut().zip(bytes) {
        *to = *from;
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::{RootKey, SystemEntropy};

    #[test]
    fn parts_have_edges() {
        let key = RootKey::ephemeral(&SystemEntropy).mac("test");
        let tag = key.tag(&[b"ab", b"c"]);
        assert!(key.fits(&[b"ab", b"c"], &tag));
        for other in [&[b"a".as_slice(), b"bc"][..], &[b"abc"], &[b"ab", b"c", b""], &[b"c", b"ab"]] {
            assert!(!key.fits(other, &tag));
        }
        assert!(!key.fits(&[b"ab", b"c"], &tag[..31]));
    }
}
