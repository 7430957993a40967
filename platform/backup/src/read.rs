use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use garrison_base::BackupId;
use garrison_secrets::{BackupKey, RecoveryKey, StreamKey};
use zeroize::Zeroizing;

use crate::manifest::{Entry, hex};
use crate::write::{copy, each, write};
use crate::{BackupError, Extent, INDEX, LISTS, MANIFEST, Manifest, ObjectName, SEALED, associated, place};

/// A backup as it lies there: what its manifest says, nobody vouches for yet.
pub struct Backup {
    folder: PathBuf,
    manifest: Manifest,
    /// The bytes that the MAC is of.
    text: Vec<u8>,
    tag: String,
}

/// A backup that was opened: its manifest and its index are as they were written.
pub struct Unlocked {
    backup: Backup,
    seals: StreamKey,
    entries: Vec<Entry>,
}

impl Backup {
    /// Reads the manifest of a folder that a stranger may have made.
    pub fn open(folder: &Path) -> Result<Self, BackupError> {
        // A folder that is not there, or not to be read, is no backup that somebody changed.
        fs::read_dir(folder).map_err(BackupError::io(folder))?;
        let path = folder.join(MANIFEST);
        let bytes = limited(&path, LISTS).map_err(|error| match error.kind() {
            ErrorKind::NotFound => {
                refused(&path, "it is not there: name the folder of a backup, `.../bak_...`")
            }
            ErrorKind::InvalidData => refused(&path, "it is longer than a manifest can be"),
            _ => BackupError::io(&path)(error),
        })?;
        let (manifest, text, tag) = Manifest::parse(&bytes).map_err(|what| refused(&path, what))?;
        let tag = String::from_utf8_lossy(tag).into_owned();
        Ok(Self { folder: folder.into(), manifest, text: text.to_vec(), tag })
    }

    /// What it says.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The bytes of all objects.
    pub fn bytes(&self) -> u64 {
        self.manifest.objects.iter().fold(0, |sum, object| sum.saturating_add(object.bytes))
    }

    /// How many objects there are.
    pub fn objects(&self) -> usize {
        self.manifest.objects.len()
    }

    /// Reads everything: the first file that does not have the size and SHA-256 that the manifest tells is named. `done` is
    /// told of the bytes that were read.
    pub fn check(&self, done: &mut dyn FnMut(u64)) -> Result<(), BackupError> {
        self.check_file(INDEX, &self.manifest.index, done)?;
        for (number, extent) in self.manifest.objects.iter().enumerate() {
            self.check_file(&place(number), extent, done)?;
        }
        Ok(())
    }

    fn check_file(&self, name: &str, extent: &Extent, done: &mut dyn FnMut(u64)) -> Result<(), BackupError> {
        let mut file = self.file(name, extent)?;
        let path = self.folder.join(name);
        let found = each((&mut file, path.as_path()), |part| {
            done(part.len() as u64);
            Ok(())
        });
        same(name, &found?, extent)
    }

    /// Opens it. That the manifest is whole is known then, and of the rest when it is read.
    pub fn unlock(self, key: &RecoveryKey) -> Result<Unlocked, BackupError> {
        let (id, path) = (self.manifest.backup, self.folder.join(MANIFEST));
        let given = key.public().to_string();
        let sealed = STANDARD.decode(&self.manifest.key).unwrap_or_default();
        let Ok(opened) = BackupKey::open(key, &id.to_string(), &sealed) else {
            if given == self.manifest.recovery {
                return Err(refused(&path, "the backup's key does not open: it was changed"));
            }
            let sealed_to = self.manifest.recovery.clone();
            return Err(BackupError::Key { backup: id, sealed_to, given });
        };
        let tag = hex(&opened.manifest().tag(&[&self.text]));
        if !garrison_secrets::same(tag.as_bytes(), self.tag.as_bytes()) {
            return Err(refused(&path, "its authentication code does not fit: it was changed"));
        }
        let seals = opened.objects();
        let index = self.plain(INDEX, &self.manifest.index, (&seals, &associated(id, INDEX)))?;
        let entries: Vec<Entry> = serde_json::from_slice(&index)
            .map_err(|error| BackupError::object(INDEX, format!("it cannot be read: {error}")))?;
        if entries.len() != self.manifest.objects.len() {
            return Err(BackupError::object(INDEX, "it names another number of objects than there are"));
        }
        Ok(Unlocked { backup: self, seals, entries })
    }

    /// The file of this name, of the right length.
    fn file(&self, name: &str, extent: &Extent) -> Result<File, BackupError> {
        let path = self.folder.join(name);
        // A link could lead anywhere, and a pipe would never end.
        let found = match fs::symlink_metadata(&path) {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(BackupError::object(name, "it is missing"));
            }
            Err(error) => return Err(BackupError::io(&path)(error)),
        };
        if !found.is_file() {
            return Err(BackupError::object(name, "it is not a file"));
        }
        if found.len() != extent.bytes {
            let what = format!("it has {} bytes, and {} were written", found.len(), extent.bytes);
            return Err(BackupError::object(name, what));
        }
        File::open(&path).map_err(BackupError::io(&path))
    }

    fn plain(
        &self,
        name: &str,
        extent: &Extent,
        (seals, associated): (&StreamKey, &[u8]),
    ) -> Result<Zeroizing<Vec<u8>>, BackupError> {
        if extent.bytes > SEALED {
            return Err(BackupError::object(name, "it is longer than a sealed object can be"));
        }
        let mut sealed = Vec::new();
        let read = self.file(name, extent)?.take(SEALED).read_to_end(&mut sealed);
        read.map_err(BackupError::io(self.folder.join(name)))?;
        same(name, &Extent::of(&sealed), extent)?;
        let opened = seals.open(associated, &sealed);
        opened.map(Zeroizing::new).map_err(|error| BackupError::object(name, error.to_string()))
    }
}

impl Unlocked {
    /// Its id.
    pub fn id(&self) -> BackupId {
        self.backup.manifest.backup
    }

    /// What it says.
    pub fn manifest(&self) -> &Manifest {
        &self.backup.manifest
    }

    /// The bytes of all objects.
    pub fn bytes(&self) -> u64 {
        self.backup.bytes()
    }

    /// The objects in the order in which they were put in: number, name and bytes on the disk.
    pub fn objects(&self) -> impl Iterator<Item = (usize, &ObjectName, u64)> {
        let extents = self.backup.manifest.objects.iter();
        self.entries
            .iter()
            .zip(extents)
            .enumerate()
            .map(|(number, (entry, extent))| (number, &entry.name, extent.bytes))
    }

    /// What an object says that the backup sealed.
    pub fn read(&self, number: usize) -> Result<Zeroizing<Vec<u8>>, BackupError> {
        let (entry, extent) = self.entry(number)?;
        if !entry.sealed {
            return Err(named(BackupError::object(place(number), "the backup did not seal it"), &entry.name));
        }
        let associated = associated(self.id(), entry.name.as_str());
        let opened = self.backup.plain(&place(number), extent, (&self.seals, &associated));
        opened.map_err(|error| named(error, &entry.name))
    }

    /// Puts an object where it was, into a new file.
    pub fn write(&self, number: usize, to: &Path) -> Result<(), BackupError> {
        let (entry, extent) = self.entry(number)?;
        if entry.sealed {
            let plain = self.read(number)?;
            // Not by way of a buffer that nobody wipes: it may be a key.
            return write(to, &plain).map_err(BackupError::io(to));
        }
        let file = self.backup.file(&place(number), extent).map_err(|error| named(error, &entry.name))?;
        let from = self.backup.folder.join(place(number));
        let copied = copy((file.take(extent.bytes), from.as_path()), to)?;
        same(&place(number), &copied, extent).map_err(|error| named(error, &entry.name))
    }

    /// Reads an object and throws it away: it is as it was written, or named.
    pub fn check(&self, number: usize) -> Result<(), BackupError> {
        let (entry, extent) = self.entry(number)?;
        if entry.sealed {
            return self.read(number).map(drop);
        }
        let checked = self.backup.check_file(&place(number), extent, &mut |_| ());
        checked.map_err(|error| named(error, &entry.name))
    }

    fn entry(&self, number: usize) -> Result<(&Entry, &Extent), BackupError> {
        let found = self.entries.get(number).zip(self.backup.manifest.objects.get(number));
        found.ok_or_else(|| BackupError::object(place(number), "there is no such object"))
    }
}

/// The same, with what the object is called.
fn named(error: BackupError, name: &ObjectName) -> BackupError {
    match error {
        BackupError::Object { place, what } => BackupError::object(format!("{place} ({name})"), what),
        other => other,
    }
}

fn same(name: &str, found: &Extent, extent: &Extent) -> Result<(), BackupError> {
    if found == extent {
        return Ok(());
    }
    Err(BackupError::object(
        name,
        "its SHA-256 is not the one that the manifest tells: it was changed or exchanged",
    ))
}

fn refused(path: &Path, what: impl Into<String>) -> BackupError {
    BackupError::Manifest { path: path.into(), what: what.into() }
}

/// What stands in a file that is not longer than this.
fn limited(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Err(ErrorKind::NotFound.into());
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(ErrorKind::InvalidData.into()) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests;
