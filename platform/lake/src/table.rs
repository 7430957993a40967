use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{self, DirBuilder, File};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::slice;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use datafusion::arrow::array::RecordBatch;
use datafusion::execution::disk_manager::{DiskManager, DiskManagerMode};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use garrison_base::{Entropy, TenantId};
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use tokio::sync::broadcast;
use tokio::time::Instant;

use crate::keyring::{Keyring, Places};
use crate::provider::STORE;
use crate::sealed::Sealed;
use crate::words::Known;
use crate::workers::Workers;
use crate::writer::{HOT_GROUP, Writer, Written};
use crate::{FileEntry, FileId, LakeError, Layout};

/// For so long a file that is no longer listed stays, for the questions that had begun.
pub const GRACE: Duration = Duration::from_mins(10);
/// Batches that whoever follows the news may be behind.
const NEWS: usize = 256;
/// Bytes of files' footers that are kept in memory.
const FOOTER_BYTES: usize = 64 << 20;
/// Bytes of word indexes that are kept in memory.
const KNOWN_BYTES: usize = 64 << 20;

/// New events of one stream and hour.
#[derive(Debug, Clone)]
pub struct Hot {
    /// The stream.
    pub stream: Arc<str>,
    /// The hour, in hours since 1970.
    pub hour: i64,
    /// The events, in the layout's columns.
    pub batch: RecordBatch,
    /// Up to where in the log its events come from.
    pub last: u64,
}

/// Events that can be found from now on, all at the same moment.
#[derive(Debug, Clone)]
pub struct News {
    /// Whose.
    pub tenant: TenantId,
    /// Which.
    pub batches: Vec<RecordBatch>,
}

/// All tables, one for each tenant.
pub struct Lake {
    pub(crate) dir: PathBuf,
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) layout: Arc<Layout>,
    tables: RwLock<HashMap<TenantId, Table>>,
    news: broadcast::Sender<News>,
    retired: Mutex<Vec<(Instant, FileEntry)>>,
    known: Mutex<HashMap<FileId, Option<Arc<Known>>>>,
    keys: Arc<dyn Keyring>,
    pub(crate) entropy: Arc<dyn Entropy>,
    /// What questions share.
    pub(crate) runtime: RuntimeEnv,
    pub(crate) workers: Workers,
    /// The folder for what they put aside.
    pub(crate) aside: PathBuf,
}

/// What a tenant has. Batches keep the order in which they came.
#[derive(Default, Clone)]
pub(crate) struct Table {
    pub(crate) hot: Vec<Hot>,
    pub(crate) files: Vec<Arc<FileEntry>>,
}

impl Lake {
    /// A lake in this folder, which is made where it is missing. Nothing is in it until [`Lake::load`].
    pub fn open(
        dir: &Path,
        layout: Layout,
        keys: Arc<dyn Keyring>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, LakeError> {
        fs::create_dir_all(dir).map_err(LakeError::io(dir))?;
        let store = LocalFileSystem::new_with_prefix(dir)
            .map_err(|error| LakeError::File(dir.into(), std::io::Error::other(error)))?;
        let seals = Places(keys.clone());
        let store: Arc<dyn ObjectStore> = Arc::new(Sealed::new(Arc::new(store), Arc::new(seals)));
        let aside = dir.join("tmp");
        clear(&aside).map_err(LakeError::io(&aside))?;
        let runtime = RuntimeEnvBuilder::new()
            .with_disk_manager_builder(DiskManager::builder().with_mode(DiskManagerMode::Disabled))
            .with_metadata_cache_limit(FOOTER_BYTES)
            .build()?;
        runtime.register_object_store(ObjectStoreUrl::parse(STORE)?.as_ref(), store.clone());
        Ok(Self {
            dir: dir.into(),
            store,
            layout: Arc::new(layout),
            tables: RwLock::default(),
            news: broadcast::Sender::new(NEWS),
            retired: Mutex::default(),
            known: Mutex::default(),
            keys,
            entropy,
            runtime,
            workers: Workers::start().map_err(LakeError::io(dir))?,
            aside,
        })
    }

    /// What the list says at the start. Files that it does not know are set aside: they were being written when the process
    /// ended, or belong to a newer list. One that it knows and that is missing or has another size is an error.
    pub fn load(&self, files: Vec<FileEntry>) -> Result<(), LakeError> {
        for file in &files {
            let path = self.dir.join(file.path());
            let size = fs::metadata(&path).map_err(LakeError::io(&path))?.len();
            if size != file.bytes {
                let what = format!("has {size} bytes, and {} were written", file.bytes);
                return Err(LakeError::File(path, std::io::Error::other(what)));
            }
        }
        let wanted: HashSet<PathBuf> = files
            .iter()
            .flat_map(|file| [self.dir.join(file.path()), self.dir.join(file.words_path())])
            .collect();
        sweep(&self.dir, &wanted)?;
        let mut tables = self.write_tables();
        for file in files {
            tables.entry(file.tenant).or_default().files.push(Arc::new(file));
        }
        Ok(())
    }

    /// Takes new events. They can be found when this returns; no question finds a part of them.
    pub fn add(&self, tenant: TenantId, fresh: Vec<Hot>) {
        let news = News { tenant, batches: fresh.iter().map(|hot| hot.batch.clone()).collect() };
        self.write_tables().entry(tenant).or_default().hot.extend(fresh);
        // Nobody may be listening.
        let _ = self.news.send(news);
    }

    /// Follows the events that come from now on.
    pub fn news(&self) -> broadcast::Receiver<News> {
        self.news.subscribe()
    }

    /// The events that are in no file yet: how many, and their bytes in memory.
    pub fn hot(&self) -> (usize, usize) {
        let tables = self.tables();
        let hot = tables.values().flat_map(|table| &table.hot);
        hot.fold((0, 0), |(rows, bytes), hot| {
            (rows + hot.batch.num_rows(), bytes + hot.batch.get_array_memory_size())
        })
    }

    /// Whose events are in memory only.
    pub fn hot_tenants(&self) -> Vec<TenantId> {
        let tables = self.tables();
        tables.iter().filter(|(_, table)| !table.hot.is_empty()).map(|(tenant, _)| *tenant).collect()
    }

    /// The files of a tenant.
    pub fn files(&self, tenant: TenantId) -> Vec<Arc<FileEntry>> {
        self.tables().get(&tenant).map(|table| table.files.clone()).unwrap_or_default()
    }

    /// Writes the batches of a tenant that come from the log up to this number. They are still found in memory;
    /// [`Lake::adopt`] makes the files count in their place, when the list has them.
    pub fn write(&self, tenant: TenantId, upto: u64) -> Result<(usize, Vec<FileEntry>), LakeError> {
        let mut hot = self.tables().get(&tenant).map(|table| table.hot.clone()).unwrap_or_default();
        hot.truncate(hot.partition_point(|hot| hot.last <= upto));
        let count = hot.len();
        let mut groups: BTreeMap<(Arc<str>, i64), Vec<RecordBatch>> = BTreeMap::new();
        for Hot { stream, hour, batch, .. } in hot {
            groups.entry((stream, hour)).or_default().push(batch);
        }
        let mut files = Vec::with_capacity(groups.len());
        for ((stream, hour), batches) in groups {
            match self.write_hour((tenant, &stream, hour), &batches) {
                Ok(file) => files.push(file),
                Err(error) => {
                    self.discard(&files);
                    return Err(error);
                }
            }
        }
        Ok((count, files))
    }

    fn write_hour(
        &self,
        (tenant, stream, hour): (TenantId, &str, i64),
        batches: &[RecordBatch],
    ) -> Result<FileEntry, LakeError> {
        let mut writer = Writer::new(&self.layout, HOT_GROUP)?;
        for batch in batches {
            writer.add(batch)?;
        }
        self.put((tenant, stream, hour, false), writer.finish()?)
    }

    /// The list has these files now: they replace the first `count` batches of memory.
    pub fn adopt(&self, tenant: TenantId, count: usize, files: Vec<FileEntry>) {
        let mut tables = self.write_tables();
        let table = tables.entry(tenant).or_default();
        table.hot.drain(..count.min(table.hot.len()));
        table.files.extend(files.into_iter().map(Arc::new));
    }

    /// The list has `new` in the place of `old` now.
    pub fn replace(&self, tenant: TenantId, old: &[FileId], new: Vec<FileEntry>) {
        let mut tables = self.write_tables();
        let table = tables.entry(tenant).or_default();
        let (gone, stay) = table.files.drain(..).partition(|file| old.contains(&file.id));
        table.files = stay;
        table.files.extend(new.into_iter().map(Arc::new));
        drop(tables);
        let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        let gone: Vec<Arc<FileEntry>> = gone;
        retired.extend(gone.into_iter().map(|file| (Instant::now(), (*file).clone())));
    }

    /// Removes files that were written and are not to be listed.
    pub fn discard(&self, files: &[FileEntry]) {
        for path in files.iter().flat_map(|file| [file.path(), file.words_path()]) {
            // What stays is set aside at the next start.
            let _ = fs::remove_file(self.dir.join(path));
        }
    }

    /// Removes files that have been off the list for so long. [`GRACE`] lets questions end that had begun.
    pub fn tidy(&self, grace: Duration) {
        let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        retired.retain(|(since, file)| {
            if since.elapsed() < grace {
                return true;
            }
            self.discard(slice::from_ref(file));
            self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(&file.id);
            false
        });
    }

    /// Puts a written file where it belongs, and waits until it is on the disk.
    pub(crate) fn put(
        &self,
        (tenant, stream, hour, sorted): (TenantId, &str, i64, bool),
        written: Written,
    ) -> Result<FileEntry, LakeError> {
        let mut random = [0; 16];
        self.entropy.fill(&mut random);
        let mut entry = FileEntry {
            id: FileId(format!("{:032x}", u128::from_be_bytes(random))),
            tenant,
            stream: stream.to_owned(),
            hour,
            sorted,
            sealed: true,
            rows: written.rows,
            bytes: 0,
            first: written.span.0,
            last: written.span.1,
            nodes: written.nodes,
            digest: [0; 32],
        };
        let key = self.keys.make(tenant, stream, entry.day()).map_err(LakeError::Key)?;
        let events = key.seal(entry.object().as_bytes(), &written.bytes, &*self.entropy);
        let words = key.seal(entry.words_object().as_bytes(), &written.words, &*self.entropy);
        (entry.bytes, entry.digest) = (events.len() as u64, garrison_secrets::digest(&events));
        if let Err(error) = self.keep(&entry, &events, &words) {
            // On a full disk, what each attempt leaves would keep it full.
            self.discard(slice::from_ref(&entry));
            return Err(error);
        }
        Ok(entry)
    }

    /// Writes both parts of a file, and waits until they are on the disk with the folders above them.
    fn keep(&self, entry: &FileEntry, events: &[u8], words: &[u8]) -> Result<(), LakeError> {
        let path = self.dir.join(entry.path());
        write(&path, events)?;
        write(&self.dir.join(entry.words_path()), words)?;
        let mut folder = path.parent();
        while let Some(dir) = folder {
            File::open(dir).and_then(|dir| dir.sync_all()).map_err(LakeError::io(dir))?;
            folder = dir.parent().filter(|_| dir != self.dir);
        }
        Ok(())
    }

    /// The word index of a file, read once.
    pub(crate) fn known(&self, file: &FileEntry) -> Option<Arc<Known>> {
        let lock = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(&file.id) {
            return known.clone();
        }
        let read = self.words(file).and_then(Known::read).map(Arc::new);
        let mut known = lock();
        let size: usize = known.values().flatten().map(|known| known.size()).sum();
        if size > KNOWN_BYTES {
            known.clear();
        }
        known.insert(file.id.clone(), read.clone());
        read
    }

    /// Nothing where it cannot be read: then no word is ruled out.
    fn words(&self, file: &FileEntry) -> Option<Vec<u8>> {
        let bytes = fs::read(self.dir.join(file.words_path())).ok()?;
        if !file.sealed {
            return Some(bytes);
        }
        let key = self.keys.find(file.tenant, &file.stream, file.day())?;
        let opened = key.open(file.words_object().as_bytes(), &bytes);
        if opened.is_err() {
            tracing::error!(
                file = file.words_path(),
                "the index of words was changed or moved; it is left out"
            );
        }
        opened.ok()
    }

    /// What a tenant has, all from one moment.
    pub(crate) fn table(&self, tenant: TenantId) -> Table {
        self.tables().get(&tenant).cloned().unwrap_or_default()
    }

    fn tables(&self) -> RwLockReadGuard<'_, HashMap<TenantId, Table>> {
        self.tables.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_tables(&self) -> RwLockWriteGuard<'_, HashMap<TenantId, Table>> {
        self.tables.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Lake {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Lake").field("dir", &self.dir).finish_non_exhaustive()
    }
}

/// An empty folder that only its owner may enter. What a process that broke off left there goes.
fn clear(dir: &Path) -> std::io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    DirBuilder::new().mode(0o700).create(dir)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), LakeError> {
    let write = || {
        if let Some(dir) = path.parent() {
            fs::create_dir_all(dir)?;
        }
        let mut file = File::create_new(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(LakeError::io(path))
}

/// Sets the files below a folder aside that nobody wants.
fn sweep(dir: &Path, wanted: &HashSet<PathBuf>) -> Result<(), LakeError> {
    for entry in fs::read_dir(dir).map_err(LakeError::io(dir))? {
        let path = entry.map_err(LakeError::io(dir))?.path();
        let ours = path
            .extension()
            .is_some_and(|end| ["parquet", "words", "sealed"].iter().any(|ours| end == *ours));
        if path.is_dir() {
            sweep(&path, wanted)?;
        } else if ours && !wanted.contains(&path) {
            let aside = path.with_added_extension("unlisted");
            tracing::warn!(file = %aside.display(), "a file of the lake that is not listed was set aside");
            fs::rename(&path, &aside).map_err(LakeError::io(&path))?;
        }
    }
    Ok(())
}
