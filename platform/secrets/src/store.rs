//! The key store: what the root key wraps, in a file of its own beside it.
//!
//! `keys.store` is JSON: the *base* (what every purpose of this installation is derived from) and the keys of tenants,
//! each wrapped with AES-256-GCM under a key derived from the root key, for its place. So a new root key means that this
//! file is written again and nothing else; and a version that is destroyed here is destroyed for every copy of the
//! database. The file as a whole carries a MAC, so that no version can be taken out or put back by hand without the root key.

mod form;
mod rotate;

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use garrison_base::{Entropy, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::file::sync;
use crate::{KeyFileError, Passphrase, RootKey, SealKey, StreamKey};

use form::{Stored, Wrapped, read};
use rotate::matching;

/// The name of the file.
const STORE: &str = "keys.store";
/// Whoever changes the store holds this one.
const LOCK: &str = "keys.lock";

/// The root key, and the keys that it wraps.
pub struct KeyStore {
    dir: PathBuf,
    base: RootKey,
    inner: Mutex<Inner>,
    entropy: Box<dyn Entropy>,
}

struct Inner {
    root: RootKey,
    stored: Stored,
    /// What the root key is sealed by, where it is.
    passphrase: Passphrase,
    /// Held from the first change on: two processes would undo each other's.
    turn: Option<File>,
}

/// What a key is for. Destroying the data of a customer never touches the keys of security records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Security logs and records: what nobody said anything else of.
    #[default]
    Security,
    /// A customer's own data.
    Customer,
}

impl Class {
    /// `security` or `customer`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Security => "security",
            Self::Customer => "customer",
        }
    }

    /// The class of this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Security, Self::Customer].into_iter().find(|class| class.name() == name)
    }
}

impl fmt::Display for Class {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// A version of a tenant's key, without the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantKey {
    /// Whose.
    pub tenant: TenantId,
    /// What for.
    pub class: Class,
    /// From 1 on; the highest that is not destroyed wraps new keys.
    pub version: u32,
    /// Since when.
    pub made: Timestamp,
    /// When it was destroyed.
    pub destroyed: Option<Timestamp>,
}

/// A key that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It was destroyed: what it wrapped can never be read again.
    #[error("version {version} of the key for {class} data of {tenant} was destroyed on {when}")]
    Destroyed {
        /// Whose.
        tenant: TenantId,
        /// What for.
        class: &'static str,
        /// Which.
        version: u32,
        /// When.
        when: Timestamp,
    },
    /// The store does not have it.
    #[error(
        "there is no version {version} of the key for {class} data of {tenant} in {store}; is it an older copy?"
    )]
    Unknown {
        /// Whose.
        tenant: TenantId,
        /// What for.
        class: &'static str,
        /// Which.
        version: u32,
        /// The file.
        store: PathBuf,
    },
    /// What was wrapped is not what was given.
    #[error("a key of {tenant} does not open: it was changed, moved, or wrapped by another version")]
    NotWrapped {
        /// Whose.
        tenant: TenantId,
    },
    /// Keys of security records are not destroyed.
    #[error("the keys of security records are never destroyed")]
    Security,
    /// The file.
    #[error(transparent)]
    File(#[from] KeyFileError),
}

impl KeyStore {
    /// Opens the store of this folder; the passphrase counts where the root key is sealed. Where there is only a root key,
    /// a store is made: what was derived from that root key so far is derived from the base from now on, which is the same.
    pub fn open(
        dir: &Path,
        passphrase: &Passphrase,
        entropy: Box<dyn Entropy>,
    ) -> Result<Self, KeyFileError> {
        let path = dir.join(STORE);
        let of = |root, stored| Inner { root, stored, passphrase: passphrase.clone(), turn: None };
        let Some(stored) = read(&path)? else {
            let root = RootKey::open_sealed(dir, passphrase)?;
            let base = root.copy();
            let stored = Stored::new(&root, &base, &*entropy);
            let store = Self::of(dir, base, of(root, stored), entropy);
            {
                let mut inner = store.lock();
                store.take_turn(&mut inner)?;
                store.write(&mut inner)?;
            }
            return Ok(store);
        };
        let root = matching(dir, &stored, passphrase)?;
        let base = wrapping(&root)
            .open("base", &bytes(&path, &stored.base)?)
            .ok()
            .and_then(|base| RootKey::of(&base))
            .ok_or(KeyFileError::Malformed(path))?;
        Ok(Self::of(dir, base, of(root, stored), entropy))
    }

    fn of(dir: &Path, base: RootKey, inner: Inner, entropy: Box<dyn Entropy>) -> Self {
        Self { dir: dir.into(), base, inner: Mutex::new(inner), entropy }
    }

    /// Keeps every other process from changing the store until this one ends.
    pub fn hold(&self) -> Result<(), KeyFileError> {
        self.take_turn(&mut self.lock())
    }

    /// What keys for a purpose are derived from.
    pub fn base(&self) -> &RootKey {
        &self.base
    }

    /// The versions that there are and were.
    pub fn keys(&self) -> Vec<TenantKey> {
        self.lock().stored.keys.iter().map(Wrapped::shown).collect()
    }

    /// Wraps a data key for its place, under the newest version of the tenant's key, which is made where there is none.
    /// Answers the version.
    pub fn wrap(
        &self,
        (tenant, class): (TenantId, Class),
        place: &str,
        key: &StreamKey,
        now: Timestamp,
    ) -> Result<(u32, Vec<u8>), KeyError> {
        let mut inner = self.lock();
        let newest = inner.newest((tenant, class));
        let version = match newest {
            Some(version) => version,
            None => self.add(&mut inner, (tenant, class), now)?,
        };
        let outer = inner.outer((tenant, class, version), &self.dir)?;
        Ok((version, key.wrap(&outer, place, &*self.entropy)))
    }

    /// The data key that was wrapped for this place.
    pub fn unwrap(
        &self,
        (tenant, class, version): (TenantId, Class, u32),
        place: &str,
        wrapped: &[u8],
    ) -> Result<StreamKey, KeyError> {
        let outer = self.lock().outer((tenant, class, version), &self.dir)?;
        StreamKey::unwrap(&outer, place, wrapped).map_err(|_| KeyError::NotWrapped { tenant })
    }

    /// Makes a new version of a tenant's key. What older ones wrapped stays readable.
    pub fn rotate(&self, tenant: TenantId, class: Class, now: Timestamp) -> Result<u32, KeyError> {
        self.add(&mut self.lock(), (tenant, class), now)
    }

    /// Destroys a version: what it wrapped and nothing else wraps now can never be read again, from any copy of the data.
    ///
    /// # Errors
    /// [`KeyError::Security`]: for no reason, and on nobody's order, are security records made unreadable.
    pub fn destroy(
        &self,
        (tenant, class, version): (TenantId, Class, u32),
        now: Timestamp,
    ) -> Result<(), KeyError> {
        if class == Class::Security {
            return Err(KeyError::Security);
        }
        let mut inner = self.lock();
        self.take_turn(&mut inner)?;
        let before = inner.stored.clone();
        let held = inner.stored.keys.iter_mut().find(|key| key.is((tenant, class, version)));
        let Some(held) = held else {
            let store = self.dir.join(STORE);
            return Err(KeyError::Unknown { tenant, class: class.name(), version, store });
        };
        held.key = None;
        held.destroyed.get_or_insert(now);
        self.write_or(&mut inner, before)
    }

    /// Becomes the one process that changes the store, and takes over what another changed before.
    fn take_turn(&self, inner: &mut Inner) -> Result<(), KeyFileError> {
        if inner.turn.is_some() {
            return Ok(());
        }
        let path = self.dir.join(LOCK);
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
        let file = file.map_err(|error| KeyFileError::Io(path.clone(), error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(KeyFileError::Taken(path)),
            Err(TryLockError::Error(error)) => return Err(KeyFileError::Io(path, error)),
        }
        if let Some(stored) = read(&self.dir.join(STORE))? {
            // Opening a sealed root key takes time and memory; it is read again only where it is another one.
            if !stored.fits(&inner.root) {
                inner.root = matching(&self.dir, &stored, &inner.passphrase)?;
            }
            inner.stored = stored;
        }
        // Only now: what was not taken over would be undone by the next change.
        inner.turn = Some(file);
        Ok(())
    }

    fn add(
        &self,
        inner: &mut Inner,
        (tenant, class): (TenantId, Class),
        now: Timestamp,
    ) -> Result<u32, KeyError> {
        self.take_turn(inner)?;
        let of = |key: &&Wrapped| key.tenant == tenant && key.class == class;
        let version = inner.stored.keys.iter().filter(of).map(|key| key.version).max().unwrap_or(0) + 1;
        let mut plain = Zeroizing::new([0; 32]);
        self.entropy.fill(&mut *plain);
        let mut key = Wrapped { tenant, class, version, made: now, destroyed: None, key: None };
        let sealed = wrapping(&inner.root).seal(&key.place(), &*plain, &*self.entropy);
        key.key = Some(STANDARD.encode(sealed));
        let before = inner.stored.clone();
        inner.stored.keys.push(key);
        self.write_or(inner, before).map(|()| version)
    }

    /// Writes; where that fails, what is in memory is what is in the file.
    fn write_or(&self, inner: &mut Inner, before: Stored) -> Result<(), KeyError> {
        self.write(inner).map_err(|error| {
            inner.stored = before;
            KeyError::File(error)
        })
    }

    /// Writes the file anew, by whoever has the turn.
    fn write(&self, inner: &mut Inner) -> Result<(), KeyFileError> {
        inner.stored.mac = inner.stored.tag(&inner.root);
        let path = self.dir.join(STORE);
        let aside = self.dir.join("keys.store.new");
        let write = || {
            let text = serde_json::to_vec_pretty(&inner.stored).map_err(io::Error::other)?;
            let mut file =
                OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&aside, &path)?;
            sync(&self.dir)
        };
        write().map_err(|error| KeyFileError::Io(path.clone(), error))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn newest(&self, (tenant, class): (TenantId, Class)) -> Option<u32> {
        let of = |key: &&Wrapped| key.tenant == tenant && key.class == class && key.key.is_some();
        self.stored.keys.iter().filter(of).map(|key| key.version).max()
    }

    fn outer(
        &self,
        (tenant, class, version): (TenantId, Class, u32),
        dir: &Path,
    ) -> Result<SealKey, KeyError> {
        let path = dir.join(STORE);
        let class_name = class.name();
        let Some(held) = self.stored.keys.iter().find(|key| key.is((tenant, class, version))) else {
            return Err(KeyError::Unknown { tenant, class: class_name, version, store: path });
        };
        let Some(wrapped) = &held.key else {
            let when = held.destroyed.unwrap_or(held.made);
            return Err(KeyError::Destroyed { tenant, class: class_name, version, when });
        };
        let plain = wrapping(&self.root)
            .open(&held.place(), &bytes(&path, wrapped)?)
            .map_err(|_| KeyError::NotWrapped { tenant })?;
        let key = RootKey::of(&plain).ok_or(KeyFileError::Malformed(path))?;
        Ok(key.seal("data keys"))
    }
}

fn wrapping(root: &RootKey) -> SealKey {
    root.seal("key store")
}

fn bytes(path: &Path, text: &str) -> Result<Vec<u8>, KeyFileError> {
    STANDARD.decode(text).map_err(|_| KeyFileError::Malformed(path.into()))
}

#[cfg(test)]
mod tests;
