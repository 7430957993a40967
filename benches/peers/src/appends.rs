//! Durable appends: Garrison's journal beside SQLite, on one file system, in one run.
//!
//! A sender is a task that gives one event and waits until it is on the disk, as a connection of the server's does. All
//! senders share a runtime with a thread for each processor, as they do in the server. SQLite gets the best that it
//! can be given: WAL, a prepared statement, and a thread that commits all that waits in one transaction, because left
//! alone it flushes once for each event. Both are given the same bytes and answer over the same channel. They take turns of a second, so that whatever else the machine does
//! meets both alike.

#![expect(clippy::disallowed_methods, reason = "a measurement must look at the clock")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, ensure};
use garrison_base::TenantId;
use garrison_journal::{Entry, Log, Options, Stream};
use garrison_secrets::{RootKey, SystemEntropy};
use rusqlite::{Connection, TransactionBehavior, params};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::{Barrier, oneshot};

/// How many send at once.
const SENDERS: [usize; 3] = [1, 8, 64];
/// Bytes of an event.
const EVENT: usize = 500;
const TURN: Duration = Duration::from_secs(1);
/// Turns of each.
const TURNS: usize = 5;
/// The segments of the server's log of events.
const SEGMENT: u64 = 64 << 20;
/// The stream of the server's log that events go to.
const LOGS: Stream = Stream(1);
const TENANT: [u8; 16] = [7; 16];

fn main() -> anyhow::Result<()> {
    let target = || Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    let parent = std::env::args_os().nth(1).map_or_else(target, PathBuf::from);
    let appends: Vec<Value> =
        SENDERS.into_iter().map(|senders| at(&parent, senders)).collect::<Result<_, _>>()?;
    println!("{}", json!({ "appends": appends, "sqlite_version": rusqlite::version() }));
    Ok(())
}

/// Something that keeps events.
trait Keeps: Send + Sync + Sized + 'static {
    /// Returns when the event is on the disk.
    fn keep(&self, event: Vec<u8>) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// Ends, and tells how many it has.
    fn close(self) -> anyhow::Result<u64>;
}

/// Both at so many senders, each with a fresh folder.
fn at(parent: &Path, senders: usize) -> anyhow::Result<Value> {
    let dir = tempfile::Builder::new()
        .prefix("appends-")
        .tempdir_in(parent)
        .with_context(|| format!("making a folder in {}", parent.display()))?;
    let runtime = Runtime::new()?;
    let (journal, database) = (Arc::new(Journal::open(dir.path())?), Arc::new(Database::open(dir.path())?));
    let (mut garrison, mut sqlite) = (Measured::default(), Measured::default());
    // The first event of each opens files, which is no part of an append.
    Measured::default().turn(&runtime, &journal, 1, Duration::ZERO)?;
    Measured::default().turn(&runtime, &database, 1, Duration::ZERO)?;
    for _ in 0..TURNS {
        garrison.turn(&runtime, &journal, senders, TURN)?;
        sqlite.turn(&runtime, &database, senders, TURN)?;
    }
    let (journal, database) = (alone(journal)?, alone(database)?);
    for (measured, kept) in [(&garrison, journal.close()?), (&sqlite, database.close()?)] {
        let answered = measured.waits.len() as u64 + 1;
        ensure!(kept == answered, "{answered} appends were answered, and {kept} are there");
    }
    let ratio = (100.0 * garrison.per_second() / sqlite.per_second()).round() / 100.0;
    let row =
        json!({ "senders": senders, "ratio": ratio, "garrison": garrison.shown(), "sqlite": sqlite.shown() });
    eprintln!("{row}");
    Ok(row)
}

/// What no sender holds any more.
fn alone<K>(keeper: Arc<K>) -> anyhow::Result<K> {
    Arc::into_inner(keeper).context("a sender is still at work")
}

/// What senders met.
#[derive(Default)]
struct Measured {
    time: Duration,
    /// How long each append waited for its answer.
    waits: Vec<Duration>,
}

impl Measured {
    /// Lets them send for so long, each at least one event.
    fn turn<K: Keeps>(
        &mut self,
        runtime: &Runtime,
        keeper: &Arc<K>,
        senders: usize,
        time: Duration,
    ) -> anyhow::Result<()> {
        let together = Arc::new(Barrier::new(senders + 1));
        let tasks: Vec<_> =
            (0..senders).map(|_| runtime.spawn(send(keeper.clone(), together.clone(), time))).collect();
        runtime.block_on(async {
            together.wait().await;
            let since = Instant::now();
            for task in tasks {
                self.waits.extend(task.await.context("a sender broke off")??);
            }
            self.time += since.elapsed();
            Ok(())
        })
    }

    fn per_second(&self) -> f64 {
        self.waits.len() as f64 / self.time.as_secs_f64()
    }

    fn shown(mut self) -> Value {
        self.waits.sort_unstable();
        let part = |percent: usize| {
            let wait = self.waits.get(self.waits.len() * percent / 100).copied().unwrap_or_default();
            (wait.as_secs_f64() * 1e6).round() / 1e3
        };
        json!({
            "per_second": self.per_second().round(),
            "p50_ms": part(50),
            "p99_ms": part(99),
        })
    }
}

/// One sender: the next event goes out when the last one was answered.
async fn send<K: Keeps>(
    keeper: Arc<K>,
    together: Arc<Barrier>,
    time: Duration,
) -> anyhow::Result<Vec<Duration>> {
    let event = [b'x'; EVENT];
    let mut waits = Vec::new();
    together.wait().await;
    let start = Instant::now();
    while waits.is_empty() || start.elapsed() < time {
        let since = Instant::now();
        keeper.keep(event.to_vec()).await?;
        waits.push(since.elapsed());
    }
    Ok(waits)
}

struct Journal(Log);

impl Journal {
    fn open(dir: &Path) -> anyhow::Result<Self> {
        let (log, _) = Log::open(Options {
            dir: dir.join("journal"),
            name: "events".to_owned(),
            key: RootKey::ephemeral(&SystemEntropy).seal("journal/events"),
            entropy: Arc::new(SystemEntropy),
            segment: SEGMENT,
            first: 1,
        })?;
        Ok(Self(log))
    }
}

impl Keeps for Journal {
    async fn keep(&self, event: Vec<u8>) -> anyhow::Result<()> {
        let entry = Entry { tenant: TenantId::from_bytes(TENANT), stream: LOGS, bytes: event };
        self.0.append(vec![entry]).await?;
        Ok(())
    }

    fn close(self) -> anyhow::Result<u64> {
        self.0.close();
        let (mut reader, mut kept) = (self.0.reader(1), 0);
        loop {
            let page = reader.read(4 << 20)?;
            if page.is_empty() {
                return Ok(kept);
            }
            kept += page.len() as u64;
        }
    }
}

/// SQLite with one thread that writes.
struct Database {
    queue: Sender<Waiting>,
    writer: JoinHandle<anyhow::Result<u64>>,
}

struct Waiting {
    event: Vec<u8>,
    done: oneshot::Sender<()>,
}

impl Database {
    fn open(dir: &Path) -> anyhow::Result<Self> {
        let dir = dir.join("sqlite");
        std::fs::create_dir(&dir)?;
        let connection = Connection::open(dir.join("events.db"))?;
        let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        ensure!(mode == "wal", "the journal mode is {mode}");
        connection.execute_batch(
            "PRAGMA synchronous = FULL;
             CREATE TABLE log (
                 seq INTEGER PRIMARY KEY, tenant BLOB NOT NULL, stream INTEGER NOT NULL, bytes BLOB NOT NULL
             )",
        )?;
        let (queue, waiting) = channel();
        let writer =
            thread::Builder::new().name("sqlite".into()).spawn(move || write(connection, &waiting))?;
        Ok(Self { queue, writer })
    }
}

impl Keeps for Database {
    async fn keep(&self, event: Vec<u8>) -> anyhow::Result<()> {
        let (done, answer) = oneshot::channel();
        self.queue.send(Waiting { event, done }).map_err(|_| anyhow!("the thread that writes has ended"))?;
        answer.await.context("the thread that writes gave no answer")
    }

    fn close(self) -> anyhow::Result<u64> {
        drop(self.queue);
        self.writer.join().map_err(|_| anyhow!("the thread that writes broke off"))?
    }
}

/// Commits all that waits together, until nobody can send any more; tells how many rows there are.
fn write(mut connection: Connection, queue: &Receiver<Waiting>) -> anyhow::Result<u64> {
    while let Ok(first) = queue.recv() {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut answers = Vec::new();
        {
            let mut insert =
                transaction.prepare_cached("INSERT INTO log (tenant, stream, bytes) VALUES (?1, ?2, ?3)")?;
            for Waiting { event, done } in std::iter::once(first).chain(queue.try_iter()) {
                insert.execute(params![TENANT, LOGS.0, event])?;
                answers.push(done);
            }
        }
        transaction.commit()?;
        for done in answers {
            // Nobody stops waiting here.
            let _ = done.send(());
        }
    }
    let rows: i64 = connection.query_row("SELECT count(*) FROM log", [], |row| row.get(0))?;
    Ok(rows.unsigned_abs())
}
