use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use garrison_base::Entropy;
use zeroize::Zeroizing;

/// Seals small secrets: a nonce, the cipher text and its tag in one.
pub struct SealKey(LessSafeKey);

/// Sealed bytes that this key, or this place, does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("sealed bytes do not open: they were changed, moved, or sealed under another key")]
pub struct NotSealed;

impl SealKey {
    #[expect(clippy::expect_used, reason = "the only refusal is a key that is not 32 bytes")]
    pub(crate) fn new(key: &Zeroizing<[u8; 32]>) -> Self {
        Self(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &**key).expect("32 bytes")))
    }

    /// Seals `plain` to its `place` (table, column, id): elsewhere it does not open.
    ///
    /// # Panics
    /// For more than 64 GiB, which nothing that is sealed here comes near.
    pub fn seal(&self, place: &str, plain: &[u8], entropy: &dyn Entropy) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        entropy.fill(&mut nonce);
        let mut sealed = nonce.to_vec();
        // With room for the tag, so that no plaintext stays where the bytes were before.
        let mut body = Vec::with_capacity(plain.len() + AES_256_GCM.tag_len());
        body.extend_from_slice(plain);
        // GCM refuses only messages beyond 64 GiB.
        #[expect(clippy::expect_used, reason = "what is sealed here is far below 64 GiB")]
        self.0
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(place.as_bytes()),
                &mut body,
            )
            .expect("below 64 GiB");
        sealed.append(&mut body);
        sealed
    }

    /// Opens what was sealed to this place.
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, NotSealed> {
        let (nonce, body) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(NotSealed)?;
        let mut body = Zeroizing::new(body.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let length =
            self.0.open_in_place(nonce, Aad::from(place.as_bytes()), &mut body).map_err(|_| NotSealed)?.len();
        body.truncate(length);
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RootKey, SystemEntropy};

    #[test]
    fn opens_only_in_its_place_and_whole() {
        let key = RootKey::ephemeral(&SystemEntropy).seal("test");
        let sealed = key.seal("totp/per_1", b"secret", &SystemEntropy);
        assert_eq!(&**key.open("totp/per_1", &sealed).unwrap(), b"secret");
        assert_eq!(key.open("totp/per_2", &sealed), Err(NotSealed));
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert_eq!(key.open("totp/per_1", &changed), Err(NotSealed));
            assert_eq!(key.open("totp/per_1", &sealed[..place]), Err(NotSealed));
        }
    }
}
