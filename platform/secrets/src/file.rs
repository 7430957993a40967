use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::hkdf;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use garrison_base::Entropy;
use zeroize::Zeroizing;

use crate::{MacKey, SealKey};

/// What stands before the key in its file, so that nobody takes another file for it.
const HEAD: &str = "garrison-root-key-v1";
const FILE: &str = "root.key";

/// The key that every other is derived from. Never printed; wiped when dropped.
pub struct RootKey(Zeroizing<[u8; 32]>);

/// A key file that cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// There is one already: overwriting it would make everything under it unreadable.
    #[error("{0} exists already; a key file is never overwritten")]
    Exists(PathBuf),
    /// There is none.
    #[error("there is no key file {0}; `garrison init` makes one, or set `keys.dir` to where it is")]
    Missing(PathBuf),
    /// Others than the owner may read it.
    #[error("{0} can be read by others than its owner; run `chmod 600 {0}`")]
    Open(PathBuf),
    /// It holds something else.
    #[error("{0} is not a root key of this version")]
    Malformed(PathBuf),
    /// The file system refused.
    #[error("{0}: {1}")]
    Io(PathBuf, #[source] io::Error),
}

impl RootKey {
    /// Makes a key and writes it to `root.key` in the folder, readable by its owner alone.
    pub fn create(dir: &Path, entropy: &dyn Entropy) -> Result<Self, KeyFileError> {
        let path = dir.join(FILE);
        fs::create_dir_all(dir).map_err(|error| KeyFileError::Io(dir.into(), error))?;
        fs::set_permissions(dir, fs::Permissions::from_mode(0o700))
            .map_err(|error| KeyFileError::Io(dir.into(), error))?;
        let mut key = Zeroizing::new([0; 32]);
        entropy.fill(&mut *key);
        let text = Zeroizing::new(format!("{HEAD} {}\n", STANDARD.encode(*key)));
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(|error| {
                if error.kind() == io::ErrorKind::AlreadyExists {
                    KeyFileError::Exists(path.clone())
                } else {
                    KeyFileError::Io(path.clone(), error)
                }
            })?;
        file.write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(|error| KeyFileError::Io(path, error))?;
        Ok(Self(key))
    }

    /// Reads `root.key` from the folder.
    pub fn open(dir: &Path) -> Result<Self, KeyFileError> {
        let path = dir.join(FILE);
        let refuse = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => KeyFileError::Missing(path.clone()),
            _ => KeyFileError::Io(path.clone(), error),
        };
        if fs::metadata(&path).map_err(refuse)?.permissions().mode() & 0o077 != 0 {
            return Err(KeyFileError::Open(path));
        }
        let text = Zeroizing::new(fs::read_to_string(&path).map_err(refuse)?);
        let mut key = Zeroizing::new([0; 32]);
        let read = text
            .strip_prefix(HEAD)
            .and_then(|rest| STANDARD.decode_slice(rest.trim(), &mut *key).ok())
            .is_some_and(|length| length == 32);
        if read { Ok(Self(key)) } else { Err(KeyFileError::Malformed(path)) }
    }

    /// A key that lives in memory only, for tests and for tools that never store anything.
    pub fn ephemeral(entropy: &dyn Entropy) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        entropy.fill(&mut *key);
        Self(key)
    }

    /// The key that authenticates things of this purpose.
    pub fn mac(&self, purpose: &str) -> MacKey {
        MacKey::new(&self.derive("mac", purpose))
    }

    /// The key that seals things of this purpose.
    pub fn seal(&self, purpose: &str) -> SealKey {
        SealKey::new(&self.derive("seal", purpose))
    }

    fn derive(&self, kind: &str, purpose: &str) -> Zeroizing<[u8; 32]> {
        let mut out = Zeroizing::new([0; 32]);
        let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, b"garrison").extract(&*self.0);
        // HKDF refuses only lengths beyond 255 blocks; 32 bytes are one.
        #[expect(clippy::expect_used, reason = "32 bytes are one block of HKDF-SHA-256")]
        extracted
            .expand(&[kind.as_bytes(), b":", purpose.as_bytes()], hkdf::HKDF_SHA256)
            .and_then(|key| key.fill(&mut *out))
            .expect("one block");
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemEntropy;

    #[test]
    fn a_key_file_is_private_and_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let made = RootKey::create(dir.path(), &SystemEntropy).unwrap();
        let path = dir.path().join(FILE);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(*RootKey::open(dir.path()).unwrap().0, *made.0);
        assert!(matches!(RootKey::create(dir.path(), &SystemEntropy), Err(KeyFileError::Exists(_))));

        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(RootKey::open(dir.path()), Err(KeyFileError::Open(_))));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "garrison-root-key-v1 c2hvcnQ=").unwrap();
        assert!(matches!(RootKey::open(dir.path()), Err(KeyFileError::Malformed(_))));
    }

    #[test]
    fn purposes_have_keys_of_their_own() {
        let root = RootKey::ephemeral(&SystemEntropy);
        assert_ne!(root.mac("audit").tag(&[b"x"]), root.mac("rows").tag(&[b"x"]));
        assert_eq!(root.mac("audit").tag(&[b"x"]), root.mac("audit").tag(&[b"x"]));
    }
}
