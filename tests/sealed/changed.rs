//! Changes that somebody makes who has the disk and not the keys: each is found, with its place and its kind.

use std::fs;
use std::path::Path;

use crate::support::Place;
use crate::{DATA, assert_wrong, by_hand, database_is, files};

/// What is done to a file.
#[derive(Debug, Clone, Copy)]
enum Change {
    /// A bit of this byte is another one.
    Flipped(usize),
    /// Its last byte is gone.
    Cut,
    /// All of it is gone.
    Gone,
}

/// Does something to a file, looks, and puts it back.
fn with(path: &Path, change: Change, look: impl FnOnce()) {
    let right = fs::read(path).unwrap();
    let mut bytes = right.clone();
    match change {
        Change::Flipped(place) => bytes[place] ^= 1,
        Change::Cut => bytes.truncate(right.len() - 1),
        Change::Gone => fs::remove_file(path).unwrap(),
    }
    if !matches!(change, Change::Gone) {
        fs::write(path, bytes).unwrap();
    }
    look();
    fs::write(path, right).unwrap();
}

/// The name of a file without the folders above it.
fn name(path: impl AsRef<Path>) -> String {
    path.as_ref().file_name().unwrap().to_str().unwrap().to_owned()
}

pub fn files_of_logs(place: &Place) {
    let lake = files(&place.path(DATA).join("lake"));
    let ends = |end: &str| lake.iter().filter(|path| name(path).ends_with(end)).collect::<Vec<_>>();
    let (events, words) = (ends(".parquet.sealed"), ends(".words.sealed"));
    assert!(events.len() >= 2 && events.len() == words.len(), "{lake:?}");
    // Behind the header of 40 bytes.
    let changes = [(Change::Flipped(60), "edited"), (Change::Cut, "truncated"), (Change::Gone, "deleted")];
    for (change, kind) in changes {
        let what = format!("{change:?}");
        with(events[0], change, || {
            let named = assert_wrong(place, &what, ("files", &[kind]));
            assert_eq!(name(named), name(events[0]), "{what}");
        });
        // No digest of an index is recorded: that it was changed is seen because it does not open.
        with(words[0], change, || {
            let kinds = ["edited", "truncated", "deleted", "unreadable"];
            let named = assert_wrong(place, &what, ("files", &kinds));
            assert_eq!(name(named), name(words[0]), "{what}");
        });
    }
    exchanged(place, (events[0], events[1]), &["edited", "truncated"]);
    exchanged(place, (words[0], words[1]), &["edited", "truncated", "unreadable"]);
}

fn exchanged(place: &Place, (one, other): (&Path, &Path), kinds: &[&str]) {
    let [left, right] = [one, other].map(|path| fs::read(path).unwrap());
    fs::write(one, &right).unwrap();
    fs::write(other, &left).unwrap();
    let named = name(assert_wrong(place, "exchanged", ("files", kinds)));
    let stems = [one, other].map(|path| name(path).split_once(".parquet").unwrap().0.to_owned());
    assert!(stems.iter().any(|stem| named.starts_with(stem)), "{named} is none of {stems:?}");
    fs::write(one, left).unwrap();
    fs::write(other, right).unwrap();
}

pub fn journal_and_tree(place: &Place) {
    let journal = files(&place.path(DATA).join("journal"));
    let segment = journal.iter().find(|path| path.extension().is_some_and(|end| end == "log"));
    let segment = segment.expect("a segment");
    // In the first frame, which stands behind a block of 4096 bytes.
    with(segment, Change::Flipped(4096 + 100), || {
        let named = assert_wrong(place, "a segment", ("journal", &["edited"]));
        assert_eq!(name(named), name(segment));
    });

    let tiles = files(&place.path(DATA).join("tree/tile/0"));
    // In the hash of the second record.
    with(&tiles[0], Change::Flipped(32 + 8), || {
        assert_eq!(assert_wrong(place, "a tile", ("tree", &["edited"])), "record 2");
    });
    with(&tiles[0], Change::Gone, || {
        assert_eq!(name(assert_wrong(place, "no tile", ("tree", &["deleted"]))), name(&tiles[0]));
    });
    let checkpoint = place.path(DATA).join("tree/checkpoint");
    // Where nobody elsewhere knows that there was a tree, the journal does.
    let beside = place.path(DATA).join("journal/checkpoint");
    assert_eq!(fs::read(beside).unwrap(), fs::read(&checkpoint).unwrap());
    for (change, kind) in [(Change::Flipped(5), "edited"), (Change::Gone, "deleted")] {
        with(&checkpoint, change, || {
            assert_eq!(name(assert_wrong(place, "the checkpoint", ("tree", &[kind]))), "checkpoint");
        });
    }
}

pub fn database(place: &Place) {
    let file = by_hand(place, "SELECT min(file) FROM logs_file");
    let no_digest = "0".repeat(64);
    let cases: [(&str, &str, &str); 6] = [
        ("UPDATE audit SET result = 'failure' WHERE seq = 2", "database", "edited"),
        ("DELETE FROM audit WHERE seq = 2", "database", "edited"),
        ("DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)", "database", "edited"),
        (&format!("DELETE FROM logs_file WHERE file = '{file}'"), "files", "deleted"),
        (&format!("UPDATE logs_file SET digest = '{no_digest}' WHERE file = '{file}'"), "files", "edited"),
        // It would be due.
        (&format!("UPDATE logs_file SET last_at = 0 WHERE file = '{file}'"), "files", "edited"),
    ];
    for (sql, part, kind) in cases {
        let right = fs::read(place.path(DATA).join("garrison.db")).unwrap();
        by_hand(place, sql);
        let named = assert_wrong(place, sql, (part, &[kind]));
        let wanted = if part == "files" { file.as_str() } else { "the database" };
        assert!(named.contains(wanted), "{sql}: {named}");
        database_is(place, &right);
    }
    let database = place.path(DATA).join("garrison.db");
    with(&database, Change::Gone, || {
        let named = assert_wrong(place, "no database", ("database", &["deleted"]));
        assert_eq!(name(named), name(&database));
        assert!(!database.exists(), "whoever only looks makes nothing");
    });
}
