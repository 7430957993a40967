//! Witnesses: files elsewhere that know how far the log had come, whatever happens to this machine.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use garrison_journal::{Kind, Tree, TreeError, TreeOptions};
use garrison_transparency::Signer;
use tempfile::TempDir;

use crate::{at, fault, files, open, options, put, record, records, root, sealed_at, signer};

/// A folder for the tree, and one on other storage.
struct World {
    here: TempDir,
    elsewhere: TempDir,
}

impl World {
    fn new() -> Self {
        let [here, elsewhere] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        Self { here, elsewhere }
    }

    fn witness(&self) -> PathBuf {
        self.elsewhere.path().join("checkpoint")
    }

    fn options(&self) -> TreeOptions {
        options(self.here.path(), &[self.witness()])
    }

    fn open(&self, count: u64) -> Result<Tree, TreeError> {
        open(self.options(), &records(count))
    }

    /// Puts an earlier state of the tree back, and nothing else.
    fn put_back(&self, older: &BTreeMap<String, Vec<u8>>) {
        fs::remove_dir_all(self.here.path()).unwrap();
        put(self.here.path(), older);
    }
}

#[test]
fn a_witness_that_knows_more_than_is_kept_tells_that_it_was_rolled_back() {
    let world = World::new();
    sealed_at(world.options(), &[300]);
    let older = files(world.here.path());
    world.open(600).unwrap().seal(at(1)).unwrap();

    world.put_back(&older);
    for count in [300, 400, 599] {
        let fault = fault(world.open(count));
        assert_eq!((fault.kind, fault.place), (Kind::RolledBack, format!("record {}", count + 1)));
        assert!(fault.what.contains(&world.witness().display().to_string()), "{}", fault.what);
    }
    // The records are all there, and only the tree is older: it is made again.
    let mut tree = world.open(600).unwrap();
    assert_eq!(tree.sealed_size(), 300);
    assert_eq!(tree.seal(at(2)).unwrap().checkpoint.root, root(600));
    // What this machine knows itself was not put back: the end is gone.
    let fault = fault(world.open(550));
    assert_eq!((fault.kind, fault.place.as_str()), (Kind::Truncated, "record 551"));
}

#[test]
fn a_witness_of_an_earlier_checkpoint_or_of_none_is_no_objection() {
    let world = World::new();
    sealed_at(world.options(), &[300]);
    let earlier = fs::read(world.witness()).unwrap();
    world.open(600).unwrap().seal(at(1)).unwrap();
    fs::write(world.witness(), earlier).unwrap();
    world.open(600).unwrap();
    // Its storage is not there.
    fs::remove_file(world.witness()).unwrap();
    let mut tree = world.open(600).unwrap();
    assert!(tree.seal(at(2)).unwrap().untold.is_empty());
    assert_eq!(fs::read_to_string(world.witness()).unwrap(), tree.checkpoint().unwrap().to_string());
}

/// The checkpoint that somebody else would show for these records.
fn shown(signer: Signer, records: &[Vec<u8>]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let options = TreeOptions { dir: dir.path().to_owned(), signer, witnesses: Vec::new() };
    let mut tree = open(options, records).unwrap();
    tree.seal(at(0)).unwrap();
    tree.checkpoint().unwrap().to_string()
}

#[test]
fn a_witness_that_tells_something_else_is_refused_by_its_name() {
    let world = World::new();
    sealed_at(world.options(), &[600]);
    let mut others = records(10);
    others[3] = b"another".to_vec();
    let stranger = Signer::from_seed("log.example/others", &[7; 32]).unwrap();
    let right = shown(signer(7), &records(10));
    let wrong = [
        ("other records", shown(signer(7), &others)),
        ("another key of the same name", shown(signer(8), &records(10))),
        ("another log", shown(stranger, &records(10))),
        ("a size that nobody signed", right.replacen("\n10\n", "\n9\n", 1)),
        ("words", "hello\n".to_owned()),
        ("nothing", String::new()),
    ];
    for (what, text) in wrong {
        fs::write(world.witness(), text).unwrap();
        let fault = fault(world.open(600));
        let expected = (Kind::Edited, world.witness().display().to_string());
        assert_eq!((fault.kind, fault.place), expected, "{what}");
    }
    fs::write(world.witness(), right).unwrap();
    world.open(600).unwrap();
}

#[test]
fn a_tree_that_is_gone_is_told_by_the_witness() {
    let world = World::new();
    sealed_at(world.options(), &[5]);
    fs::remove_dir_all(world.here.path()).unwrap();
    let fault = fault(world.open(5));
    let checkpoint = world.here.path().join("checkpoint");
    assert_eq!((fault.kind, fault.place), (Kind::Deleted, checkpoint.display().to_string()));
    // Without a witness it is a new one.
    fs::remove_file(world.witness()).unwrap();
    assert_eq!(world.open(5).unwrap().sealed_size(), 0);
}

#[test]
fn a_witness_that_cannot_be_told_is_reported_and_told_later() {
    let world = World::new();
    let witnesses = [world.elsewhere.path().join("gone/checkpoint"), world.witness()];
    let mut tree = open(options(world.here.path(), &witnesses), &records(1)).unwrap();
    let sealed = tree.seal(at(0)).unwrap();
    assert_eq!(sealed.checkpoint.size, 1);
    assert_eq!(sealed.untold.iter().map(|(path, _)| path).collect::<Vec<_>>(), [&witnesses[0]]);
    let told = |witness: &PathBuf| fs::read_to_string(witness).unwrap();
    assert_eq!(told(&witnesses[1]), tree.checkpoint().unwrap().to_string());

    fs::create_dir(world.elsewhere.path().join("gone")).unwrap();
    tree.push(&record(2)).unwrap();
    assert!(tree.seal(at(1)).unwrap().untold.is_empty());
    for witness in &witnesses {
        assert_eq!(told(witness), tree.checkpoint().unwrap().to_string());
    }
}

/// Whoever rolls back while the witness is away must not have it overwritten when it comes again.
#[test]
fn a_witness_that_comes_later_and_knows_more_is_left_as_it_is() {
    let world = World::new();
    sealed_at(world.options(), &[300]);
    let older = files(world.here.path());
    world.open(600).unwrap().seal(at(1)).unwrap();
    let known = fs::read(world.witness()).unwrap();
    fs::remove_file(world.witness()).unwrap();
    world.put_back(&older);
    let mut tree = world.open(400).unwrap();

    fs::write(world.witness(), &known).unwrap();
    let untold = tree.seal(at(2)).unwrap().untold;
    let [(path, why)] = &untold[..] else { panic!("{untold:?}") };
    assert_eq!(path, &world.witness());
    assert!(why.contains("rolled back"), "{why}");
    assert_eq!(fs::read(world.witness()).unwrap(), known);
    // As long as the old log, and another one.
    for seq in 401..=700 {
        let next = if seq == 450 { b"another".to_vec() } else { record(seq) };
        tree.push(&next).unwrap();
    }
    let untold = tree.seal(at(3)).unwrap().untold;
    assert!(untold[0].1.contains("edited"), "{untold:?}");
    assert_eq!(fs::read(world.witness()).unwrap(), known);
    // One that is only behind is told.
    fs::write(world.witness(), &older["checkpoint"]).unwrap();
    assert!(tree.seal(at(4)).unwrap().untold.is_empty());
    assert_eq!(fs::read_to_string(world.witness()).unwrap(), tree.checkpoint().unwrap().to_string());
}
