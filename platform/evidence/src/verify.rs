//! Checking a pack: the digests, the signature, every proof, and that nothing stands in it that does not follow.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use garrison_transparency::{Checkpoint, Hash, Note, Verifier, leaf_hash, verify_inclusion};

use crate::manifest::{FORMAT, Manifest, REPORT};
use crate::pack::{Entry, MOST_BYTES, MOST_RECORDS, PARTS, Pack, Proof, line_of, sha256};
use crate::{Refused, archive, report};

/// A pack that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// What it says of itself. Nothing vouches for who made it, nor for the question.
    pub manifest: Manifest,
    /// The key that it holds under: the one that was given, or the pack's own.
    pub key: Verifier,
    /// How far the log had come.
    pub checkpoint: Checkpoint,
}

impl Verified {
    /// When the log was sealed so, by its own word.
    pub fn sealed(&self) -> Option<&str> {
        report::sealed(&self.checkpoint)
    }
}

/// Whether a file is a pack, and all that it shows is in the log of this key. Without a key the pack's own counts, which
/// only tells that the pack belongs together.
pub fn verify(file: &[u8], key: Option<&Verifier>) -> Result<Verified, Refused> {
    if file.len() > MOST_BYTES {
        let what = format!("it has {} bytes, and a pack has at most {MOST_BYTES}", file.len());
        return Err(Refused::new("the file", what));
    }
    let parts = archive::read(file, &PARTS)?;
    let [manifest, own, note, records, proofs, _] = parts;
    let manifest = manifest_of(manifest, &parts)?;
    let own = key_of(own)?;
    if key.is_some_and(|key| *key != own) {
        let what = format!("the pack is of another log, or of another key: {own}");
        return Err(Refused::new("log.vkey", what));
    }
    let refused = |what: String| Refused::new("checkpoint", what);
    let note = Note::parse(text("checkpoint", note)?).map_err(|error| refused(error.to_string()))?;
    let checkpoint = Checkpoint::verify(&note, &own).map_err(|error| refused(error.to_string()))?;
    let entries = entries(records, proofs, &checkpoint)?;
    if entries.len() != manifest.records {
        let what = format!("it tells of {} records, and there are {}", manifest.records, entries.len());
        return Err(Refused::new("manifest.json", what));
    }
    let pack = Pack {
        asked: manifest.asked.clone(),
        made: manifest.made.clone(),
        next: manifest.next,
        key: own,
        checkpoint: note,
        entries,
    };
    same(&pack.parts()?, parts)?;
    Ok(Verified { manifest, key: pack.key, checkpoint })
}

/// What was read must be what these records, proofs and words make.
fn same(made: &[Vec<u8>; 6], found: [&[u8]; 6]) -> Result<(), Refused> {
    // The manifest comes last: it differs wherever another part does.
    for (((name, _), made), found) in PARTS.iter().zip(made).zip(found).rev() {
        if made != found {
            return Err(Refused::new(*name, "it is not what the records, the proofs and the manifest make"));
        }
    }
    Ok(())
}

fn manifest_of(bytes: &[u8], parts: &[&[u8]; 6]) -> Result<Manifest, Refused> {
    let refused = |what: String| Refused::new("manifest.json", what);
    let manifest: Manifest = serde_json::from_slice(bytes).map_err(|error| refused(error.to_string()))?;
    if manifest.format != FORMAT || manifest.report != REPORT {
        let what = "the pack is of another form; a newer Garrison may know it";
        return Err(refused(what.to_owned()));
    }
    for ((name, _), part) in PARTS.iter().zip(parts).skip(1) {
        let found = sha256(part);
        if manifest.sha256.get(*name) != Some(&found) {
            return Err(Refused::new(
                *name,
                format!("its SHA-256 is {found}, and the manifest has another one"),
            ));
        }
    }
    Ok(manifest)
}

fn key_of(bytes: &[u8]) -> Result<Verifier, Refused> {
    let line = text("log.vkey", bytes)?;
    let key = Verifier::parse(line.strip_suffix('\n').unwrap_or(line));
    key.map_err(|error| Refused::new("log.vkey", error.to_string()))
}

/// The records and their proofs, each of which must hold.
fn entries(records: &[u8], proofs: &[u8], checkpoint: &Checkpoint) -> Result<Vec<Entry>, Refused> {
    let (records, proofs) = (lines("records.ndjson", records)?, lines("proofs.ndjson", proofs)?);
    if records.len() != proofs.len() {
        let what = format!("it has {} lines, and there are {} records", proofs.len(), records.len());
        return Err(Refused::new("proofs.ndjson", what));
    }
    let mut entries: Vec<Entry> = Vec::with_capacity(records.len());
    for (line, (record, proof)) in (1..).zip(records.into_iter().zip(proofs)) {
        let (index, proof) = proof_of(line, proof)?;
        if entries.last().is_some_and(|last| last.index >= index) {
            let what = "the record stands there twice, or in another order than in the log";
            return Err(Refused::new(line_of("proofs.ndjson", line), what));
        }
        let held = verify_inclusion(&leaf_hash(record), index, checkpoint.size, &proof, &checkpoint.root);
        held.map_err(|error| Refused::new(line_of("records.ndjson", line), error.to_string()))?;
        entries.push(Entry { index, proof, record: record.to_vec() });
    }
    Ok(entries)
}

fn proof_of(line: usize, bytes: &[u8]) -> Result<(u64, Vec<Hash>), Refused> {
    let refused = |what: String| Refused::new(line_of("proofs.ndjson", line), what);
    let proof: Proof = serde_json::from_slice(bytes).map_err(|error| refused(error.to_string()))?;
    let hash = |text: &String| STANDARD.decode(text).ok().and_then(|bytes| Hash::try_from(bytes).ok());
    let hashes: Option<Vec<Hash>> = proof.hashes.iter().map(hash).collect();
    let hashes = hashes.ok_or_else(|| refused("a hash is not 32 bytes in base64".to_owned()))?;
    Ok((proof.index, hashes))
}

fn lines<'p>(name: &str, part: &'p [u8]) -> Result<Vec<&'p [u8]>, Refused> {
    let whole = part.strip_suffix(b"\n");
    let whole = whole.ok_or_else(|| Refused::new(name, "it does not end with a line break"))?;
    let lines: Vec<_> = whole.split(|byte| *byte == b'\n').take(MOST_RECORDS + 1).collect();
    if lines.len() > MOST_RECORDS {
        return Err(Refused::new(name, format!("it has more than {MOST_RECORDS} lines")));
    }
    Ok(lines)
}

fn text<'p>(name: &str, part: &'p [u8]) -> Result<&'p str, Refused> {
    str::from_utf8(part).map_err(|error| Refused::new(name, format!("it is not text: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    /// What is wrong with a pack, and where.
    fn wrong(pack: &Pack) -> String {
        verify(&pack.write().unwrap(), None).unwrap_err().to_string()
    }

    /// A pack whose part is another one, with the digests that belong to it.
    fn with(number: usize, change: impl Fn(String) -> String) -> Result<Verified, Refused> {
        let mut parts = sample::pack().parts().unwrap();
        let before = sha256(&parts[number]);
        parts[number] = change(String::from_utf8(parts[number].clone()).unwrap()).into_bytes();
        let manifest = String::from_utf8(parts[0].clone()).unwrap();
        parts[0] = manifest.replace(&before, &sha256(&parts[number])).into_bytes();
        let named: Vec<_> =
            PARTS.iter().zip(&parts).map(|((name, _), part)| (*name, part.as_slice())).collect();
        verify(&archive::write(&named).unwrap(), None)
    }

    #[test]
    fn a_pack_holds_without_a_server() {
        let pack = sample::pack();
        let file = pack.write().unwrap();
        let verified = verify(&file, Some(sample::signer(7).verifier())).unwrap();
        assert_eq!(verified, verify(&file, None).unwrap());
        assert_eq!((verified.manifest.records, verified.checkpoint.size), (3, 7));
        assert_eq!((&verified.manifest.asked, &verified.manifest.made), (&pack.asked, &pack.made));
        assert!(verified.manifest.complete);
        assert_eq!(verified.sealed(), Some("2026-11-22T10:00:30Z"));

        let other = verify(&file, Some(sample::signer(8).verifier())).unwrap_err();
        assert_eq!(other.place, "log.vkey");
    }

    #[test]
    fn the_parts_are_what_other_programs_read() {
        let [manifest, key, _, records, proofs, _] = sample::pack().parts().unwrap();
        let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
        assert_eq!(manifest["format"], "garrison-evidence/1");
        assert_eq!(manifest["sha256"]["records.ndjson"], sha256(&records));
        assert_eq!(manifest["sha256"].as_object().unwrap().len(), PARTS.len() - 1);
        assert_eq!(String::from_utf8(key).unwrap(), format!("{}\n", sample::signer(7).verifier()));
        let expected = [2, 3, 6].map(|seq| [sample::record(seq, "olga"), b"\n".to_vec()].concat()).concat();
        assert_eq!(records, expected);
        let first: serde_json::Value =
            serde_json::from_slice(proofs.split(|byte| *byte == b'\n').next().unwrap()).unwrap();
        assert_eq!(first["index"], 1);
        assert_eq!(first["hashes"].as_array().unwrap().len(), 3);
    }

    #[test]
    fn no_changed_byte_and_no_shorter_file_holds() {
        let file = sample::pack().write().unwrap();
        for place in 0..file.len() {
            let mut changed = file.clone();
            changed[place] ^= 1;
            assert!(verify(&changed, None).is_err(), "byte {place}");
            assert!(verify(&file[..place], None).is_err(), "{place} bytes");
        }
        assert!(verify(&[file.as_slice(), b"\n"].concat(), None).is_err());
    }

    #[test]
    fn another_record_proof_or_place_is_named() {
        let changed = |change: fn(&mut Pack)| {
            let mut pack = sample::pack();
            change(&mut pack);
            wrong(&pack)
        };
        let found = changed(|pack| pack.entries[1].record = sample::record(3, "anna"));
        assert!(found.starts_with("records.ndjson, line 2: "), "{found}");
        let found = changed(|pack| pack.entries[2].proof[0][31] ^= 1);
        assert!(found.starts_with("records.ndjson, line 3: "), "{found}");
        let found = changed(|pack| {
            pack.entries[0].proof.pop();
        });
        assert!(found.starts_with("records.ndjson, line 1: "), "{found}");
        let found = changed(|pack| pack.entries.swap(0, 1));
        assert!(found.starts_with("proofs.ndjson, line 2: "), "{found}");
        let found = changed(|pack| pack.entries.insert(0, pack.entries[0].clone()));
        assert!(found.starts_with("proofs.ndjson, line 2: "), "{found}");
        let found = changed(|pack| pack.entries.clear());
        assert!(found.starts_with("records.ndjson: "), "{found}");
        // The pack of somebody who signs a log of their own is another log's.
        let forged = sample::pack();
        let key = sample::signer(8);
        let checkpoint = Checkpoint::verify(&forged.checkpoint, &forged.key).unwrap().sign(&[&key]).unwrap();
        let forged = Pack { checkpoint, key: key.verifier().clone(), ..forged }.write().unwrap();
        assert!(verify(&forged, None).is_ok());
        assert_eq!(verify(&forged, Some(sample::signer(7).verifier())).unwrap_err().place, "log.vkey");
    }

    #[test]
    fn no_name_of_a_log_ends_the_command_that_the_report_shows() {
        for name in ["x';id;'", "\u{7f}", "\u{e9}", "\u{202e}x"] {
            let key = Verifier::new(name, [7; 32]).unwrap();
            assert_eq!(Pack { key, ..sample::pack() }.write().unwrap_err().place, "log.vkey", "{name:?}");
        }
    }

    #[test]
    fn a_record_must_stand_where_it_says() {
        let mut pack = sample::pack();
        pack.entries[0].index += 1;
        let refused = pack.write().unwrap_err();
        assert_eq!(refused.place, "records.ndjson, line 1");
        pack.entries[0].record = b"{\n}".to_vec();
        assert_eq!(pack.write().unwrap_err().place, "records.ndjson, line 1");
    }

    /// All digests fit, and still the parts are not those of the records.
    #[test]
    fn what_does_not_follow_from_the_records_is_named() {
        let place = |found: Result<Verified, Refused>| found.unwrap_err().place;
        assert!(with(5, |report| report).is_ok());
        assert_eq!(place(with(5, |report| report.replace("olga", "anna"))), "report.html");
        assert_eq!(
            place(with(4, |proofs| proofs.replacen("{\"index\":1,", "{ \"index\":1,", 1))),
            "proofs.ndjson"
        );
        assert_eq!(place(with(3, |records| records + "{}\n")), "proofs.ndjson");
        assert_eq!(place(with(2, |note| note.replacen("7\n", "8\n", 1))), "checkpoint");
        assert_eq!(place(with(1, |key| key.trim().to_owned())), "log.vkey");
        // Another question is another report.
        assert_eq!(place(with(0, |manifest| manifest.replace("node:create", "node:delete"))), "report.html");
        assert_eq!(
            place(with(0, |manifest| manifest.replace("\"complete\": true", "\"complete\": false"))),
            "manifest.json"
        );
        assert_eq!(
            place(with(0, |manifest| manifest.replace("\"records\": 3", "\"records\": 2"))),
            "manifest.json"
        );
        assert_eq!(place(with(0, |manifest| manifest.replace("evidence/1", "evidence/2"))), "manifest.json");
        assert_eq!(place(with(0, |manifest| manifest + "\n")), "manifest.json");
    }

    #[test]
    fn the_report_escapes_what_others_chose() {
        let mut pack = sample::pack();
        pack.entries[0].record = sample::record(2, "<script>alert(1)</script>\u{202e}\u{1b}[31m");
        pack.asked.query = "\"</code><img src=x>\"".to_owned();
        let [.., report] = pack.parts().unwrap();
        let report = String::from_utf8(report).unwrap();
        assert!(!report.contains("<script") && !report.contains("<img"), "{report}");
        assert!(!report.contains('\u{202e}') && !report.contains('\u{1b}'), "{report}");
        for loaded in ["src=", "href=", "url(", "@import"] {
            assert!(!report.replace("img src=x", "").contains(loaded), "{loaded}");
        }
        // The content is as it stands in the record, in its order.
        assert!(report.contains("{&#34;b&#34;:1,&#34;a&#34;:&#34;x&#34;}"), "{report}");
    }
}
