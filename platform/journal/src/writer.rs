//! The one thread that writes: seal a group, write it, flush it, answer it.

use std::fs::{self, File};
use std::io;
use std::ops::RangeInclusive;
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use garrison_secrets::FrameKey;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::LogError;
use crate::frame::{Entry, Header};
use crate::log::{Append, Shared};
use crate::segment::{BLOCK, Place, sync_dir};
use crate::spare::Spares;

/// A group may be large once; the memory is not kept for ever.
const BUFFER: usize = 4 << 20;
/// A flush that took long, of a slow disk or a large group, must not make the next one late as well.
const MOMENT: Duration = Duration::from_millis(1);

pub(crate) struct Writer {
    shared: Arc<Shared>,
    spares: Spares,
    /// The segment that is written; none before the first append.
    open: Option<Open>,
    /// The place of the next segment.
    next: Place,
    seq: u64,
    durable: u64,
    buffer: Vec<u8>,
    unanswered: Vec<Unanswered>,
    flush_took: Duration,
}

type Unanswered = (oneshot::Sender<Result<RangeInclusive<u64>, LogError>>, RangeInclusive<u64>);

struct Open {
    file: File,
    key: FrameKey,
    first: u64,
    /// Where the buffer will be written.
    offset: u64,
}

impl Writer {
    pub(crate) fn start(shared: Arc<Shared>, next: Place) -> io::Result<JoinHandle<()>> {
        let options = &shared.options;
        let spares = Spares::start(options.dir.clone(), options.segment, shared.short.clone())?;
        let mut writer = Self {
            shared,
            spares,
            open: None,
            next,
            seq: next.first,
            durable: next.first - 1,
            buffer: Vec::new(),
            unanswered: Vec::new(),
            flush_took: Duration::ZERO,
        };
        thread::Builder::new().name("log-writer".into()).spawn(move || writer.run())
    }

    fn run(&mut self) {
        while let Some(group) = self.group() {
            let answered = group.len();
            let kib: usize = group.iter().map(|append| append.kib as usize).sum();
            if let Err(error) = self.commit(group) {
                self.fail(&error);
            }
            self.shared.room.add_permits(kib);
            self.buffer.clear();
            self.buffer.shrink_to(BUFFER);
            self.await_the_answered(answered);
        }
    }

    /// Whoever was just answered often has the next append ready, and would wait for two flushes if the next one began a
    /// moment before. So those get a moment: half of what a flush takes, and never long, since they may not come.
    fn await_the_answered(&self, answered: usize) {
        if answered < 2 {
            return;
        }
        let all = self.shared.queue().appends.len() + answered;
        let until = Instant::now() + (self.flush_took / 2).min(MOMENT);
        while self.shared.queue().appends.len() < all && Instant::now() < until {
            thread::yield_now();
        }
    }

    /// All that waits; `None` when nothing will come any more.
    fn group(&self) -> Option<Vec<Append>> {
        let mut queue = self.shared.queue();
        while queue.appends.is_empty() {
            if queue.shut.is_some() {
                return None;
            }
            queue = self.shared.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        Some(std::mem::take(&mut queue.appends))
    }

    fn commit(&mut self, group: Vec<Append>) -> io::Result<()> {
        for append in group {
            let length: usize = append.entries.iter().map(Entry::framed).sum();
            if !self.fits(length) {
                self.flush()?;
                if !self.roll()? {
                    let _ = append.done.send(Err(LogError::Full));
                    continue;
                }
            }
            self.seal(append);
        }
        self.flush()
    }

    fn fits(&self, length: usize) -> bool {
        let end = |open: &Open| open.offset + (self.buffer.len() + length) as u64;
        self.open.as_ref().is_some_and(|open| end(open) <= self.shared.options.segment)
    }

    fn seal(&mut self, append: Append) {
        let Some(open) = &self.open else { return };
        let first = self.seq;
        let count = append.entries.len();
        for (place, entry) in append.entries.iter().enumerate() {
            let header = Header {
                length: entry.bytes.len(),
                last: place + 1 == count,
                stream: entry.stream,
                seq: self.seq,
                durable: self.durable,
                tenant: entry.tenant,
            };
            header.seal(&open.key, self.seq - open.first, &entry.bytes, &mut self.buffer);
            self.seq += 1;
        }
        self.unanswered.push((append.done, first..=self.seq - 1));
    }

    /// Puts what was sealed on the disk, and answers.
    fn flush(&mut self) -> io::Result<()> {
        let Some(open) = &mut self.open else { return Ok(()) };
        if self.buffer.is_empty() {
            return Ok(());
        }
        let since = Instant::now();
        open.file.write_all_at(&self.buffer, open.offset)?;
        open.file.sync_data()?;
        self.flush_took = since.elapsed();
        open.offset += self.buffer.len() as u64;
        self.buffer.clear();
        self.durable = self.seq - 1;
        self.shared.durable.send_replace(self.durable);
        for (done, range) in self.unanswered.drain(..) {
            let _ = done.send(Ok(range));
        }
        Ok(())
    }

    /// Begins the next segment; tells whether there was room for one.
    fn roll(&mut self) -> io::Result<bool> {
        let Some((file, path)) = self.spares.take() else { return Ok(false) };
        let dir = &self.shared.options.dir;
        let place = Place { first: self.seq, ..self.next };
        fs::rename(path, place.path(dir))?;
        sync_dir(dir)?;
        let key = place.begin(&file, self.shared.keys(), &*self.shared.options.entropy)?;
        self.shared.segments().push(place);
        self.open = Some(Open { file, key, first: place.first, offset: BLOCK as u64 });
        self.next = Place { number: place.number + 1, first: self.seq };
        Ok(true)
    }

    /// Nobody knows what is on the disk after a write that failed, so nothing is promised from now on.
    fn fail(&mut self, error: &io::Error) {
        tracing::error!(%error, "the log could not be written");
        let failed = LogError::Failed(error.to_string());
        let waiting = {
            let mut queue = self.shared.queue();
            queue.shut = Some(failed.clone());
            std::mem::take(&mut queue.appends)
        };
        let unanswered = self.unanswered.drain(..).map(|(done, _)| done);
        for done in unanswered.chain(waiting.into_iter().map(|append| append.done)) {
            let _ = done.send(Err(failed.clone()));
        }
        self.shared.room.close();
    }
}
