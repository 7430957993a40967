//! What the log promises: what was answered is there, in order; what was cut off is told; what was damaged stops
//! the opening.

#![expect(clippy::unwrap_used, reason = "tests fail loudly")]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use garrison_base::TenantId;
use garrison_journal::{Entry, Kept, Log, LogError, OpenError, Options, Recovered, Stream};
use garrison_secrets::{RootKey, SystemEntropy};

const SMALL: u64 = 64 << 10;

struct Place {
    dir: tempfile::TempDir,
    root: RootKey,
}

impl Place {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), root: RootKey::ephemeral(&SystemEntropy) }
    }

    fn at(&self, dir: &Path, segment: u64) -> Result<(Log, Recovered), OpenError> {
        Log::open(Options {
            dir: dir.to_owned(),
            name: "test".into(),
            key: self.root.seal("log"),
            entropy: Arc::new(SystemEntropy),
            segment,
            first: 1,
        })
    }

    fn open(&self) -> (Log, Recovered) {
        self.at(self.dir.path(), SMALL).unwrap()
    }

    fn segments(&self) -> Vec<PathBuf> {
        let files = fs::read_dir(self.dir.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> =
            files.filter(|path| path.extension().is_some_and(|end| end == "log")).collect();
        files.sort();
        files
    }
}

fn entry(words: impl Into<String>) -> Entry {
    Entry { tenant: TenantId::from_bytes([7; 16]), stream: Stream(3), bytes: words.into().into_bytes() }
}

fn words(kept: &[Kept]) -> Vec<String> {
    kept.iter().map(|kept| String::from_utf8(kept.entry.bytes.clone()).unwrap()).collect()
}

fn all(log: &Log) -> Vec<Kept> {
    log.reader(1).read(usize::MAX).unwrap()
}

#[tokio::test]
async fn what_was_answered_is_there_in_order_after_each_opening() {
    let place = Place::new();
    let mut wanted = Vec::new();
    for round in 0..4_u64 {
        let (log, recovered) = place.open();
        assert_eq!((recovered.next, recovered.torn), (wanted.len() as u64 + 1, None));
        for number in 0..60 {
            let text = format!("{round}/{number}/{}", "x".repeat(1_000));
            let range = log.append(vec![entry(text.clone())]).await.unwrap();
            wanted.push(text);
            assert_eq!(range, wanted.len() as u64..=wanted.len() as u64);
        }
        let kept = all(&log);
        assert_eq!(words(&kept), wanted);
        assert!(kept.iter().map(|kept| kept.seq).eq(1..=wanted.len() as u64));
        assert_eq!(kept[0].entry, entry(wanted[0].clone()));
        // From the middle, a little at a time.
        let mut reader = log.reader(17);
        let mut some = Vec::new();
        while reader.next_seq() <= wanted.len() as u64 {
            some.extend(reader.read(3_000).unwrap());
        }
        assert_eq!(words(&some), wanted[16..]);
    }
    assert!(place.segments().len() >= 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_get_numbers_without_a_gap() {
    let place = Place::new();
    let (log, _) = place.open();
    let log = Arc::new(log);
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..64 {
        let log = log.clone();
        tasks.spawn(async move {
            let mut kept = Vec::new();
            for number in 0..20 {
                let texts: Vec<String> =
                    (0..=number % 3).map(|part| format!("{task}/{number}/{part}")).collect();
                let range = log.append(texts.iter().cloned().map(entry).collect()).await.unwrap();
                kept.extend(range.zip(texts));
            }
            kept
        });
    }
    let mut answered: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    answered.sort();
    assert_eq!(*log.durable().borrow(), answered.len() as u64);
    let kept = all(&log);
    let kept: Vec<_> = kept.iter().map(|kept| kept.seq).zip(words(&kept)).collect();
    assert_eq!(kept, answered);
    assert!(kept.iter().map(|(seq, _)| *seq).eq(1..=answered.len() as u64));
}

/// A log of three appends, the last of two entries; and where each frame begins.
async fn three_appends(place: &Place) -> (PathBuf, Vec<usize>) {
    let (log, _) = place.open();
    for texts in [vec!["one"], vec!["two"], vec!["three", "four"]] {
        log.append(texts.into_iter().map(entry).collect()).await.unwrap();
    }
    drop(log);
    let lengths = [3, 3, 5, 4].map(|body| body + 56);
    let starts = lengths.iter().scan(4096, |at, length| Some(std::mem::replace(at, *at + length)));
    let mut starts: Vec<usize> = starts.collect();
    starts.push(4096 + lengths.iter().sum::<usize>());
    (place.segments().remove(0), starts)
}

/// Opens a copy of the folder with other bytes in its only segment.
fn opened_with(place: &Place, bytes: &[u8]) -> Result<(Vec<String>, Recovered), OpenError> {
    let copy = tempfile::tempdir().unwrap();
    fs::write(copy.path().join("00000000000000000001.log"), bytes).unwrap();
    let (log, recovered) = place.at(copy.path(), SMALL)?;
    Ok((words(&all(&log)), recovered))
}

#[tokio::test]
async fn a_write_that_was_cut_off_is_told_and_nothing_before_it_is_lost() {
    let place = Place::new();
    let (file, starts) = three_appends(&place).await;
    let whole = fs::read(file).unwrap();
    for cut in starts[2] + 1..starts[4] {
        let mut bytes = whole.clone();
        bytes[cut..].fill(0);
        let (kept, recovered) = opened_with(&place, &bytes).unwrap();
        assert_eq!(kept, ["one", "two"], "cut at {cut}");
        assert_eq!(recovered.next, 3);
        assert!(recovered.torn.is_some(), "cut at {cut}");
    }
    let (kept, recovered) = opened_with(&place, &whole).unwrap();
    assert_eq!((kept.len(), recovered.next, recovered.torn), (4, 5, None));
}

#[tokio::test]
async fn damage_before_the_end_stops_the_opening() {
    let place = Place::new();
    let (file, starts) = three_appends(&place).await;
    let whole = fs::read(file).unwrap();
    // What names the segment, the zeros behind that in its block, and frames.
    let block = (0..24 + 60).chain([24 + 60, 1000, 4095]);
    for at in block.chain(starts[0]..starts[2]) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x40;
        let opened = opened_with(&place, &bytes);
        assert!(matches!(opened, Err(OpenError::Damaged { .. })), "byte {at}: {opened:?}");
    }
    // The first append cut out as if it had never been written.
    let mut bytes = whole.clone();
    bytes[starts[0]..starts[1]].fill(0);
    assert!(matches!(opened_with(&place, &bytes), Err(OpenError::Damaged { .. })));
}

#[tokio::test]
async fn segments_cannot_be_swapped_left_out_or_moved_to_another_log() {
    let place = Place::new();
    for round in 0..3 {
        place.open().0.append(vec![entry(round.to_string())]).await.unwrap();
    }
    let files = place.segments();
    let refused = |files: &[(usize, usize)]| {
        let copy = tempfile::tempdir().unwrap();
        for (from, to) in files {
            fs::copy(&place.segments()[*from], copy.path().join(place.segments()[*to].file_name().unwrap()))
                .unwrap();
        }
        matches!(place.at(copy.path(), SMALL), Err(OpenError::Damaged { .. }))
    };
    assert_eq!(files.len(), 3);
    assert!(!refused(&[(0, 0), (1, 1), (2, 2)]));
    assert!(refused(&[(0, 0), (2, 2)]), "left out");
    assert!(refused(&[(1, 0), (0, 1), (2, 2)]), "swapped");
    assert!(Place::new().at(place.dir.path(), SMALL).is_err(), "another key");
}

#[tokio::test]
async fn what_was_kept_elsewhere_is_given_back() {
    let place = Place::new();
    let (log, _) = place.open();
    for number in 0..200 {
        log.append(vec![entry(format!("{number}/{}", "x".repeat(1_000)))]).await.unwrap();
    }
    let before = place.segments().len();
    log.release(120).unwrap();
    assert!(place.segments().len() < before);
    let kept = all(&log);
    assert!(kept[0].seq <= 121 && kept[0].seq > 1);
    assert_eq!(kept.last().unwrap().seq, 200);
    drop(log);
    let (log, recovered) = place.open();
    assert_eq!((recovered.first, recovered.next), (kept[0].seq, 201));
    assert_eq!(all(&log), kept);
}

#[tokio::test]
async fn what_does_not_fit_is_refused_and_the_log_goes_on() {
    let place = Place::new();
    let (log, _) = place.open();
    for entries in [vec![], vec![entry("")], vec![entry("fits"), entry("x".repeat(70_000))]] {
        assert!(matches!(log.append(entries).await, Err(LogError::Size { .. })));
    }
    assert!(matches!(place.at(place.dir.path(), SMALL), Err(OpenError::Taken(_))));
    assert_eq!(log.append(vec![entry("fits")]).await, Ok(1..=1));
    log.close();
    assert_eq!(log.append(vec![entry("late")]).await, Err(LogError::Closed));
}

/// A disk that is full refuses events, still takes records of acts while the segment lasts, and takes all again
/// when there is room.
#[tokio::test]
async fn a_full_disk_refuses_events_first_and_goes_on_by_itself() {
    let place = Place::new();
    let mount = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=300k", "tmpfs"])
        .arg(place.dir.path())
        .status();
    if !mount.is_ok_and(|status| status.success()) {
        println!("skipped: this machine does not let a test mount a small file system");
        return;
    }
    let (log, _) = place.at(place.dir.path(), SMALL).unwrap();
    log.append(vec![entry("first")]).await.unwrap();
    let ballast = place.dir.path().join("ballast");
    // What is left beside the segment and its spare.
    let _ = fs::write(&ballast, vec![1; 300 << 10]);
    let mut refused = None;
    for _ in 0..200 {
        match log.append(vec![entry("x".repeat(1_000))]).await {
            Ok(_) => {}
            Err(why) => refused = refused.or(Some(why)),
        }
    }
    assert_eq!(refused, Some(LogError::Full));
    assert!(log.is_short_of_room());
    let record = Entry { stream: Stream::AUDIT, ..entry("somebody did something") };
    let audit = log.append(vec![record]).await;
    fs::remove_file(&ballast).unwrap();
    while log.is_short_of_room() {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    log.append(vec![entry("there is room again")]).await.unwrap();
    let kept = words(&all(&log));
    drop(log);
    assert!(Command::new("umount").arg(place.dir.path()).status().unwrap().success());
    assert!(audit.is_ok(), "{audit:?}");
    assert_eq!(kept.last().unwrap(), "there is room again");
}

const CHILD: &str = "GARRISON_TEST_LOG";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_child() {
    #[expect(clippy::disallowed_methods, reason = "the test that starts it tells it where to work")]
    let Ok(dir) = std::env::var(CHILD) else { return };
    let dir = PathBuf::from(dir);
    let place = Place { dir: tempfile::tempdir().unwrap(), root: RootKey::open(&dir).unwrap() };
    let (log, recovered) = place.at(&dir.join("log"), SMALL).unwrap();
    let log = Arc::new(log);
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..8 {
        let (log, next) = (log.clone(), recovered.next);
        tasks.spawn(async move {
            for number in 0_u64.. {
                let text = format!("{next}-{task}-{number}");
                let range = log.append(vec![entry(text.clone())]).await.unwrap();
                std::io::stdout()
                    .write_all(format!("answered {} {text}\n", range.start()).as_bytes())
                    .unwrap();
            }
        });
    }
    tasks.join_all().await;
}

#[tokio::test]
async fn kill_9_loses_nothing_that_was_answered_and_doubles_nothing() {
    let dir = tempfile::tempdir().unwrap();
    RootKey::create(dir.path(), &SystemEntropy).unwrap();
    let mut answered: Vec<(u64, String)> = Vec::new();
    for round in 1..=12 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "the_child", "--nocapture"])
            .env(CHILD, dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut take = |line: &str| {
            if let Some((seq, text)) = line.strip_prefix("answered ").and_then(|rest| rest.split_once(' ')) {
                answered.push((seq.parse().unwrap(), text.to_owned()));
            }
        };
        lines.by_ref().take(round * 40).for_each(|line| take(&line));
        child.kill().unwrap();
        child.wait().unwrap();
        lines.for_each(|line| take(&line));
    }
    let place = Place { dir: tempfile::tempdir().unwrap(), root: RootKey::open(dir.path()).unwrap() };
    let (log, recovered) = place.at(&dir.path().join("log"), SMALL).unwrap();
    let kept = all(&log);
    assert_eq!(recovered.next, kept.len() as u64 + 1);
    let texts = words(&kept);
    for (seq, text) in &answered {
        assert_eq!(texts.get(usize::try_from(*seq).unwrap() - 1), Some(text), "entry {seq}");
    }
    let distinct: std::collections::BTreeSet<_> = texts.iter().collect();
    assert_eq!(distinct.len(), texts.len(), "an entry is there twice");
    assert!(answered.len() > 1_000, "{}", answered.len());
}
