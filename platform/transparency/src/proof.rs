//! Making proofs: RFC 6962, sections 2.1.1 and 2.1.2, over tiles.

use crate::hash::Hash;
use crate::reader::{ReadError, Reader};
use crate::tile::TileId;

/// The proof that the entry with this index, counted from 0, is in the tree of `size` entries: the siblings on its way
/// to the root, from below. At most 64 hashes.
///
/// `tiles` is asked as in [`root_of`](crate::root_of).
pub fn inclusion<E>(
    tiles: impl FnMut(TileId) -> Result<Vec<u8>, E>,
    index: u64,
    size: u64,
) -> Result<Vec<Hash>, ReadError<E>> {
    if index >= size {
        return Err(ReadError::Absent { index, size });
    }
    let mut reader = Reader::new(tiles, size);
    let mut proof = Vec::new();
    let (mut start, mut count) = (0, size);
    while count > 1 {
        let left = split(count);
        if index - start < left {
            proof.push(reader.range(start + left, count - left)?.root());
            count = left;
        } else {
            proof.push(reader.range(start, left)?.root());
            start += left;
            count -= left;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The proof that the tree of `new` entries begins with that of `old` entries. At most 65 hashes; none where `old` is 0
/// or equal to `new`, because there is nothing to prove.
///
/// `tiles` is asked as in [`root_of`](crate::root_of), for tiles of the tree of `new` entries.
pub fn consistency<E>(
    tiles: impl FnMut(TileId) -> Result<Vec<u8>, E>,
    old: u64,
    new: u64,
) -> Result<Vec<Hash>, ReadError<E>> {
    if old > new {
        return Err(ReadError::Shrunk { old, new });
    }
    if old == 0 {
        return Ok(Vec::new());
    }
    let mut reader = Reader::new(tiles, new);
    let mut proof = Vec::new();
    let (mut start, mut count, mut rest) = (0, new, old);
    while rest < count {
        let left = split(count);
        if rest <= left {
            proof.push(reader.range(start + left, count - left)?.root());
            count = left;
        } else {
            proof.push(reader.range(start, left)?.root());
            start += left;
            count -= left;
            rest -= left;
        }
    }
    // From the first entry on, it is the old tree itself, whose root the verifier has.
    if start > 0 {
        proof.push(reader.range(start, count)?.root());
    }
    proof.reverse();
    Ok(proof)
}

/// The leaves of the left half of a tree of more than one leaf: the largest power of two below `count`.
fn split(count: u64) -> u64 {
    1 << (count - 1).ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{self, LARGE, hex};
    use crate::{verify_consistency, verify_inclusion};
    use proptest::prelude::*;

    fn check_inclusion(index: usize, size: usize) {
        let leaves = &LARGE.leaves[..size];
        let proof = inclusion(LARGE.tiles(), index as u64, size as u64).unwrap();
        assert_eq!(proof, sample::path(index, leaves), "{index} in {size}");
        let root = sample::root(leaves);
        assert_eq!(verify_inclusion(&leaves[index], index as u64, size as u64, &proof, &root), Ok(()));
    }

    fn check_consistency(old: usize, new: usize) {
        let proof = consistency(LARGE.tiles(), old as u64, new as u64).unwrap();
        let expected = if old == 0 { Vec::new() } else { sample::subproof(old, &LARGE.leaves[..new], true) };
        assert_eq!(proof, expected, "{old} in {new}");
        let roots = [old, new].map(|size| sample::root(&LARGE.leaves[..size]));
        assert_eq!(verify_consistency(old as u64, &roots[0], new as u64, &roots[1], &proof), Ok(()));
    }

    /// Entries and tree sizes where something happens: at the edges, and beside a tile's end.
    fn interesting(size: usize) -> impl Iterator<Item = usize> {
        [0, size / 2, 255, 256, 257, 512, size.saturating_sub(1)].into_iter()
    }

    #[test]
    fn proofs_of_the_known_tree() {
        let leaves = |id: TileId| if id.level() == 0 { Ok(sample::known_leaves().concat()) } else { Err(id) };
        let proof = inclusion(leaves, 5, 8).unwrap();
        let expected = [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ];
        assert_eq!(proof.iter().map(|hash| hex(hash)).collect::<Vec<_>>(), expected);
        let proof = consistency(leaves, 6, 8).unwrap();
        let expected = [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ];
        assert_eq!(proof.iter().map(|hash| hex(hash)).collect::<Vec<_>>(), expected);
        assert_eq!(inclusion(leaves, 0, 1), Ok(Vec::new()));
        assert_eq!(consistency(leaves, 8, 8), Ok(Vec::new()));
    }

    #[test]
    fn all_proofs_of_small_trees() {
        for size in 1..=70 {
            (0..size).for_each(|index| check_inclusion(index, size));
            (0..=size).for_each(|old| check_consistency(old, size));
        }
    }

    #[test]
    fn proofs_of_every_size_around_two_tiles() {
        for size in 1..=600 {
            interesting(size).filter(|index| *index < size).for_each(|index| check_inclusion(index, size));
            interesting(size).filter(|old| *old <= size).for_each(|old| check_consistency(old, size));
        }
    }

    #[test]
    fn what_is_not_so_cannot_be_proved() {
        assert_eq!(inclusion(LARGE.tiles(), 5, 5), Err(ReadError::Absent { index: 5, size: 5 }));
        assert_eq!(inclusion(LARGE.tiles(), 0, 0), Err(ReadError::Absent { index: 0, size: 0 }));
        assert_eq!(consistency(LARGE.tiles(), 6, 5), Err(ReadError::Shrunk { old: 6, new: 5 }));
    }

    /// Tiles of zeros, so that the largest trees can be asked at all.
    #[test]
    fn the_largest_tree_has_proofs() {
        let tiles = |id: TileId| Ok::<_, TileId>(vec![0_u8; 32 * usize::from(id.width())]);
        assert_eq!(inclusion(tiles, u64::MAX - 1, u64::MAX).unwrap().len(), 63);
        assert_eq!(inclusion(tiles, 0, u64::MAX).unwrap().len(), 64);
        assert_eq!(consistency(tiles, 1, u64::MAX).unwrap().len(), 64);
        assert_eq!(consistency(tiles, 3, u64::MAX).unwrap().len(), 65);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn proofs_of_larger_trees(size in 1..=70_000usize, part in any::<prop::sample::Index>()) {
            check_inclusion(part.index(size), size);
            check_consistency(part.index(size + 1), size);
        }
    }
}
