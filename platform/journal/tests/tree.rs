//! The tree over the records: sealed again and again it is the tree of sealing once, every record has its proof, and what
//! is not as it was sealed does not open.

#![expect(clippy::panic, clippy::unwrap_used, reason = "tests fail loudly")]

#[path = "tree/anew.rs"]
mod anew;
#[path = "tree/archive.rs"]
mod archive;
#[path = "tree/changed.rs"]
mod changed;
#[path = "tree/witness.rs"]
mod witness;

use std::collections::BTreeMap;
use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use garrison_base::{TenantId, Timestamp};
use garrison_journal::{Fault, Kind, Log, Options, Records, Sealer, Tree, TreeError, TreeOptions};
use garrison_kernel::{Journal as _, Journaled};
use garrison_secrets::{RootKey, SystemEntropy};
use garrison_transparency::{Checkpoint, Evidence, Frontier, Hash, Signer, leaf_hash};
use tempfile::TempDir;

/// The name of the log, and of the key that signs for it.
const NAME: &str = "log.example/records";

fn signer(seed: u8) -> Signer {
    Signer::from_seed(NAME, &[seed; 32]).unwrap()
}

/// 2026-11-22, ten o'clock, and so many seconds.
fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_341_600 + second).unwrap()
}

fn record(seq: u64) -> Vec<u8> {
    format!("record {seq}").into_bytes()
}

fn records(count: u64) -> Vec<Vec<u8>> {
    (1..=count).map(record).collect()
}

/// The root over the first records, made without a tree on the disk.
fn root(count: u64) -> Hash {
    (1..=count).map(|seq| leaf_hash(&record(seq))).collect::<Frontier>().root()
}

fn options(dir: &Path, witnesses: &[PathBuf]) -> TreeOptions {
    TreeOptions { dir: dir.to_owned(), signer: signer(7), witnesses: witnesses.to_owned() }
}

fn open(options: TreeOptions, records: &[Vec<u8>]) -> Result<Tree, TreeError> {
    Tree::open(options, records.iter().cloned().map(Ok))
}

/// A new tree, sealed at each of these sizes.
fn sealed_at(options: TreeOptions, sizes: &[u64]) -> Tree {
    let mut tree = open(options, &[]).unwrap();
    for (second, size) in (0..).zip(sizes) {
        for seq in tree.size() + 1..=*size {
            tree.push(&record(seq)).unwrap();
        }
        let checkpoint = tree.seal(at(second)).unwrap().checkpoint;
        assert_eq!((checkpoint.size, checkpoint.root), (*size, root(*size)));
    }
    tree
}

/// Why a tree does not open, where that has a place.
fn fault(opened: Result<Tree, TreeError>) -> Fault {
    match opened {
        Err(TreeError::Fault(fault)) => fault,
        other => panic!("this is no fault: {other:?}"),
    }
}

/// The files below a folder, by their names from there.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            found.extend(files(&path).into_iter().map(|(below, bytes)| (format!("{name}/{below}"), bytes)));
        } else {
            found.insert(name, fs::read(path).unwrap());
        }
    }
    found
}

/// Puts files into a folder, beside those that are there.
fn put(dir: &Path, files: &BTreeMap<String, Vec<u8>>) {
    for (name, bytes) in files {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// A folder with a journal of records and the tree over them.
struct Place {
    dir: TempDir,
    key: RootKey,
}

impl Place {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), key: RootKey::ephemeral(&SystemEntropy) }
    }

    fn tree(&self) -> PathBuf {
        self.dir.path().join("tree")
    }

    fn open(&self) -> (Arc<Records>, Sealer) {
        let options = Options {
            dir: self.dir.path().join("journal"),
            name: "acts".into(),
            key: self.key.seal("journal/acts"),
            entropy: Arc::new(SystemEntropy),
            segment: 1 << 20,
            first: 1,
        };
        let records = Arc::new(Records::new(Log::open(options).unwrap().0));
        let sealer = Sealer::open(self::options(&self.tree(), &[]), records.clone()).unwrap();
        (records, sealer)
    }
}

async fn keep(records: &Records, seqs: RangeInclusive<u64>) {
    let journaled = |seq: u64| {
        let (number, tenant) = (i64::try_from(seq).unwrap(), TenantId::from_bytes([7; 16]));
        Journaled { seq: number, tenant, bytes: record(seq) }
    };
    records.keep(seqs.map(journaled).collect()).await.unwrap();
}

#[tokio::test]
async fn sealing_again_and_again_gives_the_tree_of_sealing_once() {
    let place = Place::new();
    let mut kept = 0;
    for (second, size) in (0..).zip([0, 1, 1, 255, 256, 257, 257, 600]) {
        // Opened anew each time: what was sealed before is compared, and it goes on behind that.
        let (records, sealer) = place.open();
        if size > kept {
            keep(&records, kept + 1..=size).await;
            kept = size;
        }
        let sealed = sealer.seal(at(second)).unwrap();
        assert_eq!((sealed.checkpoint.size, sealed.checkpoint.root), (size, root(size)));
        assert!(sealed.untold.is_empty(), "{:?}", sealed.untold);
    }
    let (_records, sealer) = place.open();
    let again = sealer.seal(at(60)).unwrap().checkpoint;
    assert_eq!((again.size, again.root), (600, root(600)));
    // No narrower tile of a smaller tree is left.
    let once = tempfile::tempdir().unwrap();
    sealed_at(options(once.path(), &[]), &[600]);
    assert_eq!(files(&place.tree().join("tile")), files(&once.path().join("tile")));
}

#[tokio::test]
async fn every_record_has_a_proof_that_holds_for_it_alone() {
    let place = Place::new();
    let (records, sealer) = place.open();
    for seqs in [1..=1, 2..=255, 256..=256, 257..=257, 258..=600] {
        keep(&records, seqs).await;
        sealer.seal(at(0)).unwrap();
    }
    let (checkpoint, key) = sealer.checkpoint();
    let root = root(600);
    for seq in 1..=600 {
        let text = sealer.prove(seq, &record(seq), at(1)).unwrap().to_string();
        let evidence = Evidence::parse(&text).unwrap();
        let proven = evidence.check(&record(seq), &key).unwrap();
        assert_eq!((evidence.index, proven.size, proven.root), (seq - 1, 600, root));
        assert_eq!(Some(evidence.checkpoint.to_string()), checkpoint);
        let another = record(seq % 600 + 1);
        assert!(evidence.check(&another, &key).is_err(), "record {seq} proves another");
        assert!(evidence.check(&record(seq), signer(8).verifier()).is_err(), "another key proves {seq}");
    }
}

#[tokio::test]
async fn only_what_was_sealed_is_proven_and_what_is_asked_for_is_sealed() {
    let place = Place::new();
    let (records, sealer) = place.open();
    keep(&records, 1..=7).await;
    // Nobody sealed yet: whoever asks for a proof does not wait for the next round.
    let evidence = sealer.prove(7, &record(7), at(0)).unwrap();
    assert_eq!(evidence.check(&record(7), &sealer.checkpoint().1).unwrap().size, 7);
    for absent in [0, 8, u64::MAX] {
        let refused = sealer.prove(absent, &record(absent), at(1));
        assert!(matches!(refused, Err(TreeError::Absent(seq)) if seq == absent), "{absent}: {refused:?}");
    }
    // The database tells another record than the journal.
    let refused = sealer.prove(6, &record(7), at(2));
    let Err(TreeError::Fault(fault)) = refused else { panic!("{refused:?}") };
    assert_eq!((fault.kind, fault.place.as_str()), (Kind::Edited, "record 6"));
}

#[tokio::test]
async fn many_records_are_proven_under_one_checkpoint() {
    let place = Place::new();
    let (records, sealer) = place.open();
    keep(&records, 1..=600).await;
    let of = |seqs: &[u64]| seqs.iter().map(|seq| (*seq, record(*seq))).collect::<Vec<_>>();
    let seqs = [1, 2, 255, 256, 257, 599, 600];
    let proven = sealer.prove_all(&of(&seqs), at(0)).unwrap();
    assert_eq!((proven.checkpoint.size, proven.checkpoint.root), (600, root(600)));
    assert_eq!(Checkpoint::verify(&proven.note, signer(7).verifier()), Ok(proven.checkpoint));
    assert_eq!(proven.ways.len(), seqs.len());
    for (seq, way) in seqs.into_iter().zip(proven.ways) {
        assert_eq!(way, sealer.prove(seq, &record(seq), at(1)).unwrap().proof, "{seq}");
    }
    // Of what the journal does not have yet, only what comes before is proven.
    let proven = sealer.prove_all(&of(&[599, 600, 601, 602]), at(2)).unwrap();
    assert_eq!((proven.checkpoint.size, proven.ways.len()), (600, 2));
    // The database tells another record than the journal.
    let refused = sealer.prove_all(&[(5, record(5)), (6, record(7))], at(3));
    let Err(TreeError::Fault(fault)) = refused else { panic!("{refused:?}") };
    assert_eq!((fault.kind, fault.place.as_str()), (Kind::Edited, "record 6"));
}

#[test]
fn a_process_that_ended_between_tiles_and_checkpoint_goes_on() {
    let [whole, broken] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    sealed_at(options(whole.path(), &[]), &[300, 600]);
    sealed_at(options(broken.path(), &[]), &[300]);
    // The narrow tiles of the older checkpoint are still there: they go when the next one stands.
    put(&broken.path().join("tile"), &files(&whole.path().join("tile")));
    let mut tree = open(options(broken.path(), &[]), &records(600)).unwrap();
    assert_eq!((tree.size(), tree.sealed_size()), (600, 300));
    let checkpoint = tree.seal(at(9)).unwrap().checkpoint;
    assert_eq!((checkpoint.size, checkpoint.root), (600, root(600)));
    let tiles = |dir: &TempDir| files(&dir.path().join("tile"));
    assert_eq!(tiles(&broken), tiles(&whole));
    open(options(broken.path(), &[]), &records(600)).unwrap();
}

/// As a full disk refuses.
#[test]
fn tiles_that_could_not_be_written_are_written_with_the_next_checkpoint() {
    let [whole, place] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    sealed_at(options(whole.path(), &[]), &[600]);
    let mut tree = sealed_at(options(place.path(), &[]), &[40]);
    // A folder stands where the first full tile belongs.
    let in_the_way = place.path().join("tile/0/000");
    fs::create_dir(&in_the_way).unwrap();
    for size in [300, 600] {
        for seq in tree.size() + 1..=size {
            tree.push(&record(seq)).unwrap();
        }
        let refused = tree.seal(at(1));
        assert!(matches!(&refused, Err(TreeError::Io { path, .. }) if *path == in_the_way), "{refused:?}");
        assert_eq!(tree.sealed_size(), 40);
    }
    fs::remove_dir(&in_the_way).unwrap();
    let checkpoint = tree.seal(at(2)).unwrap().checkpoint;
    assert_eq!((checkpoint.size, checkpoint.root), (600, root(600)));
    assert_eq!(files(&place.path().join("tile")), files(&whole.path().join("tile")));
    open(options(place.path(), &[]), &records(600)).unwrap();
}

#[test]
fn a_witness_is_told_although_the_day_cannot_be_written() {
    let [place, elsewhere] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let witness = elsewhere.path().join("checkpoint");
    let mut tree = open(options(place.path(), std::slice::from_ref(&witness)), &records(1)).unwrap();
    fs::write(place.path().join("sealed"), "a file where a folder belongs").unwrap();
    assert!(matches!(tree.seal(at(0)), Err(TreeError::Io { .. })));
    assert_eq!(fs::read_to_string(&witness).unwrap(), tree.checkpoint().unwrap().to_string());
    assert_eq!(tree.sealed_size(), 1);
}
