//! The right edge of a tree that grows.

use crate::hash::{Hash, empty_root, node_hash};
use crate::reader::{ReadError, Reader};
use crate::tile::TileId;

/// What must be known of a tree to append to it and to tell its root: at most 64 hashes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// The roots of the perfect trees that stand side by side, from left to right: one of 2^i leaves for each bit i
    /// that is set in `size`.
    peaks: Vec<Hash>,
}

impl Frontier {
    /// A tree without entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// The edge that a tree of `size` entries has by its tiles. Whether these are the right tiles, only its
    /// [`root`](Self::root) tells, beside that of a checkpoint.
    pub fn from_tiles<E>(
        tiles: impl FnMut(TileId) -> Result<Vec<u8>, E>,
        size: u64,
    ) -> Result<Self, ReadError<E>> {
        Reader::new(tiles, size).range(0, size)
    }

    pub(crate) fn from_peaks(size: u64, peaks: Vec<Hash>) -> Self {
        Self { size, peaks }
    }

    /// Appends a leaf.
    pub fn push(&mut self, leaf: Hash) {
        self.grow(leaf, |_, _| {});
    }

    /// Appends a leaf and shows each perfect tree that it completes, from its own upwards: the tree's height, which
    /// is 0 for the leaf, and its root.
    pub(crate) fn grow(&mut self, leaf: Hash, mut completed: impl FnMut(u32, &Hash)) {
        let mut hash = leaf;
        completed(0, &hash);
        // Counting up carries over as many ones, and joins as many pairs of equal trees; one a leaf on average.
        for height in 1..=self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                hash = node_hash(&left, &hash);
            }
            completed(height, &hash);
        }
        self.peaks.push(hash);
        // A million a second reach 2^64 after half a million years.
        self.size += 1;
    }

    /// How many leaves there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree as it is now.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else { return empty_root() };
        peaks.fold(*last, |right, left| node_hash(left, &right))
    }
}

impl Extend<Hash> for Frontier {
    fn extend<I: IntoIterator<Item = Hash>>(&mut self, leaves: I) {
        leaves.into_iter().for_each(|leaf| self.push(leaf));
    }
}

impl FromIterator<Hash> for Frontier {
    fn from_iter<I: IntoIterator<Item = Hash>>(leaves: I) -> Self {
        let mut frontier = Self::new();
        frontier.extend(leaves);
        frontier
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{self, LARGE, hex};
    use proptest::prelude::*;

    /// Known from the tests of several implementations of Certificate Transparency.
    #[test]
    fn roots_of_the_known_tree() {
        const ROOTS: [&str; 9] = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let leaves = sample::known_leaves();
        for (size, root) in ROOTS.into_iter().enumerate() {
            let frontier: Frontier = leaves[..size].iter().copied().collect();
            assert_eq!((frontier.size(), hex(&frontier.root()).as_str()), (size as u64, root));
        }
    }

    #[test]
    fn every_small_tree_has_the_root_of_the_definition() {
        let mut frontier = Frontier::new();
        for size in 0..=600 {
            let leaves = &LARGE.leaves[..size];
            assert_eq!(frontier.root(), sample::root(leaves), "{size}");
            assert_eq!(Frontier::from_tiles(LARGE.tiles(), size as u64).as_ref(), Ok(&frontier), "{size}");
            frontier.push(LARGE.leaves[size]);
        }
    }

    /// The same leaves, hashed by a program in another language.
    #[test]
    fn the_root_of_a_large_tree() {
        let root = "a3920fba7f239a071a9bd10721f1341addefbaededb41c7e24437a9d16bdf00a";
        let frontier: Frontier = LARGE.leaves.iter().copied().collect();
        assert_eq!((LARGE.leaves.len(), hex(&frontier.root()).as_str()), (70_000, root));
    }

    #[test]
    fn a_completed_tree_is_shown_with_its_height() {
        let mut frontier: Frontier = LARGE.leaves[..7].iter().copied().collect();
        let mut shown = Vec::new();
        frontier.grow(LARGE.leaves[7], |height, hash| shown.push((height, *hash)));
        let roots = [7..8, 6..8, 4..8, 0..8].map(|range| sample::root(&LARGE.leaves[range]));
        assert_eq!(shown, (0..).zip(roots).collect::<Vec<(u32, Hash)>>());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn an_edge_is_read_from_tiles(size in 0..69_000usize, more in 0..1000usize) {
            let mut frontier = Frontier::from_tiles(LARGE.tiles(), size as u64).unwrap();
            prop_assert_eq!(frontier.root(), sample::root(&LARGE.leaves[..size]));
            frontier.extend(LARGE.leaves[size..size + more].iter().copied());
            prop_assert_eq!(frontier.size(), (size + more) as u64);
            prop_assert_eq!(frontier.root(), sample::root(&LARGE.leaves[..size + more]));
        }
    }
}
