//! From leaves to tiles.

use std::mem;

use crate::frontier::Frontier;
use crate::hash::{BYTES, Hash};
use crate::reader::{ReadError, Reader};
use crate::tile::{FULL, HEIGHT, LEVELS, TileId, new_tiles, nodes, place};

/// Bytes of a full tile.
const FULL_BYTES: usize = FULL as usize * BYTES;

/// A tile to be written to [`TileId::path`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile {
    /// Which one.
    pub id: TileId,
    /// Its hashes, one behind the other: 32 bytes for each.
    pub bytes: Vec<u8>,
}

/// A tree that grows, and the tiles that become of it.
///
/// A leaf costs one hash of a node on average. What is full stays in memory until [`take`](Self::take): 32 bytes for
/// each leaf.
#[derive(Debug, Clone, Default)]
pub struct TileWriter {
    frontier: Frontier,
    /// What there is of the last tile of each level, while it is not full.
    edges: [Vec<u8>; LEVELS],
    full: Vec<Tile>,
    /// The size of the tree whose tiles were all taken.
    taken: u64,
}

impl TileWriter {
    /// A tree without entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// Goes on where the tiles of a tree of `size` entries end. Whether these are the right tiles, only its
    /// [`root`](Self::root) tells, beside that of a checkpoint.
    pub fn from_tiles<E>(
        tiles: impl FnMut(TileId) -> Result<Vec<u8>, E>,
        size: u64,
    ) -> Result<Self, ReadError<E>> {
        let mut reader = Reader::new(tiles, size);
        let frontier = reader.range(0, size)?;
        let mut edges: [Vec<u8>; LEVELS] = Default::default();
        for (level, edge) in (0..).zip(&mut edges) {
            if place(nodes(size, level)) == 0 {
                continue;
            }
            if let Some(id) = TileId::in_tree(size, level, nodes(size, level + 1)) {
                edge.extend_from_slice(reader.tile(id)?.as_flattened());
            }
        }
        Ok(Self { frontier, edges, full: Vec::new(), taken: size })
    }

    /// Appends a leaf.
    pub fn push(&mut self, leaf: Hash) {
        let Self { frontier, edges, full, .. } = self;
        let number = frontier.size();
        let mut levels = (0..).zip(edges);
        frontier.grow(leaf, |height, hash| {
            // The heights come from 0 upwards, so the levels do too.
            if !height.is_multiple_of(HEIGHT.into()) {
                return;
            }
            let Some((level, edge)) = levels.next() else { return };
            edge.extend_from_slice(hash);
            if edge.len() == FULL_BYTES {
                let id = TileId::new(level, nodes(number, level + 1), FULL);
                let bytes = mem::replace(edge, Vec::with_capacity(FULL_BYTES));
                full.extend(id.map(|id| Tile { id, bytes }));
            }
        });
    }

    /// How many leaves there are.
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The root of the tree as it is now.
    pub fn root(&self) -> Hash {
        self.frontier.root()
    }

    /// The tiles that are new or wider since the last call, or since the tree was read: what must be written before a
    /// checkpoint of this size is published. They are those of [`new_tiles`], the full ones first.
    pub fn take(&mut self) -> Vec<Tile> {
        let mut tiles = mem::take(&mut self.full);
        for id in new_tiles(self.taken, self.size()).filter(|id| !id.is_full()) {
            let edge = self.edges.get(usize::from(id.level()));
            tiles.extend(edge.map(|bytes| Tile { id, bytes: bytes.clone() }));
        }
        self.taken = self.size();
        tiles
    }

    /// Takes tiles back that could not be written: the next [`take`](Self::take) has them again, as wide as they are then.
    /// `from` is the size of the tree whose tiles were all written.
    pub fn give_back(&mut self, tiles: Vec<Tile>, from: u64) {
        let mut full: Vec<Tile> = tiles.into_iter().filter(|tile| tile.id.is_full()).collect();
        // Those that became full meanwhile lie behind them.
        full.append(&mut self.full);
        self.full = full;
        self.taken = from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::root_of;
    use crate::sample::{self, LARGE};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// What a tile holds, by the formula of tlog-tiles.
    fn expected(id: TileId) -> Vec<u8> {
        let span = 256_usize.pow(id.level().into());
        let first = usize::try_from(id.index()).unwrap() * 256;
        let hash = |node: usize| sample::root(&LARGE.leaves[node * span..(node + 1) * span]);
        (first..first + usize::from(id.width())).flat_map(hash).collect()
    }

    fn by_id(tiles: Vec<Tile>) -> BTreeMap<TileId, Vec<u8>> {
        tiles.into_iter().map(|tile| (tile.id, tile.bytes)).collect()
    }

    #[test]
    fn tiles_hold_what_the_format_says() {
        let mut writer = TileWriter::new();
        LARGE.leaves.iter().for_each(|leaf| writer.push(*leaf));
        let tiles = by_id(writer.take());
        assert_eq!(tiles.keys().copied().collect::<Vec<_>>(), new_tiles(0, 70_000).collect::<Vec<_>>());
        for (id, bytes) in tiles {
            assert!(bytes == expected(id), "{id}");
        }
        assert!(writer.take().is_empty());
    }

    /// A checkpoint after each entry: each tree has all its tiles, each exactly as wide as its path says.
    #[test]
    fn every_small_tree_can_be_read_from_what_was_written_for_it() {
        let mut writer = TileWriter::new();
        let mut disk = BTreeMap::new();
        for (size, leaf) in (1..).zip(&LARGE.leaves[..600]) {
            writer.push(*leaf);
            let tiles = by_id(writer.take());
            assert_eq!(
                tiles.keys().copied().collect::<Vec<_>>(),
                new_tiles(size - 1, size).collect::<Vec<_>>()
            );
            disk.extend(tiles);
            let read = |id: TileId| disk.get(&id).cloned().ok_or("is not there");
            assert_eq!(root_of(read, size), Ok(writer.root()), "{size}");
        }
    }

    #[test]
    fn what_could_not_be_written_comes_again() {
        let (mut writer, mut whole) = (TileWriter::new(), TileWriter::new());
        let leaves = |range: std::ops::Range<usize>| LARGE.leaves[range].iter();
        leaves(0..600).for_each(|leaf| whole.push(*leaf));
        leaves(0..40).for_each(|leaf| writer.push(*leaf));
        writer.take();
        leaves(40..300).for_each(|leaf| writer.push(*leaf));
        let tiles = writer.take();
        writer.give_back(tiles.clone(), 40);
        assert_eq!(writer.take(), tiles);
        writer.give_back(tiles, 40);
        leaves(300..600).for_each(|leaf| writer.push(*leaf));
        // The narrow tile of 40 is on the disk and no part of the larger tree: all of that comes.
        assert_eq!(writer.take(), whole.take());
        assert!(writer.take().is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn a_tree_goes_on_from_its_tiles(mut sizes in prop::collection::vec(0..=70_000usize, 1..4)) {
            sizes.sort_unstable();
            let mut size = 0;
            for next in sizes {
                let mut writer = TileWriter::from_tiles(LARGE.tiles(), size as u64).unwrap();
                prop_assert!(writer.take().is_empty());
                LARGE.leaves[size..next].iter().for_each(|leaf| writer.push(*leaf));
                prop_assert_eq!((writer.size(), writer.root()), (next as u64, sample::root(&LARGE.leaves[..next])));
                let tiles = by_id(writer.take());
                let ids: Vec<TileId> = new_tiles(size as u64, next as u64).collect();
                prop_assert_eq!(tiles.keys().copied().collect::<Vec<_>>(), ids);
                for (id, bytes) in tiles {
                    prop_assert!(bytes == expected(id), "{}", id);
                }
                size = next;
            }
        }
    }
}
