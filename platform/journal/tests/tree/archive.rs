//! A log that is only read: the same as its reader reads, also beside the process that writes it, and the file that is not
//! as it was written is named.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use garrison_base::TenantId;
use garrison_journal::{Archive, Entry, Kept, Log, OpenError, Options, Stream};
use garrison_kernel::{Journal as _, Journaled};
use garrison_secrets::{RootKey, SystemEntropy};
use tempfile::TempDir;

use crate::{Place, keep};

/// The size of a segment.
const SEGMENT: u64 = 64 << 10;
/// Entries of each segment.
const ENTRIES: usize = 20;
/// Where frames begin, and the length of one: the header, the entry, the tag.
const BLOCK: usize = 4096;
const FRAME: usize = 40 + 1_000 + 16;

fn entry(number: usize) -> Entry {
    let bytes = format!("{number:01000}").into_bytes();
    Entry { tenant: TenantId::from_bytes([7; 16]), stream: Stream(3), bytes }
}

struct Written {
    dir: TempDir,
    key: RootKey,
}

impl Written {
    /// A log that was opened three times, so that it has three segments.
    async fn new() -> Self {
        let written = Self { dir: tempfile::tempdir().unwrap(), key: RootKey::ephemeral(&SystemEntropy) };
        for round in 0..3 {
            let log = written.log();
            for number in 0..ENTRIES {
                log.append(vec![entry(round * ENTRIES + number)]).await.unwrap();
            }
        }
        written
    }

    fn log(&self) -> Log {
        let options = Options {
            dir: self.dir.path().to_owned(),
            name: "test".into(),
            key: self.key.seal("log"),
            entropy: Arc::new(SystemEntropy),
            segment: SEGMENT,
            first: 1,
        };
        Log::open(options).unwrap().0
    }

    fn archive(&self) -> Result<Archive, OpenError> {
        Archive::open(self.dir.path(), ("test", &self.key.seal("log")), 1)
    }

    fn segments(&self) -> Vec<PathBuf> {
        let files = fs::read_dir(self.dir.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut segments: Vec<_> =
            files.filter(|path| path.extension().is_some_and(|end| end == "log")).collect();
        segments.sort();
        segments
    }

    /// All that it holds.
    fn read(&self) -> Result<Vec<Kept>, OpenError> {
        self.archive()?.entries().collect()
    }

    /// How many entries are read before it is refused, and the file or folder that is named then.
    fn refused(&self) -> (usize, PathBuf) {
        let archive = match self.archive() {
            Ok(archive) => archive,
            Err(error) => return (0, damaged(error)),
        };
        let mut read: Vec<_> = archive.entries().collect();
        let last = read.pop().unwrap();
        assert!(read.iter().all(Result::is_ok), "it goes on behind an error");
        (read.len(), damaged(last.unwrap_err()))
    }
}

fn damaged(error: OpenError) -> PathBuf {
    match error {
        OpenError::Damaged { path, .. } => path,
        other => panic!("this is no damage: {other}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_reads_what_the_log_reads_while_that_is_open_and_writes() {
    let written = Written::new().await;
    let log = Arc::new(written.log());
    let read = written.read().unwrap();
    assert_eq!(read.len(), 3 * ENTRIES);
    assert_eq!(read, log.reader(1).read(usize::MAX).unwrap());
    for number in 0..10 {
        log.append(vec![entry(number)]).await.unwrap();
        let archive = written.archive().unwrap();
        let read: Vec<Kept> = archive.entries().collect::<Result<_, _>>().unwrap();
        assert_eq!(read, log.reader(1).read(usize::MAX).unwrap());
        assert_eq!(archive.next(), read.len() as u64 + 1);
    }
    // While it is written it ends somewhere, and what is there is whole and in order.
    let writer = log.clone();
    let writing = tokio::spawn(async move {
        for number in 0..300 {
            writer.append(vec![entry(number)]).await.unwrap();
        }
    });
    let mut before = 0;
    while !writing.is_finished() {
        let read = written.read().unwrap();
        assert!(read.iter().map(|kept| kept.seq).eq(1..=read.len() as u64));
        assert!(read.len() >= before, "{} after {before}", read.len());
        before = read.len();
    }
    writing.await.unwrap();
    assert_eq!(written.read().unwrap(), log.reader(1).read(usize::MAX).unwrap());
    // It has locked nothing.
    drop(log);
    assert_eq!(written.log().reader(1).read(usize::MAX).unwrap().len(), 3 * ENTRIES + 310);
}

#[tokio::test]
async fn it_reads_the_records_of_acts() {
    let place = Place::new();
    let (records, _sealer) = place.open();
    keep(&records, 1..=300).await;
    let key = place.key.seal("journal/acts");
    let archive = Archive::open(&place.dir.path().join("journal"), ("acts", &key), 1).unwrap();
    let read: Vec<Journaled> = archive.records().collect::<Result<_, _>>().unwrap();
    let kept: Vec<Journaled> = records.kept().collect::<Result<_, _>>().unwrap();
    assert_eq!(read, kept);
    assert_eq!((read.len(), archive.next()), (300, 301));
}

#[tokio::test]
async fn a_segment_that_is_gone_is_told_by_the_one_before_it() {
    let written = Written::new().await;
    let segments = written.segments();
    assert_eq!(segments.len(), 3);
    for (gone, named) in [(1, segments[0].clone()), (0, written.dir.path().to_owned())] {
        let bytes = fs::read(&segments[gone]).unwrap();
        fs::remove_file(&segments[gone]).unwrap();
        assert_eq!(written.refused(), (0, named));
        fs::write(&segments[gone], bytes).unwrap();
    }
    assert_eq!(written.read().unwrap().len(), 3 * ENTRIES);
    // A log that ends earlier is a log: how far it had come is told by who follows it, the tree or the database.
    fs::remove_file(&segments[2]).unwrap();
    assert_eq!(written.read().unwrap().len(), 2 * ENTRIES);
}

#[tokio::test]
async fn a_flipped_byte_is_told_with_the_file_it_is_in() {
    let written = Written::new().await;
    let segments = written.segments();
    let third = BLOCK + 2 * FRAME;
    let cases = [
        // A header, a body, a tag, of a segment that others follow: what is before it can be read.
        (0, third, 2),
        (0, third + 40, 2),
        (1, third + FRAME - 1, ENTRIES + 2),
        // In the last one later entries tell that it was on the disk, so it is no write that was cut off.
        (2, third + 40, 0),
        // What names a segment.
        (0, 0, 0),
        (1, 8, 0),
        (2, 30, 0),
        // What is behind that in its block is zeros, and nothing else.
        (0, 100, 0),
        (2, BLOCK - 1, 0),
    ];
    for (segment, byte, whole) in cases {
        let right = fs::read(&segments[segment]).unwrap();
        let mut bytes = right.clone();
        bytes[byte] ^= 0x40;
        fs::write(&segments[segment], bytes).unwrap();
        assert_eq!(written.refused(), (whole, segments[segment].clone()), "byte {byte}");
        fs::write(&segments[segment], right).unwrap();
    }
    assert_eq!(written.read().unwrap().len(), 3 * ENTRIES);
    // Another name, another key.
    let other = RootKey::ephemeral(&SystemEntropy);
    for (name, key) in [("tests", &written.key), ("test", &other)] {
        let refused = Archive::open(written.dir.path(), (name, &key.seal("log")), 1).err().unwrap();
        assert_eq!(damaged(refused), segments[0]);
    }
}
