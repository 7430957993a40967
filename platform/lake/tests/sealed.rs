//! Files of the lake are sealed, each to its name: what is asked is answered as from memory, and a file that was changed
//! or exchanged is an error that names it.

#![expect(clippy::panic, clippy::unwrap_used, reason = "tests fail loudly")]

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use datafusion::arrow::array::{
    Array as _, ArrayRef, AsArray as _, RecordBatch, StringArray, TimestampNanosecondArray,
};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::logical_expr::{Expr, col, lit};
use garrison_base::{NodeId, TenantId};
use garrison_lake::{
    Ask, Budget, FileEntry, Hot, Keyring, Lake, LakeError, Layout, Question, Scope, Wrong, check,
};
use garrison_secrets::{StreamKey, SystemEntropy, digest};
use tempfile::TempDir;

/// 2026-11-22, ten o'clock, in hours since 1970; the next hour is of the same day, and so under the same key.
const TEN: i64 = 498_706;
const STREAM: &str = "logs";
const AT_TEN: [&str; 3] = ["one fish", "two fish", "three fish"];
const AT_ELEVEN: [&str; 3] = ["red fish", "blue fish", "old fish"];

fn tenant() -> TenantId {
    TenantId::from_bytes([7; 16])
}

/// Keys in memory.
#[derive(Default)]
struct Keys(Mutex<HashMap<(TenantId, String, i64), Arc<StreamKey>>>);

impl Keyring for Keys {
    fn make(
        &self,
        tenant: TenantId,
        stream: &str,
        day: i64,
    ) -> Result<Arc<StreamKey>, Box<dyn Error + Send + Sync>> {
        let mut held = self.0.lock().unwrap();
        let key = held.entry((tenant, stream.to_owned(), day));
        Ok(key.or_insert_with(|| Arc::new(StreamKey::fresh(&SystemEntropy))).clone())
    }

    fn find(&self, tenant: TenantId, stream: &str, day: i64) -> Option<Arc<StreamKey>> {
        self.0.lock().unwrap().get(&(tenant, stream.to_owned(), day)).cloned()
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Keys")
    }
}

fn schema() -> SchemaRef {
    let time = DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()));
    let text = |name: &str| Field::new(name, DataType::Utf8, false);
    Arc::new(Schema::new(vec![Field::new("time", time, false), text("node"), text("raw")]))
}

/// The words of the text that a row must be equal to: no test asks for anything else.
fn needs(condition: &Expr) -> Vec<String> {
    let Expr::BinaryExpr(equal) = condition else { return Vec::new() };
    let Expr::Literal(value, _) = &*equal.right else { return Vec::new() };
    let text = value.try_as_str().flatten().unwrap_or_default();
    text.split_whitespace().map(str::to_owned).collect()
}

fn open(dir: &Path, keys: &Arc<Keys>) -> Arc<Lake> {
    let layout = Layout {
        table: "logs",
        schema: schema(),
        time: "time",
        node: "node",
        text: "raw",
        keyed: &[],
        sorted_by: |_| &[],
        words: |text, word| text.split_whitespace().for_each(word),
        needs,
        functions: Vec::new(),
    };
    Arc::new(Lake::open(dir, layout, keys.clone(), Arc::new(SystemEntropy)).unwrap())
}

fn batch(hour: i64, texts: &[&str]) -> RecordBatch {
    let start = hour * 3_600_000_000_000;
    let times = TimestampNanosecondArray::from_iter_values((start..).take(texts.len()));
    let nodes = texts.iter().map(|_| NodeId::from_bytes([8; 16]).to_string());
    let columns: Vec<ArrayRef> = vec![
        Arc::new(times.with_timezone("UTC")),
        Arc::new(StringArray::from_iter_values(nodes)),
        Arc::new(StringArray::from_iter_values(texts)),
    ];
    RecordBatch::try_new(schema(), columns).unwrap()
}

/// A lake with events of two hours, and the files that they are in.
struct World {
    dir: TempDir,
    keys: Arc<Keys>,
    lake: Arc<Lake>,
    files: Vec<FileEntry>,
}

impl World {
    /// In memory only.
    fn gathered() -> Self {
        let (dir, keys) = (tempfile::tempdir().unwrap(), Arc::new(Keys::default()));
        let lake = open(dir.path(), &keys);
        for (hour, texts) in [(TEN, AT_TEN), (TEN + 1, AT_ELEVEN)] {
            let hot = Hot { stream: STREAM.into(), hour, batch: batch(hour, &texts), last: 1 };
            lake.add(tenant(), vec![hot]);
        }
        Self { dir, keys, lake, files: Vec::new() }
    }

    /// In a file for each hour.
    fn kept() -> Self {
        let mut world = Self::gathered();
        world.keep();
        world
    }

    fn keep(&mut self) {
        let (count, files) = self.lake.write(tenant(), 1).unwrap();
        self.lake.adopt(tenant(), count, files.clone());
        assert_eq!((self.lake.hot(), files.len()), ((0, 0), 2));
        self.files = files;
    }

    /// The same files, opened by another process.
    fn opened(&self, files: &[FileEntry]) -> Arc<Lake> {
        let lake = open(self.dir.path(), &self.keys);
        lake.load(files.to_vec()).unwrap();
        lake
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.dir.path().join(name)).unwrap()
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.dir.path().join(name), bytes).unwrap();
    }

    fn check(&self, file: &FileEntry) -> Result<u64, Wrong> {
        check(self.dir.path(), file, &*self.keys).map_err(|found| found.wrong)
    }

    /// What is in a sealed part of a file, opened by who has the key of its day and knows its name.
    fn opened_part(&self, file: &FileEntry, (name, part): (&str, &str)) -> Vec<u8> {
        let key = self.keys.find(tenant(), STREAM, file.day()).unwrap();
        let object = format!("{}/{}/{part}", tenant(), file.id);
        key.open(object.as_bytes(), &self.read(name)).unwrap()
    }
}

/// The texts for which a condition holds, sorted.
async fn found(lake: &Arc<Lake>, condition: Option<Expr>) -> Result<Vec<String>, LakeError> {
    let ask = Ask::Rows { condition, wanted: vec![col("raw")], order: Vec::new(), limit: None };
    let scope = Scope { tenant: tenant(), nodes: None, from: 0, to: i64::MAX };
    let budget = Budget { time: Duration::from_mins(1), memory: 64 << 20, disk: 1 << 30 };
    let mut answer = lake.ask(Question { ask, scope, budget }, ());
    let mut texts = Vec::new();
    while let Some(batch) = answer.next().await? {
        let raw = batch.column(0).as_string::<i32>();
        texts.extend((0..raw.len()).map(|row| raw.value(row).to_owned()));
    }
    texts.sort();
    Ok(texts)
}

async fn all(lake: &Arc<Lake>) -> Vec<String> {
    found(lake, None).await.unwrap()
}

async fn equal(lake: &Arc<Lake>, text: &str) -> Vec<String> {
    found(lake, Some(col("raw").eq(lit(text)))).await.unwrap()
}

/// How a question is refused that meets a wrong file: not as if the question was wrong.
async fn refused(lake: &Arc<Lake>) -> String {
    match found(lake, None).await {
        Err(LakeError::Engine(error)) => error.to_string(),
        other => panic!("this is no error of the lake: {other:?}"),
    }
}

#[tokio::test]
async fn what_was_sealed_is_answered_as_it_was_in_memory() {
    let mut world = World::gathered();
    let mut wanted: Vec<&str> = AT_TEN.into_iter().chain(AT_ELEVEN).collect();
    wanted.sort_unstable();
    assert_eq!(all(&world.lake).await, wanted);
    world.keep();
    for lake in [&world.lake, &world.opened(&world.files)] {
        assert_eq!(all(lake).await, wanted);
        assert_eq!(equal(lake, "two fish").await, ["two fish"]);
        assert!(equal(lake, "two birds").await.is_empty());
    }
    for file in &world.files {
        let parts = [(file.path(), "events", "PAR1"), (file.words_path(), "words", "GARWRD")];
        for (name, part, head) in &parts {
            let shows = |bytes: &[u8]| bytes.windows(head.len()).any(|some| some == head.as_bytes());
            assert!(!shows(&world.read(name)), "{name} is not sealed");
            assert!(shows(&world.opened_part(file, (name, part))), "{name} holds something else");
        }
        let size: usize = parts.iter().map(|(name, ..)| world.read(name).len()).sum();
        assert_eq!(world.check(file), Ok(size as u64));
    }
}

#[tokio::test]
async fn a_file_that_was_exchanged_or_changed_is_named() {
    let world = World::kept();
    let [one, other] = [0, 1].map(|place| world.files[place].path());
    let (first, second) = (world.read(&one), world.read(&other));
    let mut flipped = first.clone();
    flipped[first.len() / 2] ^= 1;
    let fresh = world.opened(&world.files);
    let before = all(&world.lake).await;
    let cases: [(&str, &[u8], &[u8]); 4] = [
        ("exchanged", &second, &first),
        ("changed", &flipped, &second),
        ("cut", &first[..first.len() - 1], &second),
        ("twice the same", &second, &second),
    ];
    for (what, left, right) in cases {
        world.write(&one, left);
        world.write(&other, right);
        // One that has read the right files before, and one that has not.
        for lake in [&world.lake, &fresh] {
            let told = refused(lake).await;
            let named = told.contains(&one) || (what == "exchanged" && told.contains(&other));
            assert!(named, "{what}: {told}");
        }
    }
    // Somebody puts the right ones back, and nobody has to start anew.
    world.write(&one, &first);
    world.write(&other, &second);
    for lake in [&world.lake, &fresh] {
        assert_eq!(all(lake).await, before);
    }
}

#[tokio::test]
async fn a_file_whose_key_is_gone_is_named() {
    let world = World::kept();
    all(&world.lake).await;
    world.keys.0.lock().unwrap().clear();
    let told = refused(&world.lake).await;
    assert!(world.files.iter().any(|file| told.contains(&file.path())), "{told}");
    assert!(matches!(world.check(&world.files[0]), Err(Wrong::Unreadable(_))));
}

/// Believed, they would rule out what is there.
#[tokio::test]
async fn indexes_of_words_that_were_exchanged_rule_nothing_out() {
    let world = World::kept();
    let [one, other] = [0, 1].map(|place| world.files[place].words_path());
    let (first, second) = (world.read(&one), world.read(&other));
    world.write(&one, &second);
    world.write(&other, &first);
    for text in ["two fish", "red fish"] {
        assert_eq!(equal(&world.lake, text).await, [text]);
    }
    for file in &world.files {
        let found = check(world.dir.path(), file, &*world.keys).unwrap_err();
        assert!(matches!(found.wrong, Wrong::Unreadable(_)), "{found}");
        assert_eq!(found.path, world.dir.path().join(file.words_path()));
    }
}

#[tokio::test]
async fn a_file_of_before_files_were_sealed_is_read_beside_sealed_ones() {
    let world = World::kept();
    let before = all(&world.lake).await;
    let [sealed, later] = [0, 1].map(|place| world.files[place].clone());
    let events = world.opened_part(&sealed, (&sealed.path(), "events"));
    let words = world.opened_part(&sealed, (&sealed.words_path(), "words"));
    for name in [sealed.path(), sealed.words_path()] {
        fs::remove_file(world.dir.path().join(name)).unwrap();
    }
    let old =
        FileEntry { sealed: false, bytes: events.len() as u64, digest: digest(&events), ..sealed.clone() };
    assert_ne!(old.path(), sealed.path());
    world.write(&old.path(), &events);
    world.write(&old.words_path(), &words);
    let lake = world.opened(&[old.clone(), later.clone()]);
    assert_eq!(all(&lake).await, before);
    for text in ["three fish", "blue fish"] {
        assert_eq!(equal(&lake, text).await, [text]);
    }
    assert_eq!(world.check(&old), Ok((events.len() + words.len()) as u64));
    world.check(&later).unwrap();
}

/// As a full disk refuses: what came before the file that could not be written would only keep the disk full.
#[test]
fn what_could_not_be_written_leaves_nothing() {
    let mut world = World::gathered();
    // A file stands where the folder of the second day belongs.
    let later = (TEN / 24 + 1) * 24;
    let hot = Hot { stream: STREAM.into(), hour: later, batch: batch(later, &AT_TEN), last: 1 };
    world.lake.add(tenant(), vec![hot]);
    let in_the_way = world.dir.path().join(format!("{}/{STREAM}/2026-11-23", tenant()));
    fs::create_dir_all(in_the_way.parent().unwrap()).unwrap();
    fs::write(&in_the_way, "in the way").unwrap();
    let refused = world.lake.write(tenant(), 1).unwrap_err();
    assert!(matches!(&refused, LakeError::File(path, _) if path.starts_with(&in_the_way)), "{refused}");
    let day = fs::read_dir(in_the_way.with_file_name("2026-11-22")).unwrap();
    assert_eq!(day.count(), 0, "files of the first day are left");

    fs::remove_file(&in_the_way).unwrap();
    let (count, files) = world.lake.write(tenant(), 1).unwrap();
    world.lake.adopt(tenant(), count, files.clone());
    world.files = files;
    assert_eq!((world.lake.hot(), world.files.len()), ((0, 0), 3));
}

#[test]
fn what_is_wrong_with_a_file_is_told() {
    let world = World::kept();
    let file = &world.files[0];
    let (events, words) = (file.path(), file.words_path());
    let right = world.read(&events);
    let with = |bytes: &[u8]| {
        world.write(&events, bytes);
        world.check(file).unwrap_err()
    };
    let mut flipped = right.clone();
    flipped[right.len() / 2] ^= 0x80;
    assert_eq!(with(&flipped), Wrong::Digest);
    let length = |found| Wrong::Length { found, written: file.bytes };
    assert_eq!(with(&right[..right.len() - 1]), length(file.bytes - 1));
    assert_eq!(with(&[&right[..], &[0]].concat()), length(file.bytes + 1));
    fs::remove_file(world.dir.path().join(&events)).unwrap();
    assert_eq!(world.check(file), Err(Wrong::Missing));

    world.write(&events, &right);
    let mut flipped = world.read(&words);
    flipped[60] ^= 1;
    world.write(&words, &flipped);
    assert!(matches!(world.check(file), Err(Wrong::Unreadable(_))));
    fs::remove_file(world.dir.path().join(&words)).unwrap();
    assert_eq!(world.check(file), Err(Wrong::Missing));
}
