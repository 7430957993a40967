//! Verifying proofs: RFC 9162, sections 2.1.3.2 and 2.1.4.2.

use crate::hash::{Hash, empty_root, node_hash};

/// Why a proof proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The entry cannot be in a tree of this size.
    #[error("a tree of {size} entries has no entry {index}")]
    Absent {
        /// The entry.
        index: u64,
        /// The tree.
        size: u64,
    },
    /// The later tree is the smaller one.
    #[error("a tree of {new} entries did not grow out of one of {old}")]
    Shrunk {
        /// Entries before.
        old: u64,
        /// Entries after.
        new: u64,
    },
    /// Hashes are missing.
    #[error("the proof of {0} hashes is too short for this place in this tree")]
    Short(usize),
    /// There are hashes too many.
    #[error("the proof of {0} hashes is too long for this place in this tree")]
    Long(usize),
    /// It leads elsewhere.
    #[error("the proof leads to another root: entry, index, proof and tree do not belong together")]
    Root,
    /// It is not about the earlier tree.
    #[error("the proof leads to another root of the earlier tree")]
    OldRoot,
    /// It is not about the later tree.
    #[error("the proof leads to another root of the later tree: it is not the earlier one with more entries")]
    NewRoot,
}

/// Whether the leaf is in the tree of `size` entries under `root`, at `index`, counted from 0.
///
/// `size` and `root` must come together from a checkpoint: a proof alone can fit several sizes.
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::Absent { index, size });
    }
    let mut climb = Climb { node: index, last: size - 1 };
    let mut hash = *leaf;
    for sibling in proof {
        hash = match climb.sibling().ok_or(ProofError::Long(proof.len()))? {
            Side::Left => node_hash(sibling, &hash),
            Side::Right => node_hash(&hash, sibling),
        };
    }
    if !climb.is_at_root() {
        return Err(ProofError::Short(proof.len()));
    }
    if hash == *root { Ok(()) } else { Err(ProofError::Root) }
}

/// Whether the tree of `new` entries under `new_root` begins with the tree of `old` entries under `old_root`.
///
/// Every tree begins with the empty one. Each size must come together with its root from a checkpoint: a proof alone can
/// fit several sizes.
pub fn verify_consistency(
    old: u64,
    old_root: &Hash,
    new: u64,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if old > new {
        return Err(ProofError::Shrunk { old, new });
    }
    if old == 0 || old == new {
        return verify_trivial(old, old_root, new, new_root, proof);
    }
    let short = ProofError::Short(proof.len());
    // A perfect old tree is a node of the new one, so its root is not sent.
    let (first, rest) =
        if old.is_power_of_two() { (old_root, proof) } else { proof.split_first().ok_or(short)? };
    let mut climb = Climb { node: old - 1, last: new - 1 };
    climb.rise((old - 1).trailing_ones());
    let (mut old_hash, mut new_hash) = (*first, *first);
    for sibling in rest {
        match climb.sibling().ok_or(ProofError::Long(proof.len()))? {
            Side::Left => {
                old_hash = node_hash(sibling, &old_hash);
                new_hash = node_hash(sibling, &new_hash);
            }
            Side::Right => new_hash = node_hash(&new_hash, sibling),
        }
    }
    if !climb.is_at_root() {
        return Err(short);
    }
    if old_hash != *old_root {
        return Err(ProofError::OldRoot);
    }
    if new_hash == *new_root { Ok(()) } else { Err(ProofError::NewRoot) }
}

/// Nothing grew, or out of nothing: a proof has nothing to say.
fn verify_trivial(
    old: u64,
    old_root: &Hash,
    new: u64,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if !proof.is_empty() {
        return Err(ProofError::Long(proof.len()));
    }
    if old == 0 && *old_root != empty_root() {
        return Err(ProofError::OldRoot);
    }
    if old == new && old_root != new_root {
        return Err(ProofError::NewRoot);
    }
    Ok(())
}

/// The way from a node to the root: its number within its level of the tree, and that of the level's last node.
struct Climb {
    node: u64,
    last: u64,
}

enum Side {
    Left,
    Right,
}

impl Climb {
    fn is_at_root(&self) -> bool {
        self.last == 0
    }

    /// On which side the next sibling is; goes up to the parent. `None` at the root, which has no sibling.
    fn sibling(&mut self) -> Option<Side> {
        if self.is_at_root() {
            return None;
        }
        let is_right_child = self.node & 1 == 1;
        let side = if is_right_child || self.node == self.last {
            // The last node of a level may be without a sibling; it then stands for its parent, until it has one.
            self.rise(self.node.trailing_zeros());
            Side::Left
        } else {
            Side::Right
        };
        self.rise(1);
        Some(side)
    }

    fn rise(&mut self, levels: u32) {
        self.node >>= levels;
        self.last >>= levels;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{self, LARGE};
    use crate::{consistency, inclusion};
    use proptest::prelude::*;

    fn root(size: usize) -> Hash {
        sample::root(&LARGE.leaves[..size])
    }

    /// The proof with one bit of each of its hashes changed, one after the other; then shorter and longer ones.
    fn wrong(proof: &[Hash], bit: usize) -> Vec<Vec<Hash>> {
        let flip = |place: usize| {
            let mut proof = proof.to_vec();
            proof[place][bit / 8] ^= 1 << (bit % 8);
            proof
        };
        let mut all: Vec<Vec<Hash>> = (0..proof.len()).map(flip).collect();
        for place in 0..proof.len() {
            all.push([&proof[..place], &proof[place + 1..]].concat());
        }
        for place in 0..=proof.len() {
            all.push([&proof[..place], &[LARGE.leaves[0]], &proof[place..]].concat());
        }
        all
    }

    fn flipped(hash: &Hash, bit: usize) -> Hash {
        let mut hash = *hash;
        hash[bit / 8] ^= 1 << (bit % 8);
        hash
    }

    /// A proof may be taken for another size only where the leaf has the same siblings on the same sides.
    #[test]
    fn only_trees_of_one_shape_share_a_proof() {
        for size in 1..=20 {
            let top = root(size);
            for index in 0..size {
                let leaf = &LARGE.leaves[index];
                let proof = inclusion(LARGE.tiles(), index as u64, size as u64).unwrap();
                for (other, claimed) in
                    (0..23).flat_map(|other: usize| (0..23).map(move |claimed| (other, claimed)))
                {
                    let taken = verify_inclusion(leaf, other as u64, claimed as u64, &proof, &top).is_ok();
                    let alike =
                        other < claimed && sample::sides(other, claimed) == sample::sides(index, size);
                    assert_eq!(taken, alike, "{index} in {size} as {other} in {claimed}");
                }
            }
        }
    }

    #[test]
    fn impossible_questions_are_refused() {
        let hash = LARGE.leaves[0];
        assert_eq!(verify_inclusion(&hash, 0, 0, &[], &hash), Err(ProofError::Absent { index: 0, size: 0 }));
        assert_eq!(verify_inclusion(&hash, 3, 3, &[], &hash), Err(ProofError::Absent { index: 3, size: 3 }));
        let shrunk = verify_consistency(2, &hash, 1, &hash, &[]);
        assert_eq!(shrunk, Err(ProofError::Shrunk { old: 2, new: 1 }));
        assert_eq!(verify_inclusion(&hash, 0, u64::MAX, &[hash; 63], &hash), Err(ProofError::Short(63)));
        assert_eq!(verify_inclusion(&hash, 0, u64::MAX, &[hash; 65], &hash), Err(ProofError::Long(65)));
        assert_eq!(verify_consistency(3, &hash, u64::MAX, &hash, &[hash; 64]), Err(ProofError::Short(64)));
        assert_eq!(verify_consistency(3, &hash, u64::MAX, &hash, &[hash; 66]), Err(ProofError::Long(66)));
        assert_eq!(verify_consistency(3, &hash, 4, &hash, &[]), Err(ProofError::Short(0)));
    }

    #[test]
    fn an_empty_proof_proves_only_what_is_obvious() {
        let (none, one, two) = (empty_root(), root(1), root(2));
        for new in 0..3 {
            let expected = if new == 0 { Err(ProofError::NewRoot) } else { Ok(()) };
            assert_eq!(verify_consistency(0, &none, new, &one, &[]), expected);
        }
        assert_eq!(verify_consistency(0, &none, 0, &none, &[]), Ok(()));
        assert_eq!(verify_consistency(0, &one, 2, &two, &[]), Err(ProofError::OldRoot));
        assert_eq!(verify_consistency(0, &none, 2, &two, &[one]), Err(ProofError::Long(1)));
        assert_eq!(verify_consistency(2, &two, 2, &two, &[]), Ok(()));
        assert_eq!(verify_consistency(2, &two, 2, &one, &[]), Err(ProofError::NewRoot));
        assert_eq!(verify_consistency(2, &two, 2, &two, &[one]), Err(ProofError::Long(1)));
        assert_eq!(verify_consistency(1, &one, 2, &two, &[]), Err(ProofError::Short(0)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn a_changed_proof_of_inclusion_is_refused(
            size in 2..3000usize, part in any::<prop::sample::Index>(), bit in 0..256usize, away in 1..2000usize,
        ) {
            let index = part.index(size);
            let (leaf, top) = (&LARGE.leaves[index], root(size));
            let proof = inclusion(LARGE.tiles(), index as u64, size as u64).unwrap();
            let verify = |leaf: &Hash, index: usize, size: usize, proof: &[Hash], root: &Hash| {
                verify_inclusion(leaf, index as u64, size as u64, proof, root)
            };
            prop_assert_eq!(verify(leaf, index, size, &proof, &top), Ok(()));
            for changed in wrong(&proof, bit) {
                prop_assert!(verify(leaf, index, size, &changed, &top).is_err());
            }
            prop_assert_eq!(verify(&flipped(leaf, bit), index, size, &proof, &top), Err(ProofError::Root));
            prop_assert_eq!(verify(leaf, index, size, &proof, &flipped(&top, bit)), Err(ProofError::Root));
            prop_assert!(verify(leaf, index + away, size, &proof, &top).is_err());
            prop_assert!(verify(leaf, index.wrapping_sub(away), size, &proof, &top).is_err());
            prop_assert!(verify(leaf, index, size + away, &proof, &root(size + away)).is_err());
        }

        #[test]
        fn a_changed_proof_of_consistency_is_refused(
            new in 2..3000usize, part in any::<prop::sample::Index>(), bit in 0..256usize, away in 1..2000usize,
        ) {
            let old = 1 + part.index(new - 1);
            let (before, after) = (root(old), root(new));
            let proof = consistency(LARGE.tiles(), old as u64, new as u64).unwrap();
            let verify = |old: usize, old_root: &Hash, new: usize, new_root: &Hash, proof: &[Hash]| {
                verify_consistency(old as u64, old_root, new as u64, new_root, proof)
            };
            prop_assert_eq!(verify(old, &before, new, &after, &proof), Ok(()));
            for changed in wrong(&proof, bit) {
                prop_assert!(verify(old, &before, new, &after, &changed).is_err());
            }
            prop_assert!(verify(old, &flipped(&before, bit), new, &after, &proof).is_err());
            prop_assert!(verify(old, &before, new, &flipped(&after, bit), &proof).is_err());
            prop_assert!(verify(old, &before, new + away, &root(new + away), &proof).is_err());
            prop_assert!(verify(old + away, &root(old + away), new, &after, &proof).is_err());
            prop_assert!(verify(new, &after, old, &before, &proof).is_err());
        }
    }
}
