//! The tree and its proofs beside ct-merkle, which others wrote: the same roots, the same proofs, and it takes ours.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::iter;

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof};
use garrison_transparency::{TileId, TileWriter, consistency, inclusion, leaf_hash};
use sha2::Sha256;

fn entry(index: usize) -> Vec<u8> {
    format!("entry {index}").into_bytes()
}

/// Up to 18 of the numbers below `size`, the first and the last among them.
fn some(size: usize) -> impl Iterator<Item = usize> {
    (0..size).step_by(1 + size / 16).chain(iter::once(size.saturating_sub(1)))
}

#[test]
fn roots_and_proofs_are_those_of_ct_merkle() {
    let mut oracle = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    let mut roots = vec![oracle.root()];
    let mut writer = TileWriter::new();
    let mut disk = BTreeMap::new();
    for size in 1..=600_usize {
        writer.push(leaf_hash(&entry(size - 1)));
        oracle.push(entry(size - 1));
        disk.extend(writer.take().into_iter().map(|tile| ((tile.id.level(), tile.id.index()), tile.bytes)));
        let root = oracle.root();
        assert_eq!(root.as_bytes().as_slice(), writer.root(), "{size}");

        let tiles = |id: TileId| Ok::<_, Infallible>(disk[&(id.level(), id.index())].clone());
        for index in some(size) {
            let proof = inclusion(tiles, index as u64, size as u64).unwrap().concat();
            assert_eq!(proof, oracle.prove_inclusion(index).as_bytes(), "{index} in {size}");
            let proof = InclusionProof::try_from_bytes(proof).unwrap();
            let taken = root.verify_inclusion(&entry(index), index as u64, &proof);
            assert!(taken.is_ok(), "{index} in {size}: {taken:?}");
        }
        for old in some(size).map(|index| index + 1) {
            let proof = consistency(tiles, old as u64, size as u64).unwrap().concat();
            assert_eq!(proof, oracle.prove_consistency(size - old).as_bytes(), "{old} in {size}");
            if old < size {
                let proof = ConsistencyProof::try_from_bytes(proof).unwrap();
                let taken = root.verify_consistency(&roots[old], &proof);
                assert!(taken.is_ok(), "{old} in {size}: {taken:?}");
            }
        }
        roots.push(root);
    }
}
