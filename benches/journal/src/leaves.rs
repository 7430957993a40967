//! The tree over records, as it grows.

use std::hint::black_box;
use std::time::Duration;

use anyhow::ensure;
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use garrison_transparency::{Checkpoint, Note, Signer, Tile, TileWriter, leaf_hash};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::cpu;

/// Records between two checkpoints.
const TURN: usize = 10_000;
const TURNS: usize = 100;
/// Bytes of a record.
const RECORD: usize = 100;

/// Both trees take the same records. Ours is also cut into tiles, and signs a checkpoint at the end of each turn; the peer
/// only tells its root.
pub fn measure() -> anyhow::Result<Value> {
    let signer = Signer::from_seed("bench.example/acts", &[7; 32])?;
    let mut writer = TileWriter::new();
    let mut peer = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    let (mut own, mut theirs) = (Duration::ZERO, Duration::ZERO);
    for turn in 0..TURNS {
        let records: Vec<Vec<u8>> = (turn * TURN..(turn + 1) * TURN).map(record).collect();
        let since = cpu();
        black_box(seal(&mut writer, &signer, &records)?);
        own += cpu().saturating_sub(since);

        let since = cpu();
        for record in records {
            peer.push(record);
        }
        black_box(peer.root());
        theirs += cpu().saturating_sub(since);
    }
    let root = peer.root();
    ensure!(root.as_bytes().as_slice() == writer.root().as_slice(), "the two trees have different roots");
    let leaves = (TURN * TURNS) as f64;
    Ok(json!({
        "leaves": leaves,
        "bytes_of_a_leaf": RECORD,
        "garrison_per_cpu_second": (leaves / own.as_secs_f64()).round(),
        "ct_merkle_per_cpu_second": (leaves / theirs.as_secs_f64()).round(),
    }))
}

fn record(number: usize) -> Vec<u8> {
    format!("{number:0>RECORD$}").into_bytes()
}

fn seal(writer: &mut TileWriter, signer: &Signer, records: &[Vec<u8>]) -> anyhow::Result<(Vec<Tile>, Note)> {
    for record in records {
        writer.push(leaf_hash(record));
    }
    let tiles = writer.take();
    let checkpoint = Checkpoint::new(signer.verifier().name(), writer.size(), writer.root());
    Ok((tiles, checkpoint.sign(&[signer])?))
}
