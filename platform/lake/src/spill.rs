//! What a question puts aside on the disk: sealed, bounded, and in files that have no name.
//!
//! A file grows by frames of at most 64 KiB, each its length (u32, little-endian) and its cipher text with tag, under a key
//! that is kept nowhere. So what a process leaves behind when it ends is nothing, and what a disk remembers is noise.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::{SpillFile, SpillWriter, TempFileFactory};
use futures_util::{Stream, stream};
use garrison_base::Entropy;
use garrison_secrets::FrameKey;

use crate::room::has_room;

/// Bytes of a frame before it is sealed.
const FRAME: usize = 64 << 10;
const LENGTH: usize = size_of::<u32>();

/// Makes the files of one question.
pub(crate) struct Aside {
    dir: PathBuf,
    room: Arc<AtomicU64>,
    entropy: Arc<dyn Entropy>,
}

impl Aside {
    /// In this folder, so many bytes at most at the same time.
    pub(crate) fn new(dir: PathBuf, room: u64, entropy: Arc<dyn Entropy>) -> Self {
        Self { dir, room: Arc::new(AtomicU64::new(room)), entropy }
    }
}

impl TempFileFactory for Aside {
    fn create_temp_file(&self, _: &str) -> Result<Arc<dyn SpillFile>> {
        let file = tempfile::tempfile_in(&self.dir)?;
        let key = FrameKey::unkept(&*self.entropy);
        Ok(Arc::new(Spill(Arc::new(Inner { file, key, room: self.room.clone(), end: Mutex::default() }))))
    }
}

#[derive(Clone)]
struct Spill(Arc<Inner>);

struct Inner {
    file: File,
    key: FrameKey,
    room: Arc<AtomicU64>,
    end: Mutex<End>,
}

/// What was written: so many frames, so many bytes.
#[derive(Default, Clone, Copy)]
struct End {
    frames: u64,
    bytes: u64,
}

impl Inner {
    fn end(&self) -> End {
        *self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Seals a frame and writes it behind the others.
    fn append(&self, body: &[u8]) -> io::Result<()> {
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        let sealed = body.len() + FrameKey::TAG;
        let size = (LENGTH + sealed) as u64;
        if !has_room(&self.file, size) {
            return Err(io::Error::new(
                io::ErrorKind::StorageFull,
                "what is free of the disk is for acts and records",
            ));
        }
        let taken =
            self.room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |room| room.checked_sub(size));
        if taken.is_err() {
            return Err(io::Error::new(
                io::ErrorKind::QuotaExceeded,
                "the question has used its part of the disk",
            ));
        }
        let length = u32::try_from(sealed).map_err(io::Error::other)?.to_le_bytes();
        let mut frame = [&length, body].concat();
        let tag = match frame.get_mut(LENGTH..) {
            Some(body) => self.key.seal(end.frames, &length, body),
            None => return Err(io::ErrorKind::InvalidInput.into()),
        };
        frame.extend(tag);
        // A number is used once, also where nothing came of it: what is written behind such a frame does not open.
        end.frames += 1;
        let written = self.file.write_all_at(&frame, end.bytes);
        if written.is_ok() {
            end.bytes += size;
        } else {
            self.room.fetch_add(size, Ordering::Relaxed);
        }
        written
    }

    /// The frame at this place, and the next place; nothing at the end.
    fn read(&self, at: End) -> io::Result<Option<(Bytes, End)>> {
        if at.bytes >= self.end().bytes {
            return Ok(None);
        }
        let mut length = [0; LENGTH];
        self.file.read_exact_at(&mut length, at.bytes)?;
        let size = u32::from_le_bytes(length) as usize;
        if size > FRAME + FrameKey::TAG {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut sealed = vec![0; size];
        self.file.read_exact_at(&mut sealed, at.bytes + LENGTH as u64)?;
        let length = self.key.open(at.frames, &length, &mut sealed).map_err(io::Error::other)?.len();
        sealed.truncate(length);
        let next = End { frames: at.frames + 1, bytes: at.bytes + (LENGTH + size) as u64 };
        Ok(Some((Bytes::from(sealed), next)))
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.room.fetch_add(self.end().bytes, Ordering::Relaxed);
    }
}

impl SpillFile for Spill {
    fn size(&self) -> Option<u64> {
        Some(self.0.end().bytes)
    }

    fn read_stream(&self) -> Result<Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>> {
        let file = self.0.clone();
        // Questions have threads of their own, which may wait for the disk.
        let frames = stream::try_unfold(End::default(), move |at| {
            let read = file.read(at).map_err(DataFusionError::from);
            std::future::ready(read)
        });
        Ok(Box::pin(frames))
    }

    fn open_writer(&self) -> Result<Box<dyn SpillWriter>> {
        Ok(Box::new(Writer { file: self.0.clone(), waiting: Vec::with_capacity(FRAME) }))
    }
}

struct Writer {
    file: Arc<Inner>,
    /// What does not fill a frame yet.
    waiting: Vec<u8>,
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let fits = bytes.len().min(FRAME - self.waiting.len());
        self.waiting.extend(bytes.iter().take(fits));
        if self.waiting.len() == FRAME {
            self.flush()?;
        }
        Ok(fits)
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.waiting.is_empty() {
            self.file.append(&self.waiting)?;
            self.waiting.clear();
        }
        Ok(())
    }
}

impl SpillWriter for Writer {
    fn finish(&mut self) -> Result<()> {
        Ok(self.flush()?)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt as _;
    use garrison_secrets::SystemEntropy;

    use super::*;

    #[tokio::test]
    async fn comes_back_as_it_was_and_is_not_readable_on_the_disk() {
        let dir = tempfile::tempdir().unwrap();
        let aside = Aside::new(dir.path().into(), 1 << 20, Arc::new(SystemEntropy));
        let file = aside.create_temp_file("a test").unwrap();
        let plain: Vec<u8> =
            b"a secret of a customer; ".iter().copied().cycle().take(3 * FRAME + 7).collect();
        let mut writer = file.open_writer().unwrap();
        writer.write_all(&plain).unwrap();
        writer.finish().unwrap();
        let read: Vec<Bytes> = file.read_stream().unwrap().try_collect().await.unwrap();
        assert_eq!(read.concat(), plain);
        assert_eq!(read.len(), 4);
        // No name, so nothing to find after the process, and nothing to clear away.
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_frame_that_was_changed_or_moved_is_refused() {
        let file = Inner {
            file: tempfile::tempfile().unwrap(),
            key: FrameKey::unkept(&SystemEntropy),
            room: Arc::new(AtomicU64::new(1 << 20)),
            end: Mutex::default(),
        };
        file.append(b"first").unwrap();
        file.append(b"other").unwrap();
        let (body, second) = file.read(End::default()).unwrap().unwrap();
        assert_eq!(&*body, b"first");
        assert!(file.read(End { frames: 0, ..second }).is_err(), "the second in the place of the first");
        file.file.write_all_at(&[0], LENGTH as u64).unwrap();
        assert!(file.read(End::default()).is_err());
        let mut bytes = vec![0; 64];
        let length = file.file.read_at(&mut bytes, 0).unwrap();
        assert!(!bytes[..length].windows(5).any(|part| part == b"other"));
    }

    #[test]
    fn no_number_is_used_twice() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("aside");
        std::fs::write(&path, "").unwrap();
        let file = Inner {
            file: File::open(&path).unwrap(),
            key: FrameKey::unkept(&SystemEntropy),
            room: Arc::new(AtomicU64::new(1 << 20)),
            end: Mutex::default(),
        };
        // Opened for reading only, it refuses as a disk does that is full.
        file.append(b"first").unwrap_err();
        let end = file.end();
        assert_eq!((end.frames, end.bytes), (1, 0));
        assert_eq!(file.room.load(Ordering::Relaxed), 1 << 20);
    }

    #[test]
    fn room_is_bounded_and_comes_back() {
        let dir = tempfile::tempdir().unwrap();
        let aside = Aside::new(dir.path().into(), 100 << 10, Arc::new(SystemEntropy));
        let file = aside.create_temp_file("a test").unwrap();
        let mut writer = file.open_writer().unwrap();
        let full = writer.write_all(&vec![1; 2 * FRAME]).unwrap_err();
        assert_eq!(full.kind(), io::ErrorKind::QuotaExceeded);
        drop((writer, file));
        assert_eq!(aside.room.load(Ordering::Relaxed), 100 << 10);
    }
}
