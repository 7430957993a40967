use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use garrison_base::Entropy;
use zeroize::Zeroizing;

use crate::{NotSealed, SealKey};

/// The key of one file that grows by frames. The nonce is the frame's number, so a key belongs to one file and no
/// number is sealed twice; whoever cannot tell what was sealed before begins a new file.
pub struct FrameKey(LessSafeKey);

impl FrameKey {
    /// What sealing adds to the length of a frame.
    pub const TAG: usize = 16;
    /// The length of a wrapped key.
    pub const WRAPPED: usize = NONCE_LEN + 32 + Self::TAG;

    /// A fresh key, and the same wrapped under `outer` for its place.
    pub fn fresh(outer: &SealKey, place: &str, entropy: &dyn Entropy) -> (Self, Vec<u8>) {
        let mut bytes = Zeroizing::new([0; 32]);
        entropy.fill(&mut *bytes);
        (Self::new(&bytes), outer.seal(place, &*bytes, entropy))
    }

    /// A fresh key that is kept nowhere: what it seals can be read by this process alone.
    pub fn unkept(entropy: &dyn Entropy) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        entropy.fill(&mut *bytes);
        Self::new(&bytes)
    }

    /// The key that was wrapped for this place.
    pub fn unwrap(outer: &SealKey, place: &str, wrapped: &[u8]) -> Result<Self, NotSealed> {
        let bytes = outer.open(place, wrapped)?;
        let bytes = <[u8; 32]>::try_from(bytes.as_slice()).map(Zeroizing::new).map_err(|_| NotSealed)?;
        Ok(Self::new(&bytes))
    }

    #[expect(clippy::expect_used, reason = "the only refusal is a key that is not 32 bytes")]
    fn new(key: &Zeroizing<[u8; 32]>) -> Self {
        Self(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &**key).expect("32 bytes")))
    }

    /// Seals frame `number` where it stands; returns the tag that belongs behind it.
    ///
    /// # Panics
    /// For more than 64 GiB, which no frame comes near.
    pub fn seal(&self, number: u64, header: &[u8], body: &mut [u8]) -> [u8; Self::TAG] {
        #[expect(clippy::expect_used, reason = "a frame is far below 64 GiB, and the tag has 16 bytes")]
        {
            let sealed = self.0.seal_in_place_separate_tag(nonce(number), Aad::from(header), body);
            sealed.expect("below 64 GiB").as_ref().try_into().expect("16 bytes")
        }
    }

    /// Opens frame `number` where it stands: `sealed` is the body with its tag, what is returned the body.
    pub fn open<'b>(&self, number: u64, header: &[u8], sealed: &'b mut [u8]) -> Result<&'b [u8], NotSealed> {
        self.0
            .open_in_place(nonce(number), Aad::from(header), sealed)
            .map(|body| &*body)
            .map_err(|_| NotSealed)
    }
}

fn nonce(number: u64) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    nonce[NONCE_LEN - 8..].copy_from_slice(&number.to_be_bytes());
    Nonce::assume_unique_for_key(nonce)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RootKey, SystemEntropy};

    #[test]
    fn a_frame_opens_only_with_its_key_number_and_header() {
        let outer = RootKey::ephemeral(&SystemEntropy).seal("test");
        let (key, wrapped) = FrameKey::fresh(&outer, "log 1", &SystemEntropy);
        assert_eq!(wrapped.len(), FrameKey::WRAPPED);
        let mut sealed = b"body".to_vec();
        let tag = key.seal(7, b"header", &mut sealed);
        sealed.extend(tag);
        assert!(FrameKey::unwrap(&outer, "log 2", &wrapped).is_err());
        let again = FrameKey::unwrap(&outer, "log 1", &wrapped).unwrap();
        for (number, header) in [(8, "header"), (7, "Header")] {
            assert_eq!(again.open(number, header.as_bytes(), &mut sealed.clone()), Err(NotSealed));
        }
        assert_eq!(again.open(7, b"header", &mut sealed), Ok(&b"body"[..]));
    }
}
