//! A log to take packs from.

use std::collections::BTreeMap;

use garrison_transparency::{Checkpoint, Signer, TileWriter, inclusion, leaf_hash};

use crate::{Asked, Entry, Made, Pack};

/// Records of the log.
const SIZE: u64 = 7;

/// The record with a number, done by somebody whose name is this.
pub(crate) fn record(seq: u64, name: &str) -> Vec<u8> {
    let name = serde_json::to_string(name).unwrap();
    let text = format!(
        r#"{{"log_id":"acts","seq":{seq},"received":"2026-11-22T10:00:0{seq}Z","tenant":"ten_1","node":"node_1","stream":"audit","tag":"operation","actor":{{"id":"per_1","name":{name},"groups":["everyone"],"kind":"person"}},"source":{{"ip":"192.0.2.1","port":40123,"sender":"curl"}},"operation":"node:create","method":"api","object":{{"kind":"node","id":"node_1","component":"directory"}},"content":{{"b":1,"a":"x"}},"result":"success","reason":"created","session":"ses_1","request":"r1","approvals":[]}}"#
    );
    text.into_bytes()
}

/// Signs for a log.
pub(crate) fn signer(seed: u8) -> Signer {
    Signer::from_seed("log.example/acts", &[seed; 32]).unwrap()
}

/// The records 2, 3 and 6 of a log of seven.
pub(crate) fn pack() -> Pack {
    let mut writer = TileWriter::new();
    (1..=SIZE).for_each(|seq| writer.push(leaf_hash(&record(seq, "olga"))));
    let tiles: BTreeMap<_, _> = writer.take().into_iter().map(|tile| (tile.id, tile.bytes)).collect();
    let signer = signer(7);
    let mut checkpoint = Checkpoint::new("log.example/acts", SIZE, writer.root());
    checkpoint.extensions = vec!["time 2026-11-22T10:00:30Z".to_owned()];
    let entry = |seq: u64| Entry {
        index: seq - 1,
        proof: inclusion(|id| tiles.get(&id).cloned().ok_or("no tile"), seq - 1, SIZE).unwrap(),
        record: record(seq, "olga"),
    };
    Pack {
        asked: Asked { query: "operation:\"node:create\"".to_owned(), ..Asked::default() },
        made: Made { at: "2026-11-22T10:01:00Z".into(), by: "ben".into(), id: "per_2".into() },
        next: None,
        key: signer.verifier().clone(),
        checkpoint: checkpoint.sign(&[&signer]).unwrap(),
        entries: [2, 3, 6].map(entry).to_vec(),
    }
}
