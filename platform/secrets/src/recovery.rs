//! The recovery key: whoever has it opens backups. The server knows its public half alone, so that what takes the server
//! does not take the backups.
//!
//! Each backup has a key of its own, which is sealed to the recovery key by HPKE (RFC 9180) in base mode, with
//! DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and AES-256-GCM; `info` names the backup. So every library of HPKE opens it.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use aws_lc_rs::agreement::{PrivateKey, X25519};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use garrison_base::Entropy;
use rustls::crypto::aws_lc_rs::hpke::DH_KEM_X25519_HKDF_SHA256_AES_256;
use rustls::crypto::hpke::{EncapsulatedSecret, Hpke as _, HpkePrivateKey, HpkePublicKey};
use zeroize::Zeroizing;

use crate::file::sync;
use crate::{MacKey, NotSealed, RootKey, StreamKey};

/// What stands before the secret key in its file.
const SECRET: &str = "garrison-recovery-secret-v1";
/// What stands before a public key.
const PUBLIC: &str = "garrison-recovery-v1:";
/// The longest file that is read, in bytes.
const LONGEST: usize = 1 << 10;
/// Bytes of an encapsulated X25519 key, which a sealed key begins with.
const ENCAPSULATED: usize = 32;

/// The secret half. Never printed; wiped when dropped.
pub struct RecoveryKey(Zeroizing<[u8; 32]>);

/// The public half: what backups are sealed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecoveryPublic([u8; 32]);

/// The key of one backup. Never printed; wiped when dropped.
pub struct BackupKey(RootKey);

/// A recovery key that cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryError {
    /// There is a file already: overwriting it would make backups unreadable.
    #[error("{0} exists already; a recovery key is never overwritten")]
    Exists(PathBuf),
    /// Others than the owner may read it.
    #[error("{0} can be read by others than its owner; run `chmod 600 {0}`")]
    Open(PathBuf),
    /// It holds something else.
    #[error("{0} is not the secret half of a recovery key; `garrison backup key` makes one")]
    Malformed(PathBuf),
    /// It is not the public half of a recovery key.
    #[error(
        "this is not the public half of a recovery key: it begins with `{PUBLIC}`, as `garrison backup key` tells it"
    )]
    NotPublic,
    /// The file system refused.
    #[error("{0}: {1}")]
    Io(PathBuf, #[source] io::Error),
}

impl RecoveryKey {
    /// Makes one and writes it to a new file that only its owner may read.
    pub fn create(path: &Path, entropy: &dyn Entropy) -> Result<Self, RecoveryError> {
        let mut bytes = Zeroizing::new([0; 32]);
        entropy.fill(&mut *bytes);
        let key = Self(bytes);
        // It does not grow, so that there is one copy to be wiped.
        let mut text = Zeroizing::new(String::with_capacity(LONGEST));
        text.push_str(SECRET);
        text.push(' ');
        STANDARD.encode_string(*key.0, &mut text);
        text.push_str(&format!("\n{}\n", key.public()));
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let mut file = file.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => RecoveryError::Exists(path.into()),
            _ => RecoveryError::Io(path.into(), error),
        })?;
        let folder = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
        match written.and_then(|()| sync(folder)) {
            Ok(()) => Ok(key),
            Err(error) => {
                // Half a key opens nothing, and would be in the way the next time.
                let _ = fs::remove_file(path);
                Err(RecoveryError::Io(path.into(), error))
            }
        }
    }

    /// Reads it from its file.
    pub fn open(path: &Path) -> Result<Self, RecoveryError> {
        let io = |error| RecoveryError::Io(path.into(), error);
        let file = File::open(path).map_err(io)?;
        if file.metadata().map_err(io)?.permissions().mode() & 0o077 != 0 {
            return Err(RecoveryError::Open(path.into()));
        }
        let malformed = || RecoveryError::Malformed(path.into());
        // It does not grow, so that there is one copy to be wiped.
        let mut text = Zeroizing::new(Vec::with_capacity(LONGEST + 1));
        file.take(LONGEST as u64 + 1).read_to_end(&mut text).map_err(io)?;
        if text.len() > LONGEST {
            return Err(malformed());
        }
        let line = str::from_utf8(&text).ok().and_then(|text| text.lines().next()?.strip_prefix(SECRET));
        let mut bytes = Zeroizing::new([0; 32]);
        let read = line.and_then(|line| STANDARD.decode_slice(line.trim(), &mut *bytes).ok());
        if read == Some(32) { Ok(Self(bytes)) } else { Err(malformed()) }
    }

    /// The public half.
    ///
    /// # Panics
    /// Never: any 32 bytes are a secret key.
    #[expect(clippy::expect_used, reason = "any 32 bytes are a key of X25519 (RFC 7748, section 5)")]
    pub fn public(&self) -> RecoveryPublic {
        let key = PrivateKey::from_private_key(&X25519, &*self.0).expect("32 bytes");
        let public = key.compute_public_key().expect("every key has one");
        RecoveryPublic(public.as_ref().try_into().expect("32 bytes"))
    }
}

impl fmt::Display for RecoveryPublic {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{PUBLIC}{}", STANDARD.encode(self.0))
    }
}

impl FromStr for RecoveryPublic {
    type Err = RecoveryError;

    fn from_str(text: &str) -> Result<Self, RecoveryError> {
        let bytes = text.trim().strip_prefix(PUBLIC).and_then(|text| STANDARD.decode(text).ok());
        let bytes = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        bytes.map(Self).ok_or(RecoveryError::NotPublic)
    }
}

impl BackupKey {
    /// A key that nobody had before.
    pub fn fresh(entropy: &dyn Entropy) -> Self {
        Self(RootKey::ephemeral(entropy))
    }

    /// The key, sealed to a recovery key for this backup: the encapsulated key, then the cipher text. Refused for a public
    /// key that is no point of the curve's large group.
    pub fn seal_to(&self, public: &RecoveryPublic, backup: &str) -> Result<Vec<u8>, NotSealed> {
        let public = HpkePublicKey(public.0.to_vec());
        let sealed = DH_KEM_X25519_HKDF_SHA256_AES_256.seal(&info(backup), &[], self.0.bytes(), &public);
        let (EncapsulatedSecret(encapsulated), sealed) = sealed.map_err(|_| NotSealed)?;
        Ok([encapsulated, sealed].concat())
    }

    /// The key that was sealed to this recovery key for this backup.
    pub fn open(key: &RecoveryKey, backup: &str, sealed: &[u8]) -> Result<Self, NotSealed> {
        let (encapsulated, sealed) = sealed.split_at_checked(ENCAPSULATED).ok_or(NotSealed)?;
        let secret = HpkePrivateKey::from(key.0.to_vec());
        let encapsulated = EncapsulatedSecret(encapsulated.to_vec());
        let opened =
            DH_KEM_X25519_HKDF_SHA256_AES_256.open(&encapsulated, &info(backup), &[], sealed, &secret);
        let opened = Zeroizing::new(opened.map_err(|_| NotSealed)?);
        RootKey::of(&opened).map(Self).ok_or(NotSealed)
    }

    /// What seals the backup's objects: each gets a key of its own, by its salt and its associated data.
    pub fn objects(&self) -> StreamKey {
        StreamKey::from_bytes(self.0.derive("stream", "backup/objects"))
    }

    /// What authenticates the backup's manifest.
    pub fn manifest(&self) -> MacKey {
        self.0.mac("backup/manifest")
    }
}

fn info(backup: &str) -> Vec<u8> {
    format!("garrison backup v1 {backup}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemEntropy;

    const BACKUP: &str = "bak_01JDG4Q4ZK8V3T6W0R2Y5X7B9C";

    /// By PyPI's cryptography 48.0.0 (`hpke.Suite(X25519, HKDF_SHA256, AES_256_GCM)`), for the secret key 0, 1, ... 31: the
    /// bytes 100, 101, ... 131.
    const THEIRS: &str = "3FhqDuMQX1Ooxmi5Z3eNZIJwnaOE+Eo1DkNhJ2Dx/g3H3rgnh/jUniEuKQqu6MRQ1y38rgVz1YDyX1YKi4+kDpFzXk/R7OtPc0KX3V5VVqg=";

    fn numbered(from: u8) -> [u8; 32] {
        std::array::from_fn(|place| from + u8::try_from(place).unwrap())
    }

    #[test]
    fn what_another_library_sealed_opens() {
        let key = RecoveryKey(Zeroizing::new(numbered(0)));
        let public = "garrison-recovery-v1:j0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF8=";
        assert_eq!(key.public().to_string(), public);
        let sealed = STANDARD.decode(THEIRS).unwrap();
        let opened = BackupKey::open(&key, BACKUP, &sealed).unwrap();
        assert_eq!(opened.0.bytes(), &numbered(100));
        assert!(BackupKey::open(&key, "bak_01JDG4Q4ZK8V3T6W0R2Y5X7B9D", &sealed).is_err());
    }

    #[test]
    fn a_backup_s_key_opens_with_its_recovery_key_alone_and_whole() {
        let key = RecoveryKey(Zeroizing::new(numbered(7)));
        let other = RecoveryKey(Zeroizing::new(numbered(8)));
        let backup = BackupKey::fresh(&SystemEntropy);
        let sealed = backup.seal_to(&key.public(), BACKUP).unwrap();
        assert_eq!(BackupKey::open(&key, BACKUP, &sealed).unwrap().0.bytes(), backup.0.bytes());
        assert!(BackupKey::open(&other, BACKUP, &sealed).is_err());
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert!(BackupKey::open(&key, BACKUP, &changed).is_err(), "{place}");
            assert!(BackupKey::open(&key, BACKUP, &sealed[..place]).is_err(), "{place}");
        }
        assert_ne!(sealed, backup.seal_to(&key.public(), BACKUP).unwrap());
        // A point of small order gives a shared secret that everybody knows.
        assert!(backup.seal_to(&RecoveryPublic([0; 32]), BACKUP).is_err());
    }

    #[test]
    fn a_recovery_key_is_private_and_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("recovery.key");
        let made = RecoveryKey::create(&path, &SystemEntropy).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(*RecoveryKey::open(&path).unwrap().0, *made.0);
        assert!(fs::read_to_string(&path).unwrap().ends_with(&format!("\n{}\n", made.public())));
        let again = RecoveryKey::create(&path, &SystemEntropy);
        assert!(matches!(again, Err(RecoveryError::Exists(_))));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(RecoveryKey::open(&path), Err(RecoveryError::Open(_))));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        for text in
            ["", "garrison-recovery-secret-v1 c2hvcnQ=", &made.public().to_string(), &"x".repeat(2000)]
        {
            fs::write(&path, text).unwrap();
            assert!(matches!(RecoveryKey::open(&path), Err(RecoveryError::Malformed(_))), "{text}");
        }
        let public = made.public().to_string();
        assert_eq!(public.parse::<RecoveryPublic>().unwrap(), made.public());
        for text in ["", "garrison-recovery-v1:", "garrison-recovery-v1:c2hvcnQ=", &public[1..]] {
            assert!(text.parse::<RecoveryPublic>().is_err(), "{text}");
        }
    }
}
