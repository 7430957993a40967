//! Logs on a platform of their own, by a clock that is moved by hand.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use garrison_access::acts::CreateGrant;
use garrison_base::{Clock, Entropy, NodeId, SourceId, TenantId};
use garrison_decode::Events;
use garrison_directory::acts::CreatePerson;
use garrison_journal::Log;
use garrison_kernel::{Act, Actor, ActorId, AuditFilter, Holder, Module, Outcome, Problem, Record, System};
use garrison_logs::acts::CreateSource;
use garrison_logs::intake::{Refused, Sender};
use garrison_logs::{Logs, Seen, Settle, SettleError, Target, Watch, reads};
use garrison_secrets::{KeyStore, Passphrase, RootKey, SystemEntropy};
use garrison_testkit::{Engine, Platform, origin};
use jiff::SignedDuration;
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Looks at nothing, and has nothing to settle.
struct Nobody;

impl Watch for Nobody {
    fn event(&mut self, _: &Seen<'_>) {}

    fn shown(&mut self, _: u64) {}
}

impl Settle for Nobody {
    fn settle(&self, _: u64) -> Pin<Box<dyn Future<Output = Result<(), SettleError>> + Send + '_>> {
        Box::pin(async { Ok(()) })
    }
}

pub struct World {
    pub platform: Platform,
    pub logs: Logs,
    pub keys: Arc<KeyStore>,
    stop: DropGuard,
    tasks: JoinSet<()>,
    /// The last number of the log that events were given.
    last: AtomicU64,
}

impl World {
    /// Begins on 2026-11-22, a minute past ten.
    pub async fn new(engine: Engine) -> Self {
        let modules: Vec<Module> =
            vec![garrison_directory::module(), garrison_access::module(), garrison_logs::module()];
        let platform = Platform::new(engine, modules).await;
        let over = platform.clock.now().as_microsecond() % 60_000_000;
        platform.clock.advance(SignedDuration::from_micros(60_000_000 - over));
        let dir = platform.database.folder().join("keys");
        RootKey::create(&dir, &SystemEntropy).unwrap();
        let keys = KeyStore::open(&dir, &Passphrase::None, Box::new(SystemEntropy)).unwrap();
        let keys = Arc::new(keys);
        let (logs, stop, tasks) = open(&platform, &keys).await;
        Self { platform, logs, keys, stop, tasks, last: AtomicU64::new(0) }
    }

    /// Ends, and starts again so many minutes later.
    pub async fn restart(self, minutes: i64) -> Self {
        let Self { platform, logs, keys, stop, mut tasks, last } = self;
        drop(stop);
        while tasks.join_next().await.is_some() {}
        drop(logs);
        platform.clock.advance(SignedDuration::from_mins(minutes));
        let (logs, stop, tasks) = open(&platform, &keys).await;
        Self { platform, logs, keys, stop, tasks, last }
    }

    /// Ends, lets something happen without the server, and starts again with keys that are read anew.
    pub async fn away(self, meanwhile: impl AsyncFnOnce(&Platform)) -> Self {
        let Self { platform, logs, keys, stop, mut tasks, last } = self;
        drop(stop);
        while tasks.join_next().await.is_some() {}
        drop((logs, keys));
        meanwhile(&platform).await;
        let keys = Arc::new(key_store(&platform));
        let (logs, stop, tasks) = open(&platform, &keys).await;
        Self { platform, logs, keys, stop, tasks, last }
    }

    /// The server is there for so many minutes.
    pub async fn pass(&self, minutes: i64) {
        for _ in 0..minutes {
            self.platform.clock.advance(SignedDuration::from_mins(1));
            self.logs.beat().await.unwrap();
        }
    }

    /// The server is there for so many days, and notes it once a week.
    pub async fn live(&self, days: i64) {
        for day in (0..days).step_by(7) {
            self.skip((days - day).min(7));
            self.logs.beat().await.unwrap();
        }
    }

    /// Days go by without the server.
    pub fn skip(&self, days: i64) {
        self.platform.clock.advance(SignedDuration::from_hours(24 * days));
    }

    pub fn system(&self) -> Actor {
        Actor::system(System::LOGS, self.platform.tenant, origin())
    }

    pub async fn act<A: Act>(&self, actor: &Actor, act: A) -> Result<A::Output, Box<dyn Problem>> {
        match self.platform.kernel.act(actor, act).await? {
            Outcome::Done(output) => Ok(output),
            Outcome::Waiting(request) => panic!("{request} waits"),
        }
    }

    /// Somebody with a role at the root of a tenant.
    pub async fn person(&self, (tenant, root): (TenantId, NodeId), name: &str, role: &str) -> Actor {
        let new = CreatePerson {
            name: name.parse().unwrap(),
            full_name: name.parse().unwrap(),
            email: format!("{name}@example.org").parse().unwrap(),
        };
        let setup = Actor::system(System::SETUP, tenant, origin());
        let id = ActorId::Person(self.act(&setup, new).await.unwrap().person);
        let grant = CreateGrant {
            holder: Holder::Actor(id),
            role: role.into(),
            node: root,
            until: None,
            duty: "test".parse().unwrap(),
            reason: "test".parse().unwrap(),
        };
        let console = Actor::system(System::CONSOLE, tenant, origin());
        self.act(&console, grant).await.unwrap();
        Actor { tenant, ..self.platform.actor(id) }
    }

    pub async fn administrator(&self) -> Actor {
        self.person((self.platform.tenant, self.platform.root), "ann", "administrator").await
    }

    /// A source whose stream has its name.
    pub async fn source(&self, name: &str, silence_minutes: Option<i64>) -> Target {
        let act = CreateSource {
            node: self.platform.root,
            name: name.parse().unwrap(),
            purpose: "a test".parse().unwrap(),
            stream: Some(name.parse().unwrap()),
            rate_limit: None,
            silence_minutes,
        };
        self.act(&self.system(), act).await.unwrap();
        let (tenant, name) = (self.platform.tenant, name.parse().unwrap());
        self.logs.configured(tenant, &name, &"x".parse().unwrap()).await.unwrap().unwrap()
    }

    pub async fn send(&self, target: &Target, count: usize) -> Result<(), Refused> {
        let mut events = Events::default();
        (0..count).for_each(|number| events.push(format!("event {number}").as_bytes()));
        let taken = self.logs.intake().take(&Sender::default(), &[(target.clone(), events)]).await?;
        let last = u64::try_from(taken.last.unwrap()).unwrap() >> 20;
        self.last.store(last, Ordering::Relaxed);
        Ok(())
    }

    /// Writes all that was sent to files.
    pub async fn keep(&self) {
        let last = self.last.load(Ordering::Relaxed);
        for _ in 0..600 {
            if self.logs.progress().searchable.load(Ordering::Relaxed) >= last {
                return self.logs.keep().await.unwrap();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("what was sent cannot be found");
    }

    /// The records of an operation, the last first.
    pub async fn records(&self, operation: &str) -> Vec<Record> {
        let mut tx = self.platform.kernel.read(&self.system(), reads::SOURCES).await.unwrap();
        let filter = AuditFilter { operation: Some(operation.into()), ..AuditFilter::default() };
        tx.records(&filter, 100).await.unwrap()
    }
}

async fn open(platform: &Platform, keys: &Arc<KeyStore>) -> (Logs, DropGuard, JoinSet<()>) {
    let dir = platform.database.folder();
    let options = garrison_journal::Options {
        dir: dir.join("log"),
        name: "events".into(),
        key: keys.base().seal("journal/events"),
        entropy: Arc::new(SystemEntropy),
        segment: 1 << 20,
        first: 1,
    };
    let (log, _) = Log::open(options).unwrap();
    let stop = CancellationToken::new();
    let parts: (Arc<dyn Clock>, Arc<dyn Entropy>) = (platform.clock.clone(), Arc::new(SystemEntropy));
    let lake = dir.join("lake");
    let open = Logs::open(&platform.kernel, (&lake, keys.clone()), Arc::new(log), parts, stop.clone());
    let logs = open.await.unwrap();
    let tasks = logs.start(Box::new(Nobody), Arc::new(Nobody));
    logs.beat().await.unwrap();
    (logs, stop.drop_guard(), tasks)
}

/// The keys, as a process that starts finds them.
pub fn key_store(platform: &Platform) -> KeyStore {
    let dir = platform.database.folder().join("keys");
    KeyStore::open(&dir, &Passphrase::None, Box::new(SystemEntropy)).unwrap()
}

/// The source of a target.
pub fn id(target: &Target) -> SourceId {
    target.origin.source()
}
