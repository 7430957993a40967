//! A changed tree, and changed records: nothing opens, and the first place that does not fit is named.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use garrison_journal::{Kind, Tree, TreeError};
use garrison_transparency::TileId;
use tempfile::TempDir;

use crate::{at, fault, files, open, options, put, records, root, sealed_at};

/// The tiles of a tree of 600 records, in the order in which they are compared.
const TILES: [&str; 4] = ["tile/0/000", "tile/0/001", "tile/0/002.p/88", "tile/1/000.p/2"];

/// A tree of 600 records that was sealed on the way.
struct Whole {
    dir: TempDir,
    records: Vec<Vec<u8>>,
}

impl Whole {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        sealed_at(options(dir.path(), &[]), &[1, 250, 300, 600]);
        Self { dir, records: records(600) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    fn open(&self) -> Result<Tree, TreeError> {
        open(options(self.dir.path(), &[]), &self.records)
    }

    /// How opening refuses other bytes in files, or a file that is gone. Afterwards they are as they were.
    fn refused(&self, changes: &[(&str, Option<&[u8]>)]) -> (Kind, String) {
        let right: BTreeMap<_, _> =
            changes.iter().map(|(name, _)| ((*name).to_owned(), self.read(name))).collect();
        for (name, bytes) in changes {
            match bytes {
                Some(bytes) => fs::write(self.path(name), bytes).unwrap(),
                None => fs::remove_file(self.path(name)).unwrap(),
            }
        }
        let fault = fault(self.open());
        put(self.dir.path(), &right);
        (fault.kind, fault.place)
    }

    /// What must be named where a tile is not right from this byte on: the record of a leaf, else the tile.
    fn named(&self, tile: &str, byte: usize) -> String {
        let id = TileId::parse(tile).unwrap();
        if id.level() > 0 {
            return self.path(tile).display().to_string();
        }
        format!("record {}", id.index() * 256 + byte as u64 / 32 + 1)
    }
}

#[test]
fn a_flipped_byte_is_found_in_every_file_that_the_checkpoint_rests_on() {
    let tree = Whole::new();
    for tile in TILES {
        let right = tree.read(tile);
        for byte in [0, 31, 32, right.len() / 2, right.len() - 1] {
            let mut bytes = right.clone();
            bytes[byte] ^= 0x80;
            let found = tree.refused(&[(tile, Some(&bytes))]);
            assert_eq!(found, (Kind::Edited, tree.named(tile, byte)), "{tile}, byte {byte}");
        }
    }
    let (right, place) = (tree.read("checkpoint"), tree.path("checkpoint").display().to_string());
    for byte in 0..right.len() {
        // The second one makes of most bytes what is no text.
        for bit in [1, 0x80] {
            let mut bytes = right.clone();
            bytes[byte] ^= bit;
            let found = tree.refused(&[("checkpoint", Some(&bytes))]);
            assert_eq!(found, (Kind::Edited, place.clone()), "byte {byte}, bit {bit}");
        }
    }
    assert_eq!(tree.open().unwrap().sealed_size(), 600, "all was put back");
}

#[test]
fn a_file_that_was_cut_or_is_gone_is_found() {
    let tree = Whole::new();
    for tile in TILES {
        let right = tree.read(tile);
        for length in [0, 1, 32, 33, right.len() - 32, right.len() - 1] {
            let found = tree.refused(&[(tile, Some(&right[..length]))]);
            // The first hash that is missing, or not whole.
            assert_eq!(found, (Kind::Edited, tree.named(tile, length)), "{tile}, {length} bytes");
        }
        let gone = (Kind::Deleted, tree.path(tile).display().to_string());
        assert_eq!(tree.refused(&[(tile, None)]), gone);
    }
    let (right, place) = (tree.read("checkpoint"), tree.path("checkpoint").display().to_string());
    for length in 0..right.len() {
        let found = tree.refused(&[("checkpoint", Some(&right[..length]))]);
        assert_eq!(found, (Kind::Edited, place.clone()), "{length} bytes");
    }
    // That there was one, the checkpoints of the day tell.
    assert_eq!(tree.refused(&[("checkpoint", None)]), (Kind::Deleted, place));
    tree.open().unwrap();
}

#[test]
fn exchanged_tiles_are_found() {
    let tree = Whole::new();
    for (place, &one) in TILES.iter().enumerate() {
        for &other in &TILES[place + 1..] {
            let (left, right) = (tree.read(one), tree.read(other));
            let found = tree.refused(&[(one, Some(&right)), (other, Some(&left))]);
            let leaves = |tile: &str| TileId::parse(tile).unwrap().level() == 0;
            let kind = if leaves(one) && leaves(other) { Kind::Reordered } else { Kind::Edited };
            assert_eq!(found, (kind, tree.named(one, 0)), "{one} and {other}");
        }
    }
    tree.open().unwrap();
}

/// A checkpoint rests on the tiles that are as wide as it says. Those that are narrower are of an earlier one, left by a
/// process that ended before it removed them. The checkpoints of a day are signed one by one, for whoever asks later which
/// there were; opening reads the last one, which stands by itself.
#[test]
fn what_no_checkpoint_rests_on_may_change() {
    let tree = Whole::new();
    let day = "sealed/2026-11-22";
    let narrow = tree.path("tile/0/002.p/40");
    fs::write(&narrow, &tree.read("tile/0/002.p/88")[..40 * 32]).unwrap();
    let names: Vec<String> = files(tree.dir.path()).into_keys().collect();
    assert_eq!(names, ["checkpoint", day, TILES[0], TILES[1], "tile/0/002.p/40", TILES[2], TILES[3]]);
    fs::write(&narrow, "left behind").unwrap();
    tree.open().unwrap();
    fs::write(tree.path(day), "somebody wrote here\n").unwrap();
    tree.open().unwrap();
    fs::remove_dir_all(tree.path("sealed")).unwrap();
    let mut opened = tree.open().unwrap();
    assert_eq!(opened.seal(at(60)).unwrap().checkpoint.root, root(600));
    tree.open().unwrap();
}

/// What opening says when these were the records that are kept.
fn refused(tree: &Whole, records: &[Vec<u8>]) -> (Kind, String) {
    let fault = fault(open(options(tree.dir.path(), &[]), records));
    (fault.kind, fault.place)
}

#[test]
fn the_first_record_that_is_not_the_sealed_one_is_named() {
    let tree = Whole::new();
    let named = |kind: Kind, seq: usize| (kind, format!("record {seq}"));
    // As many as were sealed, and more that came since.
    for count in [600, 650] {
        let with = |change: &dyn Fn(&mut Vec<Vec<u8>>)| {
            let mut records = records(count);
            change(&mut records);
            refused(&tree, &records)
        };
        for seq in [1, 256, 257, 300, 512, 513, 600] {
            let found = with(&|records| records[seq - 1] = b"another".to_vec());
            assert_eq!(found, named(Kind::Edited, seq), "{seq} of {count} was edited");
            let found = with(&|records| drop(records.remove(seq - 1)));
            let kind = match (seq, count) {
                // Where nothing came since, the last one that is missing is the end.
                (600, 600) => Kind::Truncated,
                // What stands in its place was not sealed.
                (600, _) => Kind::Edited,
                _ => Kind::Deleted,
            };
            assert_eq!(found, named(kind, seq), "{seq} of {count} was left out");
            let found = with(&|records| records.insert(seq - 1, b"between".to_vec()));
            assert_eq!(found, named(Kind::Edited, seq), "something was put before {seq} of {count}");
        }
        // Neighbours, also on both sides of a tile's edge, and two that are far apart.
        for (one, other) in [(300, 301), (256, 257), (10, 600)] {
            let found = with(&|records| records.swap(one - 1, other - 1));
            assert_eq!(found, named(Kind::Reordered, one), "{one} and {other} of {count} were exchanged");
        }
    }
    let mut newer = records(650);
    newer[620] = b"another".to_vec();
    assert_eq!(open(options(tree.dir.path(), &[]), &newer).unwrap().size(), 650, "nobody sealed it yet");
}

#[test]
fn the_first_record_behind_the_end_is_named() {
    let tree = Whole::new();
    for count in [599, 550, 512, 256, 1, 0] {
        let found = refused(&tree, &records(count));
        assert_eq!(found, (Kind::Truncated, format!("record {}", count + 1)));
    }
}

#[test]
fn records_that_cannot_be_read_are_not_the_end() {
    let tree = Whole::new();
    let broken = tree.records.iter().take(599).cloned().map(Ok).chain([Err("the disk is broken".to_owned())]);
    let refused = Tree::open(options(tree.dir.path(), &[]), broken);
    assert!(matches!(&refused, Err(TreeError::Records(why)) if why == "the disk is broken"), "{refused:?}");
}

/// A tree so large that it is compared in parts, and its tiles are written before it is sealed.
#[test]
fn a_large_tree_names_the_right_record_too() {
    let dir = tempfile::tempdir().unwrap();
    sealed_at(options(dir.path(), &[]), &[70_000]);
    let mut records = records(70_000);
    assert_eq!(open(options(dir.path(), &[]), &records).unwrap().sealed_size(), 70_000);
    let refused = |records: &[Vec<u8>]| {
        let fault = fault(open(options(dir.path(), &[]), records));
        (fault.kind, fault.place)
    };
    for seq in [1, 65_536, 65_537, 70_000_usize] {
        let right = std::mem::replace(&mut records[seq - 1], b"another".to_vec());
        assert_eq!(refused(&records), (Kind::Edited, format!("record {seq}")));
        records[seq - 1] = right;
    }
    assert_eq!(refused(&records[..66_000]), (Kind::Truncated, "record 66001".to_owned()));
}

#[test]
fn every_change_of_the_list_of_checkpoints_is_named() {
    let tree = Whole::new();
    let name = "sealed/2026-11-22";
    let right = tree.read(name);
    let opened = tree.open().unwrap();
    assert_eq!(opened.verify_history().unwrap(), 4);
    let refused = |bytes: &[u8], what: &str| {
        fs::write(tree.path(name), bytes).unwrap();
        match opened.verify_history() {
            Err(TreeError::Fault(fault)) => assert!(fault.place.contains(name), "{what}: {fault}"),
            other => panic!("{what}: {other:?}"),
        }
    };
    for byte in 0..right.len() {
        let mut bytes = right.clone();
        bytes[byte] ^= 1 << (byte % 8);
        refused(&bytes, &format!("byte {byte} was flipped"));
        // A cut at the end of a line leaves whole ones.
        if byte > 0 && right[byte - 1] != b'\n' {
            refused(&right[..byte], &format!("cut at {byte}"));
        }
    }
    let mut lines: Vec<&[u8]> = right.split_inclusive(|byte| *byte == b'\n').collect();
    lines.swap(1, 2);
    refused(&lines.concat(), "lines were exchanged");
    fs::write(tree.path(name), &right).unwrap();
    assert_eq!(opened.verify_history().unwrap(), 4);
}

#[test]
fn part_of_a_line_that_a_crash_left_is_cut_off_by_the_next_one() {
    let tree = Whole::new();
    let name = "sealed/2026-11-22";
    let right = tree.read(name);
    fs::write(tree.path(name), &right[..right.len() - 9]).unwrap();
    let mut opened = tree.open().unwrap();
    opened.seal(at(9)).unwrap();
    assert_eq!(opened.verify_history().unwrap(), 4);
}
