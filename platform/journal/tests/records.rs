//! The records of acts, in the database and in the journal: what was recorded is in both, and a difference stops
//! the opening.

#![expect(clippy::unwrap_used, reason = "tests fail loudly")]

use std::fs;
use std::future::poll_fn;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use garrison_base::SystemClock;
use garrison_journal::{Log, Records};
use garrison_kernel::{DatabaseUrl, Difference, Journal, Kernel, OpenError, Options, Origin};
use garrison_secrets::{RootKey, SystemEntropy};

fn journal(dir: &Path, root_key: &RootKey) -> Arc<dyn Journal> {
    let (log, _) = Log::open(garrison_journal::Options {
        dir: dir.join("journal"),
        name: "acts".into(),
        key: root_key.seal("journal"),
        entropy: Arc::new(SystemEntropy),
        segment: 1 << 20,
        first: 1,
    })
    .unwrap();
    Arc::new(Records::new(log))
}

async fn open(dir: &Path, root_key: &RootKey, with_journal: bool) -> Result<Kernel, OpenError> {
    let options = Options {
        database: DatabaseUrl::Sqlite(dir.join("garrison.db")),
        connections: 2,
        root_key,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        journal: with_journal.then(|| journal(dir, root_key)),
    };
    Box::pin(Kernel::open(options, Vec::new())).await
}

async fn found(kernel: &Kernel, name: &str) {
    kernel.found_tenant(&name.parse().unwrap(), Origin::system("test")).await.unwrap();
}

/// The numbers that the journal holds.
fn held(dir: &Path, root_key: &RootKey) -> Vec<i64> {
    journal(dir, root_key).kept().map(|record| record.unwrap().seq).collect()
}

#[tokio::test]
async fn what_is_recorded_is_in_the_journal_before_it_is_answered_and_what_others_record_follows() {
    let dir = tempfile::tempdir().unwrap();
    let root_key = RootKey::ephemeral(&SystemEntropy);
    let kernel = open(dir.path(), &root_key, true).await.unwrap();
    found(&kernel, "one").await;
    // Another process on the same machine, as `garrison tenant create` is.
    let other = open(dir.path(), &root_key, false).await.unwrap();
    found(&other, "two").await;
    found(&kernel, "three").await;
    other.close().await;
    kernel.close().await;
    drop((kernel, other));
    assert_eq!(held(dir.path(), &root_key), [1, 2, 3]);

    let alone = open(dir.path(), &root_key, false).await.unwrap();
    found(&alone, "four").await;
    alone.close().await;
    let kernel = open(dir.path(), &root_key, true).await.unwrap();
    kernel.close().await;
    drop(kernel);
    assert_eq!(held(dir.path(), &root_key), [1, 2, 3, 4]);
}

#[tokio::test]
async fn an_older_database_does_not_open() {
    let dir = tempfile::tempdir().unwrap();
    let root_key = RootKey::ephemeral(&SystemEntropy);
    let database = dir.path().join("garrison.db");
    let mut older = Vec::new();
    for name in ["one", "two"] {
        let kernel = open(dir.path(), &root_key, true).await.unwrap();
        found(&kernel, name).await;
        kernel.close().await;
        drop(kernel);
        older.push(fs::read(&database).unwrap());
    }
    fs::write(&database, older.first().unwrap()).unwrap();
    let refused = open(dir.path(), &root_key, true).await.err();
    assert!(matches!(refused, Some(OpenError::Difference(Difference::Older { seq: 2 }))), "{refused:?}");
    // Another history, just as long, signed with the same key.
    let kernel = open(dir.path(), &root_key, false).await.unwrap();
    found(&kernel, "another").await;
    kernel.close().await;
    drop(kernel);
    let refused = open(dir.path(), &root_key, true).await.err();
    assert!(matches!(refused, Some(OpenError::Difference(Difference::Other { seq: 2 }))), "{refused:?}");
    fs::write(&database, older.last().unwrap()).unwrap();
    open(dir.path(), &root_key, true).await.unwrap();
}

/// Waits for so many steps of a future and then goes away; tells whether it was done by then.
async fn waited(future: impl Future, steps: usize) -> bool {
    let (mut future, mut step) = (pin!(future), 0);
    poll_fn(|context| {
        step += 1;
        match future.as_mut().poll(context) {
            Poll::Ready(_) => Poll::Ready(true),
            Poll::Pending if step == steps => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_goes_away_at_any_moment_leaves_each_record_in_the_journal_once() {
    let dir = tempfile::tempdir().unwrap();
    let root_key = RootKey::ephemeral(&SystemEntropy);
    let kernel = open(dir.path(), &root_key, true).await.unwrap();
    for steps in 1.. {
        let name = format!("given-up-{steps}").parse().unwrap();
        let done = waited(kernel.found_tenant(&name, Origin::system("test")), steps).await;
        found(&kernel, &format!("after-{steps}")).await;
        if done {
            break;
        }
    }
    kernel.close().await;
    drop(kernel);
    let numbers = held(dir.path(), &root_key);
    assert_eq!(numbers, (1..=i64::try_from(numbers.len()).unwrap()).collect::<Vec<_>>());
    open(dir.path(), &root_key, true).await.unwrap();
}
