//! The keys, and what is made with them: authenticating rows and records ([`MacKey`]), sealing small secrets ([`SealKey`])
//! and whole objects ([`StreamKey`]).
//!
//! The root key is a file outside the database, sealed by a passphrase where one is given ([`Passphrase`]), so that whoever
//! can write the database can neither forge a row nor read a secret. It wraps what stands in [`KeyStore`]: a base key, from
//! which the server's own are derived, and the keys of tenants. Derivation is HKDF-SHA-256 (RFC 5869) with the purpose as
//! `info`; authentication is HMAC-SHA-256 (RFC 2104); sealing is AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce.

mod file;
mod frame;
mod mac;
mod passphrase;
mod recovery;
mod seal;
mod store;
mod stream;

pub use file::{KeyFileError, RootKey};
pub use frame::FrameKey;
pub use mac::{MacKey, Tag, digest};
pub use passphrase::Passphrase;
pub use recovery::{BackupKey, RecoveryError, RecoveryKey, RecoveryPublic};
pub use seal::{NotSealed, SealKey};
pub use store::{Class, KeyError, KeyStore, TenantKey};
pub use stream::{Opener, StreamKey, plain_len, sealed_len};

use garrison_base::Entropy;

/// The randomness of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        use aws_lc_rs::rand::SecureRandom as _;
        // The generator fails only where the operating system has no randomness; going on would be worse.
        #[expect(clippy::expect_used, reason = "no key may be made without randomness")]
        aws_lc_rs::rand::SystemRandom::new().fill(bytes).expect("the machine has no randomness");
    }
}

/// Whether two texts are equal, in a time that does not depend on where they differ.
pub fn same(left: &[u8], right: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(left, right).is_ok()
}
