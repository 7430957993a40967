//! Prepares the next segment while the present one fills, so that a commit never waits for zeros.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::thread;
use std::time::Duration;

/// How the names of prepared files begin.
pub(crate) const SPARE: &str = "spare-";
const ZEROS: usize = 1 << 20;
/// How long until room is looked for again.
const PATIENCE: Duration = Duration::from_secs(1);

/// A file of zeros, and where it is.
pub(crate) type Prepared = (File, PathBuf);

/// The thread that prepares; it ends when this is dropped.
pub(crate) struct Spares {
    ready: Receiver<Prepared>,
    short: Arc<AtomicBool>,
    _stop: Sender<()>,
}

impl Spares {
    pub(crate) fn start(dir: PathBuf, size: u64, short: Arc<AtomicBool>) -> io::Result<Self> {
        let (give, ready) = sync_channel(0);
        let (stop, stopped) = channel();
        let full = short.clone();
        thread::Builder::new()
            .name("log-spares".into())
            .spawn(move || prepare(&dir, size, &full, (&give, &stopped)))?;
        Ok(Self { ready, short, _stop: stop })
    }

    /// The next file. `None` where there is no room for one.
    pub(crate) fn take(&self) -> Option<Prepared> {
        loop {
            match self.ready.recv_timeout(PATIENCE) {
                Ok(prepared) => return Some(prepared),
                Err(RecvTimeoutError::Timeout) if !self.short.load(Ordering::Relaxed) => {}
                Err(_) => return None,
            }
        }
    }
}

fn prepare(
    dir: &Path,
    size: u64,
    short: &AtomicBool,
    (give, stopped): (&SyncSender<Prepared>, &Receiver<()>),
) {
    for number in 0_u64.. {
        let path = dir.join(format!("{SPARE}{number}"));
        match zeros(&path, size) {
            Ok(file) => {
                if short.swap(false, Ordering::Relaxed) {
                    tracing::info!("there is room for the log again");
                }
                if give.send((file, path)).is_err() {
                    return;
                }
            }
            Err(error) => {
                if !short.swap(true, Ordering::Relaxed) {
                    tracing::error!(%error, folder = %dir.display(), "no room for the next segment of the log");
                }
                // What was written so far takes the last room there is.
                let _ = std::fs::remove_file(&path);
                if !matches!(stopped.recv_timeout(PATIENCE), Err(RecvTimeoutError::Timeout)) {
                    return;
                }
            }
        }
    }
}

fn zeros(path: &Path, size: u64) -> io::Result<File> {
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)?;
    let block = vec![0; ZEROS];
    let mut left = size;
    while left > 0 {
        let some = usize::try_from(left).map_or(ZEROS, |left| left.min(ZEROS));
        file.write_all(block.get(..some).unwrap_or_default())?;
        left -= some as u64;
    }
    file.sync_all()?;
    Ok(file)
}
