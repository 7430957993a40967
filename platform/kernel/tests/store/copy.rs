//! The whole state in lines, from each database into each: the same records and rights, or nothing at all.

use std::sync::Arc;

use garrison_kernel::{
    Copied, CopyError, Kernel, Options, Snapshot, empty_database, fill_database, is_empty_database,
};
use garrison_testkit::{Database, Engine, SeededEntropy};

use crate::support::{World, modules};

async fn told(snapshot: &mut Snapshot) -> (Copied, Vec<String>) {
    let mut lines = Vec::new();
    let mut take = |line: &[u8]| -> std::io::Result<()> {
        let line = line.strip_suffix(b"\n").expect("a line end");
        lines.push(String::from_utf8(line.to_vec()).unwrap());
        Ok(())
    };
    let copied = snapshot.export(&mut take).await.unwrap();
    (copied, lines)
}

async fn filled(database: &Database, lines: &[String]) -> Result<Copied, CopyError> {
    let mut lines = lines.iter().cloned().map(Ok);
    fill_database(&database.url, &modules(), &mut lines).await
}

async fn open(world: &World, database: &Database) -> Kernel {
    let options = Options {
        database: database.url.clone(),
        connections: 2,
        root_key: &world.platform.root_key,
        clock: world.platform.clock.clone(),
        entropy: Arc::new(SeededEntropy::new(11)),
        journal: None,
    };
    Kernel::open(options, modules()).await.unwrap()
}

/// A world with rights and notes.
async fn world(engine: Engine) -> World {
    let world = World::new(engine).await;
    world.holding("ada", "writer", world.shop).await;
    world.note(world.pay, "a note with \"quotes\", a line\nend and \u{1f512}").await;
    world.note(world.shop, "").await;
    world
}

#[tokio::test]
async fn a_state_is_the_same_in_the_database_that_it_was_copied_to() {
    for (from, to) in
        Engine::all().into_iter().flat_map(|from| Engine::all().into_iter().map(move |to| (from, to)))
    {
        let world = world(from).await;
        let mut snapshot = world.kernel().snapshot().await.unwrap();
        let before = snapshot.records();
        // What is committed now comes after the snapshot.
        world.note(world.pay, "too late").await;
        let (copied, lines) = told(&mut snapshot).await;
        drop(snapshot);
        assert_eq!((copied.records, snapshot_records(&lines)), (before, before));

        let database = Database::new(to);
        assert!(is_empty_database(&database.url).await.unwrap());
        assert_eq!(filled(&database, &lines).await.unwrap(), copied);
        assert!(matches!(filled(&database, &lines).await, Err(CopyError::NotEmpty)));
        let kernel = open(&world, &database).await;
        assert_eq!(kernel.verify().await.unwrap(), before);
        let mut again = kernel.snapshot().await.unwrap();
        let (_, mut lines_again) = told(&mut again).await;
        drop(again);
        let mut lines = lines;
        lines.sort();
        lines_again.sort();
        assert_eq!(lines, lines_again);
        kernel.close().await;
        empty_database(&database.url).await.unwrap();
        assert!(is_empty_database(&database.url).await.unwrap());
    }
}

fn snapshot_records(lines: &[String]) -> i64 {
    let first: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
    first["state"]["records"].as_i64().unwrap()
}

#[tokio::test]
async fn lines_that_are_not_a_whole_state_fill_nothing() {
    for engine in Engine::all() {
        let world = world(engine).await;
        let (_, lines) = told(&mut world.kernel().snapshot().await.unwrap()).await;
        let row = lines.iter().position(|line| line.starts_with("{\"row\":")).unwrap();
        let table = lines.iter().position(|line| line.starts_with("{\"table\":")).unwrap();
        let change = |at: usize, put: &[&str]| {
            let mut changed = lines.clone();
            changed.splice(at..=at, put.iter().map(|line| (*line).to_owned()));
            changed
        };
        let newer = lines[0].replacen("\"version\":1", "\"version\":2", 1);
        let foreign = lines[0].replacen("\"domain\":\"kernel\"", "\"domain\":\"kernels\"", 1);
        let cases = [
            ("no beginning", lines[1..].to_vec()),
            ("no end", lines[..lines.len() - 1].to_vec()),
            ("a row is missing", change(row, &[])),
            ("a row is there twice", change(row, &[&lines[row], &lines[row]])),
            ("a row with too few cells", change(row, &["{\"row\":[1]}"])),
            ("a table is missing its line", change(table, &[])),
            (
                "another table",
                change(table, &["{\"table\":{\"name\":\"x; DROP TABLE audit\",\"columns\":[]}}"]),
            ),
            ("no JSON", change(row, &["{"])),
            ("a newer schema", change(0, &[&newer])),
            ("a part that is not known", change(0, &[&foreign])),
            ("nothing", Vec::new()),
        ];
        for (what, lines) in cases {
            let database = Database::new(engine);
            let refused = filled(&database, &lines).await;
            assert!(refused.is_err(), "{what}");
            assert!(is_empty_database(&database.url).await.unwrap(), "{what}: {refused:?}");
        }
    }
}
