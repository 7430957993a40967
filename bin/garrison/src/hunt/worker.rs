//! One file: read, decode, judge.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;

use foldhash::HashMap;
use garrison_base::Clock;
use garrison_decode::time::Guess;
use garrison_decode::{Decoder, Format, Frame, Framer, Record, evtx};
use garrison_sigma::{Gate, RuleSet, Scratch};
use jiff::Timestamp;

use super::finding::Finding;
use super::reader::{self, CHUNK, Content};

/// What a hunt looks for, the same for every file.
pub struct Hunt<'h> {
    pub rules: &'h RuleSet,
    pub ungated: bool,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    pub zone: jiff::tz::Offset,
    pub clock: &'h dyn Clock,
    /// Nobody listens any more.
    pub stopped: &'h AtomicBool,
    pub progress: &'h AtomicU64,
}

/// A file to read.
#[derive(Debug, Clone)]
pub struct Input {
    pub path: PathBuf,
    /// Named on the command line, not found in a folder: then it must be readable.
    pub named: bool,
}

/// What a worker reports about its file, in this order.
pub enum Report {
    Finding(Box<Finding>),
    Trouble(Trouble),
    Done(Tally),
}

/// Something that could not be read.
pub struct Trouble {
    pub file: Arc<str>,
    pub line: Option<u64>,
    pub reason: String,
    /// Only worth a word: a file in a folder that is no log.
    pub skipped: bool,
}

/// What was seen in a file.
#[derive(Debug, Default)]
pub struct Tally {
    pub events: u64,
    pub formats: HashMap<Format, u64>,
    pub not_utf8: u64,
    pub without_time: u64,
}

impl Tally {
    pub fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.not_utf8 += other.not_utf8;
        self.without_time += other.without_time;
        for (format, count) in &other.formats {
            *self.formats.entry(*format).or_default() += count;
        }
    }
}

/// Reads a file and reports on it.
pub fn read(hunt: &Hunt<'_>, input: &Input, reports: &SyncSender<Report>) {
    let mut worker = Worker::new(hunt, input, reports);
    let trouble = match reader::open(&input.path, Arc::clone(&worker.read)) {
        Err(error) => Some((None, error.to_string())),
        Ok(Content::Binary(what)) => {
            worker.trouble(None, what.to_owned(), !input.named);
            None
        }
        Ok(Content::Text(reader)) => {
            worker.text(reader).err().map(|(line, error)| (Some(line), error.to_string()))
        }
        Ok(Content::Evtx(reader)) => worker.evtx(reader).err().map(|error| (None, error.to_string())),
    };
    if let Some((line, reason)) = trouble {
        worker.trouble(line, reason, false);
    }
    let _ = reports.send(Report::Done(worker.judge.tally));
}

struct Worker<'w> {
    judge: Judge<'w>,
    decoder: Decoder,
    /// Bytes read from the file, and how many of them the progress knows of.
    read: Arc<AtomicU64>,
    told: u64,
}

/// Judges records; apart from the decoder, which lends them.
struct Judge<'w> {
    hunt: &'w Hunt<'w>,
    file: Arc<str>,
    guess: Guess,
    scratch: Scratch,
    tally: Tally,
    reports: &'w SyncSender<Report>,
}

impl<'w> Worker<'w> {
    fn new(hunt: &'w Hunt<'w>, input: &Input, reports: &'w SyncSender<Report>) -> Self {
        let file = Arc::from(input.path.to_string_lossy().as_ref());
        let guess = Guess { latest: latest(&input.path, hunt.clock), zone: hunt.zone };
        let judge =
            Judge { hunt, file, guess, scratch: Scratch::default(), tally: Tally::default(), reports };
        let decoder = if hunt.ungated { Decoder::verbatim() } else { Decoder::default() };
        Self { judge, decoder, read: Arc::default(), told: 0 }
    }

    fn trouble(&self, line: Option<u64>, reason: String, skipped: bool) {
        self.judge.trouble(line, reason, skipped);
    }

    fn text(&mut self, mut reader: Box<dyn Read>) -> Result<(), (u64, io::Error)> {
        let mut framer = Framer::default();
        let mut chunk = vec![0; CHUNK];
        let ended = loop {
            match reader.read(&mut chunk) {
                Ok(0) => break Ok(()),
                Ok(length) => {
                    framer.push(chunk.get(..length).unwrap_or_default(), &mut |frame| self.frame(frame));
                    self.advance();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
            if self.judge.hunt.stopped.load(Ordering::Relaxed) {
                return Ok(());
            }
        };
        framer.finish(&mut |frame| self.frame(frame));
        let Self { judge, decoder, .. } = self;
        decoder.finish(&mut |record| judge.record(record));
        ended.map_err(|error| (framer.line(), error))
    }

    fn frame(&mut self, frame: Frame<'_>) {
        let Self { judge, decoder, .. } = self;
        if frame.cut {
            let reason = format!("longer than {} bytes; only its beginning was judged", frame.bytes.len());
            judge.trouble(Some(frame.line), reason, false);
        }
        judge.tally.not_utf8 += u64::from(std::str::from_utf8(frame.bytes).is_err());
        decoder.decode(frame.bytes, frame.line, &mut |record| judge.record(record));
    }

    fn evtx(&mut self, mut reader: Box<dyn Read>) -> io::Result<()> {
        let mut records = evtx::Reader::default();
        let mut chunk = vec![0; CHUNK];
        let Self { judge, decoder, .. } = self;
        let mut take = |record: Result<(u64, String), evtx::Unreadable>| match record {
            Ok((number, json)) => decoder.decode_evtx(&json, number, &mut |record| judge.record(record)),
            Err(unreadable) => judge.trouble(None, unreadable.to_string(), false),
        };
        loop {
            match reader.read(&mut chunk) {
                Ok(0) => break,
                Ok(length) => records.push(chunk.get(..length).unwrap_or_default(), &mut take),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        records.finish(&mut take);
        self.advance();
        Ok(())
    }

    fn advance(&mut self) {
        let read = self.read.load(Ordering::Relaxed);
        self.judge.hunt.progress.fetch_add(read.saturating_sub(self.told), Ordering::Relaxed);
        self.told = read;
    }
}

impl Judge<'_> {
    fn record(&mut self, record: &Record<'_>) {
        self.tally.events += 1;
        *self.tally.formats.entry(record.format).or_default() += 1;
        if record.fields.is_cut() {
            let reason =
                "has more, deeper or longer named fields than are read; the rest was not judged".to_owned();
            self.trouble(Some(record.line), reason, false);
        }
        if !self.in_time(record) {
            return;
        }
        let Self { hunt, file, guess, scratch, reports, .. } = self;
        let gate = if hunt.ungated {
            Gate::Open
        } else {
            Gate::Source(hunt.rules.taxonomy().route(record.kind.name(), &record.fields))
        };
        hunt.rules.judge(gate, &record.fields, scratch, |rule, hit| {
            let finding = Finding::new(rule, hit, record, file, guess);
            if reports.send(Report::Finding(Box::new(finding))).is_err() {
                hunt.stopped.store(true, Ordering::Relaxed);
            }
        });
    }

    /// Whether the event is in the span that was asked for. One without a time is not, and is counted.
    fn in_time(&mut self, record: &Record<'_>) -> bool {
        if self.hunt.from.is_none() && self.hunt.to.is_none() {
            return true;
        }
        let Some(claimed) = record.claimed(&self.guess) else {
            self.tally.without_time += 1;
            return false;
        };
        self.hunt.from.is_none_or(|from| claimed.at >= from) && self.hunt.to.is_none_or(|to| claimed.at < to)
    }

    fn trouble(&self, line: Option<u64>, reason: String, skipped: bool) {
        let _ = self.reports.send(Report::Trouble(Trouble {
            file: Arc::clone(&self.file),
            line,
            reason,
            skipped,
        }));
    }
}

/// The moment behind which no event of the file can be: when it was last written.
fn latest(path: &Path, clock: &dyn Clock) -> Timestamp {
    let written = std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    written.and_then(|time| Timestamp::try_from(time).ok()).unwrap_or_else(|| clock.now())
}
