use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use garrison_base::{BackupId, Entropy};
use garrison_secrets::{BackupKey, RecoveryPublic, StreamKey};

use crate::manifest::{Entry, FORMAT, hex};
use crate::{
    BackupError, Extent, FOLDER, INDEX, MANIFEST, Manifest, OBJECTS, ObjectName, SEALED, Told, UNFINISHED,
    associated, place,
};

/// Bytes that are copied at once.
const CHUNK: usize = 1 << 20;

/// A backup that is being made, under a name of its own; removed where it is not finished.
pub struct Making {
    folder: Aside,
    id: BackupId,
    key: BackupKey,
    seals: StreamKey,
    entropy: Arc<dyn Entropy>,
    entries: Vec<Entry>,
    objects: Vec<Extent>,
}

/// A backup that is whole and on the disk, and does not have its name yet.
pub struct Made {
    folder: Aside,
    to: PathBuf,
    manifest: Manifest,
}

impl Making {
    /// Begins one below this folder.
    pub fn begin(to: &Path, id: BackupId, entropy: Arc<dyn Entropy>) -> Result<Self, BackupError> {
        let folder = Aside(Some(to.join(format!("{id}{UNFINISHED}"))));
        let mut private = DirBuilder::new();
        private.mode(0o700);
        private.create(folder.path()).map_err(BackupError::io(folder.path()))?;
        let objects = folder.path().join(FOLDER);
        private.create(&objects).map_err(BackupError::io(&objects))?;
        let key = BackupKey::fresh(&*entropy);
        let seals = key.objects();
        Ok(Self { folder, id, key, seals, entropy, entries: Vec::new(), objects: Vec::new() })
    }

    /// The folder in which it is made.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Seals an object.
    pub fn seal(&mut self, name: ObjectName, plain: &[u8]) -> Result<(), BackupError> {
        let sealed = self.seals.seal(&associated(self.id, name.as_str()), plain, &*self.entropy);
        if sealed.len() as u64 > SEALED {
            return Err(BackupError::Long(name));
        }
        let path = self.next()?;
        write(&path, &sealed).map_err(BackupError::io(&path))?;
        self.entries.push(Entry { name, sealed: true });
        self.objects.push(Extent::of(&sealed));
        Ok(())
    }

    /// Copies the first bytes of an object that is sealed already; all of them where no number is told.
    pub fn copy(
        &mut self,
        name: ObjectName,
        from: &Path,
        bytes: Option<u64>,
    ) -> Result<&Extent, BackupError> {
        let path = self.next()?;
        let source = File::open(from).map_err(BackupError::io(from))?;
        let copied = copy((source.take(bytes.unwrap_or(u64::MAX)), from), &path)?;
        if bytes.is_some_and(|bytes| bytes != copied.bytes) {
            let ended = io::Error::from(io::ErrorKind::UnexpectedEof);
            return Err(BackupError::io(from)(ended));
        }
        self.entries.push(Entry { name, sealed: false });
        self.objects.push(copied.clone());
        self.objects.last().ok_or(BackupError::Many(OBJECTS))
    }

    /// Writes index and manifest, and waits until everything is on the disk.
    pub fn finish(self, told: Told, recovery: &RecoveryPublic) -> Result<Made, BackupError> {
        let Self { folder, id, key, seals, entropy, entries, objects } = self;
        let json = |error: serde_json::Error| BackupError::io(folder.path())(error.into());
        let index =
            seals.seal(&associated(id, INDEX), &serde_json::to_vec(&entries).map_err(json)?, &*entropy);
        let path = folder.path().join(INDEX);
        write(&path, &index).map_err(BackupError::io(&path))?;
        let sealed = key.seal_to(recovery, &id.to_string());
        let sealed = sealed.map_err(|_| BackupError::Weak(recovery.to_string()))?;
        let manifest = Manifest {
            format: FORMAT.to_owned(),
            backup: id,
            told,
            recovery: recovery.to_string(),
            key: STANDARD.encode(sealed),
            index: Extent::of(&index),
            objects,
        };
        let mut text = serde_json::to_vec(&manifest).map_err(json)?;
        let tag = hex(&key.manifest().tag(&[&text]));
        text.extend(format!("\n{tag}\n").into_bytes());
        let path = folder.path().join(MANIFEST);
        write(&path, &text).map_err(BackupError::io(&path))?;
        for path in [folder.path().join(FOLDER), folder.path().to_owned()] {
            sync(&path).map_err(BackupError::io(&path))?;
        }
        let to = folder.path().with_file_name(id.to_string());
        Ok(Made { folder, to, manifest })
    }

    fn next(&self) -> Result<PathBuf, BackupError> {
        if self.objects.len() >= OBJECTS {
            return Err(BackupError::Many(OBJECTS));
        }
        Ok(self.folder.path().join(place(self.objects.len())))
    }
}

impl Made {
    /// What it tells.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The bytes of all its objects.
    pub fn bytes(&self) -> u64 {
        self.manifest.objects.iter().map(|object| object.bytes).sum()
    }

    /// Gives it its name: from now on it is a backup. Answers where it is.
    pub fn publish(mut self) -> Result<PathBuf, BackupError> {
        fs::rename(self.folder.path(), &self.to).map_err(BackupError::io(&self.to))?;
        self.folder.0 = None;
        let above = self.to.parent().unwrap_or(&self.to);
        sync(above).map_err(BackupError::io(above))?;
        Ok(self.to)
    }
}

/// A folder that goes unless it got its name.
struct Aside(Option<PathBuf>);

impl Aside {
    fn path(&self) -> &Path {
        self.0.as_deref().unwrap_or(Path::new(""))
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // What cannot be removed has an ending that no backup has.
            let _ = fs::remove_dir_all(path);
        }
    }
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Writes a new file, and waits until it is on the disk.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Copies a stream, which comes out of the file of this name, into a new file, and waits until it is on the disk.
pub(crate) fn copy((mut from, name): (impl Read, &Path), to: &Path) -> Result<Extent, BackupError> {
    let mut file = create(to).map_err(BackupError::io(to))?;
    let extent = each((&mut from, name), |part| file.write_all(part).map_err(BackupError::io(to)))?;
    file.sync_all().map_err(BackupError::io(to))?;
    Ok(extent)
}

/// Reads a stream, which comes out of the file of this name, to its end, part by part.
pub(crate) fn each(
    (from, name): (&mut impl Read, &Path),
    mut take: impl FnMut(&[u8]) -> Result<(), BackupError>,
) -> Result<Extent, BackupError> {
    let (mut digest, mut bytes, mut buffer) = (Context::new(&SHA256), 0, vec![0; CHUNK]);
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(BackupError::io(name)(error)),
        };
        let part = buffer.get(..read).unwrap_or_default();
        digest.update(part);
        take(part)?;
        bytes += read as u64;
    }
    Ok(Extent { bytes, sha256: hex(digest.finish().as_ref()) })
}
