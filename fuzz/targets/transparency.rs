//! The texts of a log: paths of tiles, keys, notes, checkpoints, evidence. What is read is written as it was.
#![no_main]

use garrison_transparency::{Checkpoint, Evidence, Note, TileId, Verifier};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(key) = Verifier::new("log.example", [7; 32]) else { return };
    if let Ok(id) = TileId::parse(text) {
        assert_eq!(id.path(), text);
    }
    if let Ok(key) = Verifier::parse(text) {
        assert_eq!(key.to_string(), text);
    }
    if let Ok(checkpoint) = Checkpoint::parse(text) {
        assert_eq!(checkpoint.to_string(), text);
    }
    if let Ok(note) = Note::parse(text) {
        assert_eq!(note.to_string(), text);
        assert!(note.verify(&key).is_err(), "nobody has the secret of this key");
    }
    if let Ok(evidence) = Evidence::parse(text) {
        assert_eq!(evidence.to_string(), text);
        assert!(evidence.check(data, &key).is_err(), "nobody has the secret of this key");
    }
});
