use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::hkdf;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use garrison_base::Entropy;
use zeroize::Zeroizing;

use crate::{MacKey, Passphrase, SealKey, passphrase};

/// What stands before the key in its file, so that nobody takes another file for it.
const HEAD: &str = "garrison-root-key-v1";
/// The name of the file.
pub(crate) const FILE: &str = "root.key";
/// A root key that is about to take its place.
pub(crate) const NEXT: &str = "root.key.new";
/// Bytes that are read of a file of a key; the longest that is written has a third of them.
const LONGEST: usize = 1 << 10;

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
    #[error("{0} is not a file of keys of this version, or was changed; put its copy back")]
    Malformed(PathBuf),
    /// It was made under another root key, or changed.
    #[error(
        "{0} does not belong to the root key beside it, or was changed by hand; put the copies of both back"
    )]
    Foreign(PathBuf),
    /// Another process may change it.
    #[error("{0} is held by another process: stop the server first")]
    Taken(PathBuf),
    /// It is sealed, and nobody said by what.
    #[error("{0} is sealed by a passphrase: set `keys.passphrase_file` to a file that holds it")]
    Sealed(PathBuf),
    /// It is sealed by another passphrase.
    #[error("the passphrase does not open {0}: it is another one, or the file was changed")]
    WrongPassphrase(PathBuf),
    /// Its costs are beyond what Garrison ever writes.
    #[error("{0} demands more memory or time than Garrison ever asks for: it was changed; put its copy back")]
    Excessive(PathBuf),
    /// The file of the passphrase cannot be used, and why.
    #[error("the passphrase in {0}: {1}")]
    Passphrase(PathBuf, &'static str),
    /// A new passphrase is too easily guessed.
    #[error("a new passphrase must have at least {least} characters", least = Passphrase::LEAST)]
    Weak,
    /// The machine does not have the memory that sealing takes.
    #[error("{0} cannot be sealed: Argon2 refused")]
    NotSealed(PathBuf),
    /// The file system refused.
    #[error("{0}: {1}")]
    Io(PathBuf, #[source] io::Error),
}

impl RootKey {
    /// Makes a key and writes it to `root.key` in the folder, readable by its owner alone.
    pub fn create(dir: &Path, entropy: &dyn Entropy) -> Result<Self, KeyFileError> {
        Self::create_sealed(dir, &Passphrase::None, entropy)
    }

    /// The same, sealed in its file by a passphrase.
    pub fn create_sealed(
        dir: &Path,
        passphrase: &Passphrase,
        entropy: &dyn Entropy,
    ) -> Result<Self, KeyFileError> {
        passphrase.check_new()?;
        fs::create_dir_all(dir).map_err(|error| KeyFileError::Io(dir.into(), error))?;
        fs::set_permissions(dir, fs::Permissions::from_mode(0o700))
            .and_then(|()| dir.parent().filter(|above| !above.as_os_str().is_empty()).map_or(Ok(()), sync))
            .map_err(|error| KeyFileError::Io(dir.into(), error))?;
        let key = Self::ephemeral(entropy);
        key.write(&dir.join(FILE), passphrase, entropy)?;
        Ok(key)
    }

    /// Reads `root.key` from the folder, where it stands in the clear.
    pub fn open(dir: &Path) -> Result<Self, KeyFileError> {
        Self::open_sealed(dir, &Passphrase::None)
    }

    /// Reads `root.key` from the folder; the passphrase counts where it is sealed.
    pub fn open_sealed(dir: &Path, passphrase: &Passphrase) -> Result<Self, KeyFileError> {
        Self::read(&dir.join(FILE), passphrase)
    }

    /// Whether `root.key` in the folder is sealed by a passphrase.
    pub fn is_sealed(dir: &Path) -> Result<bool, KeyFileError> {
        Ok(text(&dir.join(FILE))?.starts_with(passphrase::HEAD))
    }

    /// Writes it to a file that is not there yet, and waits until the file is on the disk with its name.
    pub(crate) fn write(
        &self,
        path: &Path,
        passphrase: &Passphrase,
        entropy: &dyn Entropy,
    ) -> Result<(), KeyFileError> {
        let text = match passphrase {
            Passphrase::None => self.line(),
            Passphrase::Text(text) => {
                let sealed = passphrase::seal(self, text, entropy);
                Zeroizing::new(sealed.ok_or_else(|| KeyFileError::NotSealed(path.into()))?)
            }
        };
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(|error| {
                if error.kind() == io::ErrorKind::AlreadyExists {
                    KeyFileError::Exists(path.into())
                } else {
                    KeyFileError::Io(path.into(), error)
                }
            })?;
        let written = file
            .write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .and_then(|()| path.parent().map_or(Ok(()), sync));
        written.map_err(|error| {
            // Half a key helps nobody, and would be in the way the next time.
            let _ = fs::remove_file(path);
            KeyFileError::Io(path.into(), error)
        })
    }

    /// What stands in the file where nothing seals the key. It does not grow, so that there is one copy to be wiped.
    fn line(&self) -> Zeroizing<String> {
        let mut line = Zeroizing::new(String::with_capacity(128));
        line.push_str(HEAD);
        line.push(' ');
        STANDARD.encode_string(self.bytes(), &mut line);
        line.push('\n');
        line
    }

    /// Reads it from a file.
    pub(crate) fn read(path: &Path, passphrase: &Passphrase) -> Result<Self, KeyFileError> {
        let text = text(path)?;
        if let Some(line) = text.strip_prefix(passphrase::HEAD) {
            return match passphrase {
                Passphrase::None => Err(KeyFileError::Sealed(path.into())),
                Passphrase::Text(text) => passphrase::open(path, line, text),
            };
        }
        let mut key = Zeroizing::new([0; 32]);
        let read = text
            .strip_prefix(HEAD)
            .and_then(|rest| STANDARD.decode_slice(rest.trim(), &mut *key).ok())
            .is_some_and(|length| length == 32);
        if read { Ok(Self(key)) } else { Err(KeyFileError::Malformed(path.into())) }
    }

    /// Of its 32 bytes.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        <[u8; 32]>::try_from(bytes).ok().map(|bytes| Self(Zeroizing::new(bytes)))
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The same key once more.
    pub(crate) fn copy(&self) -> Self {
        Self(self.0.clone())
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

    /// The secret that a pair of keys for signing is made of.
    pub fn seed(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        self.derive("sign", purpose)
    }

    pub(crate) fn derive(&self, kind: &str, purpose: &str) -> Zeroizing<[u8; 32]> {
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

/// What stands in a file that only its owner may read.
fn text(path: &Path) -> Result<Zeroizing<String>, KeyFileError> {
    let refuse = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => KeyFileError::Missing(path.into()),
        _ => KeyFileError::Io(path.into(), error),
    };
    let file = File::open(path).map_err(refuse)?;
    if file.metadata().map_err(refuse)?.permissions().mode() & 0o077 != 0 {
        return Err(KeyFileError::Open(path.into()));
    }
    // It does not grow, so that there is one copy to be wiped.
    let mut text = Zeroizing::new(String::with_capacity(LONGEST + 1));
    file.take(LONGEST as u64).read_to_string(&mut text).map_err(refuse)?;
    Ok(text)
}

/// Flushes a folder, so that names that came or went stay so.
pub(crate) fn sync(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
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
    fn a_sealed_key_file_says_what_it_needs() {
        let dir = tempfile::tempdir().unwrap();
        let right = Passphrase::Text(Zeroizing::new("correct horse battery".to_owned()));
        let made = RootKey::create_sealed(dir.path(), &right, &SystemEntropy).unwrap();
        assert!(RootKey::is_sealed(dir.path()).unwrap());
        assert_eq!(*RootKey::open_sealed(dir.path(), &right).unwrap().0, *made.0);
        let path = dir.path().join(FILE);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!fs::read_to_string(&path).unwrap().contains(&STANDARD.encode(*made.0)));
        assert!(matches!(RootKey::open(dir.path()), Err(KeyFileError::Sealed(_))));
        let wrong = Passphrase::Text(Zeroizing::new("correct house battery".to_owned()));
        let refused = RootKey::open_sealed(dir.path(), &wrong);
        assert!(matches!(refused, Err(KeyFileError::WrongPassphrase(_))));

        fs::write(&path, fs::read_to_string(&path).unwrap().repeat(100)).unwrap();
        assert!(matches!(RootKey::open_sealed(dir.path(), &right), Err(KeyFileError::Malformed(_))));

        let short = Passphrase::Text(Zeroizing::new("short".to_owned()));
        let other = tempfile::tempdir().unwrap();
        let refused = RootKey::create_sealed(other.path(), &short, &SystemEntropy);
        assert!(matches!(refused, Err(KeyFileError::Weak)));
        assert!(!other.path().join(FILE).exists());
    }

    #[test]
    fn purposes_have_keys_of_their_own() {
        let root = RootKey::ephemeral(&SystemEntropy);
        assert_ne!(root.mac("audit").tag(&[b"x"]), root.mac("rows").tag(&[b"x"]));
        assert_eq!(root.mac("audit").tag(&[b"x"]), root.mac("audit").tag(&[b"x"]));
    }
}
