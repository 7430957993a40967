//! Trees for tests: the definitions of RFC 6962 as they stand there, slow and plain, and a large tree in tiles.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::LazyLock;

use crate::hash::{Hash, empty_root, leaf_hash, node_hash};
use crate::tile::TileId;
use crate::writer::TileWriter;

/// A tree with leaves `entry 0`, `entry 1`, ..., and its tiles by level and index, each as wide as it became.
pub(crate) struct Sample {
    pub(crate) leaves: Vec<Hash>,
    tiles: BTreeMap<(u8, u64), Vec<u8>>,
}

/// Large enough for three levels of tiles.
pub(crate) static LARGE: LazyLock<Sample> = LazyLock::new(|| Sample::new(70_000));

impl Sample {
    fn new(size: usize) -> Self {
        let leaves: Vec<Hash> = (0..size).map(|number| leaf_hash(&entry(number))).collect();
        let mut writer = TileWriter::new();
        for leaf in &leaves {
            writer.push(*leaf);
        }
        let tiles = writer.take().into_iter().map(|tile| ((tile.id.level(), tile.id.index()), tile.bytes));
        Self { leaves, tiles: tiles.collect() }
    }

    /// Hands out tiles; those that are not there are empty.
    pub(crate) fn tiles(&self) -> impl Fn(TileId) -> Result<Vec<u8>, Infallible> {
        move |id: TileId| Ok(self.tiles.get(&(id.level(), id.index())).cloned().unwrap_or_default())
    }
}

pub(crate) fn entry(number: usize) -> Vec<u8> {
    format!("entry {number}").into_bytes()
}

/// The eight entries that implementations of Certificate Transparency test with.
pub(crate) fn known_leaves() -> Vec<Hash> {
    const ENTRIES: [&[u8]; 8] = [
        &[],
        &[0x00],
        &[0x10],
        &[0x20, 0x21],
        &[0x30, 0x31],
        &[0x40, 0x41, 0x42, 0x43],
        &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
        &[0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f],
    ];
    ENTRIES.into_iter().map(leaf_hash).collect()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// MTH of RFC 6962, section 2.1.
pub(crate) fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node_hash(&root(left), &root(right))
        }
    }
}

/// PATH of RFC 6962, section 2.1.1.
pub(crate) fn path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    if index < left.len() {
        [path(index, left), vec![root(right)]].concat()
    } else {
        [path(index - left.len(), right), vec![root(left)]].concat()
    }
}

/// SUBPROOF of RFC 6962, section 2.1.2; PROOF is the one with `known`.
pub(crate) fn subproof(old: usize, leaves: &[Hash], known: bool) -> Vec<Hash> {
    if old == leaves.len() {
        return if known { Vec::new() } else { vec![root(leaves)] };
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    if old <= left.len() {
        [subproof(old, left, known), vec![root(right)]].concat()
    } else {
        [subproof(old - left.len(), right, false), vec![root(left)]].concat()
    }
}

/// On which sides the siblings of a leaf are, from below; `true` is left.
pub(crate) fn sides(index: usize, size: usize) -> Vec<bool> {
    if size == 1 {
        return Vec::new();
    }
    let left = split(size);
    if index < left {
        [sides(index, left), vec![false]].concat()
    } else {
        [sides(index - left, size - left), vec![true]].concat()
    }
}

/// The largest power of two below.
fn split(size: usize) -> usize {
    let mut split = 1;
    while split * 2 < size {
        split *= 2;
    }
    split
}
