//! A whole platform for tests: a real database of its own, a clock that stands still until it is moved,
//! randomness from a seed. A dev-dependency only.
//!
//! `PostgreSQL` is used where the environment variable `GARRISON_TEST_POSTGRES` names a server
//! (`postgres://user@host:port`); the test command starts one.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::missing_panics_doc,
    reason = "a test that cannot go on must say so and stop"
)]

pub mod policies;

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use garrison_base::{Clock, Entropy, NodeId, PersonId, TenantId, Timestamp};
use garrison_kernel::{Actor, ActorId, DatabaseUrl, Kernel, Method, Module, OpenError, Options, Origin};
use garrison_secrets::RootKey;

/// A clock that moves only when it is told to.
#[derive(Debug)]
pub struct TestClock(AtomicI64);

impl TestClock {
    /// Moves it, forwards or back.
    pub fn advance(&self, by: jiff::SignedDuration) {
        self.0.fetch_add(i64::try_from(by.as_micros()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

/// Randomness that repeats.
pub struct SeededEntropy(Mutex<fastrand::Rng>);

impl SeededEntropy {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(fastrand::Rng::with_seed(seed)))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap().fill(bytes);
    }
}

/// Which database a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// A file in a folder of the test's own.
    Sqlite,
    /// A database of the test's own on the server that the environment names.
    Postgres,
}

impl Engine {
    /// The engines that this machine has; says so where `PostgreSQL` is not one of them.
    pub fn all() -> Vec<Self> {
        if server().is_none() {
            println!("skipped on PostgreSQL: GARRISON_TEST_POSTGRES names no server");
            return vec![Self::Sqlite];
        }
        vec![Self::Sqlite, Self::Postgres]
    }
}

#[expect(clippy::disallowed_methods, reason = "the test command tells where its server is")]
fn server() -> Option<String> {
    std::env::var("GARRISON_TEST_POSTGRES").ok().filter(|url| !url.is_empty())
}

/// An empty database, removed with the test.
pub struct Database {
    /// What the kernel is told.
    pub url: DatabaseUrl,
    folder: tempfile::TempDir,
}

impl Database {
    /// A new one.
    pub fn new(engine: Engine) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = match engine {
            Engine::Sqlite => DatabaseUrl::Sqlite(folder.path().join("garrison.db")),
            Engine::Postgres => {
                let server = server().expect("a server");
                let name = format!(
                    "t{}_{}",
                    std::process::id(),
                    folder.path().file_name().unwrap().to_string_lossy()
                );
                let name = name.replace(|char: char| !char.is_ascii_alphanumeric(), "").to_lowercase();
                let made = Command::new("psql")
                    .args(["--quiet", "--dbname", &format!("{server}/postgres")])
                    .args(["--command", &format!("CREATE DATABASE {name}")])
                    .status()
                    .expect("psql");
                assert!(made.success(), "psql could not make a database");
                DatabaseUrl::Postgres(format!("{server}/{name}"))
            }
        };
        Self { url, folder }
    }

    /// The folder that goes with it.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Runs SQL behind the kernel's back, as somebody who holds the database would: by `sqlite3` or `psql`.
    pub fn by_hand(&self, sql: &str) -> String {
        let output = match &self.url {
            DatabaseUrl::Sqlite(path) => Command::new("sqlite3")
                .args(["-cmd", ".timeout 10000"])
                .arg(path)
                .arg(sql)
                .output()
                .expect("sqlite3"),
            DatabaseUrl::Postgres(url) => Command::new("psql")
                .args(["--quiet", "--tuples-only", "--no-align", "--dbname", url, "--command", sql])
                .output()
                .expect("psql"),
        };
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

/// An open kernel with everything that it stands on.
pub struct Platform {
    /// The kernel.
    pub kernel: Kernel,
    /// Its clock.
    pub clock: Arc<TestClock>,
    /// Its database.
    pub database: Database,
    /// The root key.
    pub root_key: RootKey,
    /// The first tenant.
    pub tenant: TenantId,
    /// The root of its tree.
    pub root: NodeId,
}

impl Platform {
    /// Opens a new one, with one tenant `acme`.
    pub async fn new(engine: Engine, modules: Vec<Module>) -> Self {
        let database = Database::new(engine);
        let clock = Arc::new(TestClock(AtomicI64::new(1_795_341_600_000_000)));
        let entropy = SeededEntropy::new(7);
        let root_key = RootKey::ephemeral(&entropy);
        let kernel = open(&database, &clock, &root_key, modules).await.unwrap();
        let (tenant, root) =
            kernel.found_tenant(&"acme".parse().unwrap(), Origin::system("req-setup")).await.unwrap();
        Self { kernel, clock, database, root_key, tenant, root }
    }

    /// Opens the same state again, as after a restart.
    pub async fn reopen(&self, modules: Vec<Module>) -> Result<Kernel, OpenError> {
        self.kernel.close().await;
        open(&self.database, &self.clock, &self.root_key, modules).await
    }

    /// A person of the first tenant acts, from an address kept for documents.
    pub fn person(&self, id: PersonId) -> Actor {
        self.actor(ActorId::Person(id))
    }

    /// Anybody of the first tenant.
    pub fn actor(&self, id: ActorId) -> Actor {
        Actor { id, tenant: self.tenant, origin: origin(), limits: None }
    }
}

/// A request from an address kept for documents (RFC 5737).
pub fn origin() -> Origin {
    Origin {
        method: Method::Api,
        ip: [192, 0, 2, 10].into(),
        port: 40_000,
        agent: "test/1".into(),
        session: "ses_test".into(),
        request: "rq-1".into(),
        idempotency_key: None,
    }
}

async fn open(
    database: &Database,
    clock: &Arc<TestClock>,
    root_key: &RootKey,
    modules: Vec<Module>,
) -> Result<Kernel, OpenError> {
    // Ids must not repeat after a restart, so the seed is the time.
    let entropy = Arc::new(SeededEntropy::new(clock.0.fetch_add(1, Ordering::SeqCst).cast_unsigned()));
    let options = Options {
        database: database.url.clone(),
        connections: 4,
        root_key,
        clock: clock.clone(),
        entropy,
        journal: None,
    };
    Kernel::open(options, modules).await
}
