//! A new root key, and what a rotation that broke off leaves.

use std::fs;
use std::io;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Inner, KeyError, KeyStore, STORE, Stored, bytes, wrapping};
use crate::file::{FILE, NEXT, sync};
use crate::{KeyFileError, Passphrase, RootKey};

impl KeyStore {
    /// Makes a new root key and wraps everything under it. Nothing else is written again. The new key is sealed by
    /// `passphrase`; where that is nothing, by the one that seals the old key, or not at all like the old key.
    pub fn rotate_root(&self, passphrase: Option<&Passphrase>) -> Result<(), KeyError> {
        let mut inner = self.lock();
        self.take_turn(&mut inner)?;
        let passphrase = match passphrase {
            Some(new) => new.clone(),
            None if RootKey::is_sealed(&self.dir)? => inner.passphrase.clone(),
            None => Passphrase::None,
        };
        passphrase.check_new()?;
        let root = RootKey::ephemeral(&*self.entropy);
        let stored = self.wrapped_again(&inner, &root)?;
        let mut next = Inner { root, stored, passphrase, turn: None };
        if let Err(error) = self.replace(&mut next) {
            // Nobody can tell how far it came: the next change looks into the folder first.
            inner.turn = None;
            return Err(error.into());
        }
        next.turn = inner.turn.take();
        *inner = next;
        Ok(())
    }

    /// First the new root key beside the old one, then what it wraps, then it takes the old one's place: whenever this breaks
    /// off, one of the two files opens the store.
    fn replace(&self, next: &mut Inner) -> Result<(), KeyFileError> {
        let (from, to) = (self.dir.join(NEXT), self.dir.join(FILE));
        match fs::remove_file(&from) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(KeyFileError::Io(from, error));
            }
            // One of a rotation that broke off before anything was wrapped under it.
            _ => next.root.write(&from, &next.passphrase, &*self.entropy)?,
        }
        self.write(next)?;
        fs::rename(&from, &to).and_then(|()| sync(&self.dir)).map_err(|error| KeyFileError::Io(to, error))
    }

    /// What is stored, under another root key.
    fn wrapped_again(&self, inner: &Inner, root: &RootKey) -> Result<Stored, KeyFileError> {
        let (old, new) = (wrapping(&inner.root), wrapping(root));
        let path = self.dir.join(STORE);
        let again = |place: &str, wrapped: &str| -> Result<String, KeyFileError> {
            let plain = old.open(place, &bytes(&path, wrapped)?);
            let plain = plain.map_err(|_| KeyFileError::Malformed(path.clone()))?;
            Ok(STANDARD.encode(new.seal(place, &plain, &*self.entropy)))
        };
        let mut stored = inner.stored.clone();
        stored.base = again("base", &stored.base)?;
        for key in &mut stored.keys {
            let place = key.place();
            key.key = key.key.as_deref().map(|wrapped| again(&place, wrapped)).transpose()?;
        }
        Ok(stored)
    }
}

/// The root key that made the store: the one in its place, or the one that was about to take it.
pub(super) fn matching(
    dir: &Path,
    stored: &Stored,
    passphrase: &Passphrase,
) -> Result<RootKey, KeyFileError> {
    let (current, to) = (RootKey::open_sealed(dir, passphrase), dir.join(FILE));
    if let Ok(root) = current.as_ref()
        && stored.fits(root)
    {
        return current;
    }
    let from = dir.join(NEXT);
    match (RootKey::read(&from, passphrase), current) {
        (Ok(root), _) if stored.fits(&root) => {
            fs::rename(&from, &to).and_then(|()| sync(dir)).map_err(|error| KeyFileError::Io(to, error))?;
            Ok(root)
        }
        // Behind the second, the new key may be the right one: a rotation to another passphrase broke off.
        (_, Err(error))
        | (Err(error @ (KeyFileError::Sealed(_) | KeyFileError::WrongPassphrase(_))), Ok(_)) => Err(error),
        _ => Err(KeyFileError::Foreign(dir.join(STORE))),
    }
}
