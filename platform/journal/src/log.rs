use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use garrison_base::Entropy;
use garrison_secrets::SealKey;
use tokio::sync::{Semaphore, oneshot, watch};

use crate::frame::APPEND;
use crate::segment::{BLOCK, Place, sync_dir};
use crate::spare::SPARE;
use crate::writer::Writer;
use crate::{Entry, LogError, OpenError, Reader, Recovered, Stream, recover};

/// What may wait for the writer before senders wait themselves.
const WAITING_KIB: usize = 64 << 10;

/// Where and how a log is kept.
pub struct Options {
    /// The folder; made where it is missing.
    pub dir: PathBuf,
    /// Its name: what is sealed under one does not open under another.
    pub name: String,
    /// What wraps the keys of the segments.
    pub key: SealKey,
    /// Where those keys come from.
    pub entropy: Arc<dyn Entropy>,
    /// The size of a segment in bytes; 64 MiB is a good one.
    pub segment: u64,
    /// The number of the first entry where there is no segment: 1, or what comes behind entries that were kept elsewhere.
    pub first: u64,
}

/// A log that is open. All its methods may be called from everywhere at once.
pub struct Log {
    shared: Arc<Shared>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) queue: Mutex<Queue>,
    pub(crate) wake: Condvar,
    pub(crate) room: Semaphore,
    /// Whether there is no room for the next segment.
    pub(crate) short: Arc<AtomicBool>,
    /// The last number that is on the disk.
    pub(crate) durable: watch::Sender<u64>,
    pub(crate) segments: Mutex<Vec<Place>>,
    _lock: File,
}

/// What waits for the writer.
pub(crate) struct Queue {
    pub(crate) appends: Vec<Append>,
    /// Why nothing more is taken.
    pub(crate) shut: Option<LogError>,
}

pub(crate) struct Append {
    pub(crate) entries: Vec<Entry>,
    pub(crate) kib: u32,
    pub(crate) done: oneshot::Sender<Result<RangeInclusive<u64>, LogError>>,
}

impl Log {
    /// Opens a log, or makes one. Verifies all that it holds.
    pub fn open(options: Options) -> Result<(Self, Recovered), OpenError> {
        let dir = options.dir.clone();
        std::fs::create_dir_all(&dir).map_err(OpenError::io(&dir))?;
        let lock = lock(&options)?;
        clear_spares(&options)?;
        let (segments, recovered) = recover::recover(&dir, (&options.name, &options.key), options.first)?;
        sync_dir(&dir).map_err(OpenError::io(&dir))?;
        let number = segments.last().map_or(1, |last| last.number + 1);
        let shared = Arc::new(Shared {
            options,
            queue: Mutex::new(Queue { appends: Vec::new(), shut: None }),
            wake: Condvar::new(),
            room: Semaphore::new(WAITING_KIB),
            short: Arc::default(),
            durable: watch::Sender::new(recovered.next - 1),
            segments: Mutex::new(segments),
            _lock: lock,
        });
        let writer = Writer::start(shared.clone(), Place { number, first: recovered.next })
            .map_err(OpenError::io(&dir))?;
        Ok((Self { shared, writer: Mutex::new(Some(writer)) }, recovered))
    }

    /// Keeps entries, all or none; answers their numbers when they are on the disk. Waits while too much waits
    /// already. Whoever stops waiting for the answer does not stop the keeping.
    pub async fn append(&self, entries: Vec<Entry>) -> Result<RangeInclusive<u64>, LogError> {
        let bytes = entries.iter().map(Entry::framed).sum();
        let limit =
            APPEND.min(usize::try_from(self.shared.options.segment).unwrap_or(APPEND).saturating_sub(BLOCK));
        if entries.is_empty() || bytes > limit || entries.iter().any(|entry| entry.bytes.is_empty()) {
            return Err(LogError::Size { bytes, limit });
        }
        let essential = entries.iter().all(|entry| entry.stream == Stream::AUDIT);
        if !essential && self.shared.short.load(Ordering::Relaxed) {
            return Err(LogError::Full);
        }
        let kib = u32::try_from(bytes.div_ceil(1 << 10)).unwrap_or(u32::MAX);
        // The writer gives it back.
        let Ok(room) = self.shared.room.acquire_many(kib).await else {
            return Err(self.shared.queue().shut.clone().unwrap_or(LogError::Closed));
        };
        room.forget();
        let (done, answer) = oneshot::channel();
        {
            let mut queue = self.shared.queue();
            if let Some(why) = &queue.shut {
                return Err(why.clone());
            }
            queue.appends.push(Append { entries, kib, done });
        }
        self.shared.wake.notify_one();
        answer.await.unwrap_or(Err(LogError::Closed))
    }

    /// Why it takes nothing any more, where a write has failed.
    pub fn failed(&self) -> Option<LogError> {
        self.shared.queue().shut.clone().filter(|why| matches!(why, LogError::Failed(_)))
    }

    /// Follows the last number that is on the disk.
    pub fn durable(&self) -> watch::Receiver<u64> {
        self.shared.durable.subscribe()
    }

    /// Reads entries again, from this number or the first that is still there.
    pub fn reader(&self, from: u64) -> Reader {
        Reader::new(self.shared.clone(), from)
    }

    /// Gives back segments whose entries are all kept elsewhere: up to this number.
    pub fn release(&self, up_to: u64) -> Result<(), OpenError> {
        let mut segments = self.shared.segments();
        let behind = segments.iter().skip(1).take_while(|next| next.first <= up_to.saturating_add(1)).count();
        let dir = &self.shared.options.dir;
        // One that could not be removed stays listed, so that none behind it goes before it.
        for gone in segments.iter().take(behind).copied().collect::<Vec<_>>() {
            let path = gone.path(dir);
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(OpenError::io(path)(error)),
                _ => segments.retain(|segment| segment.number != gone.number),
            }
        }
        drop(segments);
        sync_dir(dir).map_err(OpenError::io(dir))
    }

    /// Whether there is no room for the next segment: ordinary entries are refused then.
    pub fn is_short_of_room(&self) -> bool {
        self.shared.short.load(Ordering::Relaxed)
    }

    /// Takes nothing more, and returns when all that was taken is answered.
    pub fn close(&self) {
        self.shared.queue().shut.get_or_insert(LogError::Closed);
        self.shared.wake.notify_one();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if writer.is_some_and(|writer| writer.join().is_err()) {
            tracing::error!("the writer of the log broke off");
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    pub(crate) fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn segments(&self) -> MutexGuard<'_, Vec<Place>> {
        self.segments.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn keys(&self) -> (&str, &SealKey) {
        (&self.options.name, &self.options.key)
    }
}

/// Two processes must not write one log.
fn lock(options: &Options) -> Result<File, OpenError> {
    let path = options.dir.join("lock");
    let file = File::create(&path).map_err(OpenError::io(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Taken(options.dir.clone())),
        Err(TryLockError::Error(source)) => Err(OpenError::Io { path, source }),
    }
}

/// What was prepared and never used.
fn clear_spares(options: &Options) -> Result<(), OpenError> {
    let dir = &options.dir;
    for entry in std::fs::read_dir(dir).map_err(OpenError::io(dir))? {
        let entry = entry.map_err(OpenError::io(dir))?;
        if entry.file_name().to_str().is_some_and(|name| name.starts_with(SPARE)) {
            std::fs::remove_file(entry.path()).map_err(OpenError::io(entry.path()))?;
        }
    }
    Ok(())
}
