//! The tree as its tiles tell it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::frontier::Frontier;
use crate::hash::{BYTES, Hash};
use crate::tile::{HEIGHT, TileId, nodes, place};

/// Why tiles do not answer. `E` is what whoever reads them can meet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError<E> {
    /// The tile could not be had.
    #[error("{id} cannot be read: {source}")]
    Tile {
        /// Which one.
        id: TileId,
        /// Why.
        source: E,
    },
    /// The tile ends too early.
    #[error("{id} has {hashes} hashes only")]
    Short {
        /// Which one.
        id: TileId,
        /// Whole hashes that came.
        hashes: usize,
    },
    /// Asked for an entry that the tree does not have.
    #[error("a tree of {size} entries has no entry {index}")]
    Absent {
        /// The entry.
        index: u64,
        /// The tree.
        size: u64,
    },
    /// Asked how a tree became a smaller one.
    #[error("a tree of {new} entries did not grow out of one of {old}")]
    Shrunk {
        /// Entries before.
        old: u64,
        /// Entries after.
        new: u64,
    },
}

/// The root that a tree had when it had `size` entries.
///
/// `tiles` returns the bytes of a tile, at least as many as the tile's width asks for; more are not looked at, so that
/// a tile that has become wider since can stand for an earlier one.
pub fn root_of<E>(tiles: impl FnMut(TileId) -> Result<Vec<u8>, E>, size: u64) -> Result<Hash, ReadError<E>> {
    Ok(Frontier::from_tiles(tiles, size)?.root())
}

/// Reads each tile of a tree of `size` entries once.
pub(crate) struct Reader<F> {
    size: u64,
    tiles: F,
    held: BTreeMap<TileId, Vec<Hash>>,
}

impl<F, E> Reader<F>
where
    F: FnMut(TileId) -> Result<Vec<u8>, E>,
{
    pub(crate) fn new(tiles: F, size: u64) -> Self {
        Self { size, tiles, held: BTreeMap::new() }
    }

    /// The tree over `count` entries from `start` on, where a subtree of that size begins.
    pub(crate) fn range(&mut self, start: u64, count: u64) -> Result<Frontier, ReadError<E>> {
        let mut peaks = Vec::new();
        let mut start = start;
        for height in (0..64_u8).rev().filter(|height| (count >> height) & 1 == 1) {
            peaks.push(self.subtree(start, height)?);
            start += 1 << height;
        }
        Ok(Frontier::from_peaks(count, peaks))
    }

    /// The hashes of a tile, exactly as many as its width says.
    pub(crate) fn tile(&mut self, id: TileId) -> Result<&[Hash], ReadError<E>> {
        let hashes = match self.held.entry(id) {
            Entry::Occupied(held) => held.into_mut(),
            Entry::Vacant(free) => {
                let bytes = (self.tiles)(id).map_err(|source| ReadError::Tile { id, source })?;
                let (hashes, _) = bytes.as_chunks::<BYTES>();
                let Some(wanted) = hashes.get(..usize::from(id.width())) else {
                    return Err(ReadError::Short { id, hashes: hashes.len() });
                };
                free.insert(wanted.to_vec())
            }
        };
        Ok(hashes.as_slice())
    }

    /// The root of the perfect tree of 2^`height` leaves that begins at `start`. All of it is below hashes of one tile.
    fn subtree(&mut self, start: u64, height: u8) -> Result<Hash, ReadError<E>> {
        let (level, rest) = (height / HEIGHT, height % HEIGHT);
        let node = nodes(start, level);
        let tile = nodes(start, level + 1);
        let Some(id) = TileId::in_tree(self.size, level, tile) else {
            return Err(ReadError::Absent { index: start, size: self.size });
        };
        let hashes = self.tile(id)?;
        let first = usize::from(place(node));
        let Some(below) = hashes.get(first..first + (1 << rest)) else {
            return Err(ReadError::Short { id, hashes: hashes.len() });
        };
        Ok(below.iter().copied().collect::<Frontier>().root())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{self, LARGE};
    use std::cell::RefCell;

    #[test]
    fn a_root_is_read_from_tiles_that_became_wider() {
        for size in (0..=600).chain([65_535, 65_536, 65_537, 66_000, 70_000]) {
            assert_eq!(
                root_of(LARGE.tiles(), size as u64),
                Ok(sample::root(&LARGE.leaves[..size])),
                "{size}"
            );
        }
    }

    #[test]
    fn only_tiles_of_the_asked_tree_are_read_and_each_once() {
        let read = RefCell::new(Vec::new());
        let tiles = |id: TileId| {
            read.borrow_mut().push(id.path());
            LARGE.tiles()(id)
        };
        root_of(tiles, 66_000).unwrap();
        assert_eq!(read.take(), ["tile/2/000.p/1", "tile/1/001.p/1", "tile/0/257.p/208"]);
    }

    #[test]
    fn what_tiles_lack_is_named() {
        let id = TileId::new(0, 1, 44).unwrap();
        let short = |id: TileId| LARGE.tiles()(id).map(|bytes| bytes[..43 * BYTES + 31].to_vec());
        let wide = |id: TileId| if id.level() == 0 { short(id) } else { LARGE.tiles()(id) };
        assert_eq!(root_of(wide, 300), Err(ReadError::Short { id, hashes: 43 }));

        let gone = |id: TileId| if id.level() == 0 { Err("gone") } else { Ok(LARGE.tiles()(id).unwrap()) };
        assert_eq!(root_of(gone, 300), Err(ReadError::Tile { id, source: "gone" }));
        assert_eq!(root_of(gone, 300).unwrap_err().to_string(), "tile/0/001.p/44 cannot be read: gone");
    }
}
