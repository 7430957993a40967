//! Logs: what machines say, from the wire to the question.
//!
//! Events come in over syslog, HTTP, Elasticsearch's bulk protocol, OTLP or from files ([`Intake`]). They are answered
//! when they are in the write-ahead log. One thread follows the log ([`pipeline`]): it decodes, shows every event to
//! whoever watches ([`Watch`]) and gathers rows that can be found at once. Rows become files, the files are committed by an
//! act, and the log lets go of them.

pub mod acts;
mod backup;
pub mod batch;
mod beat;
pub mod columns;
pub mod coverage;
mod elastic;
pub mod filter;
mod follow;
mod forward;
mod functions;
mod histogram;
pub mod intake;
mod keeper;
mod keys;
mod lines;
mod minute;
mod model;
mod named;
mod otlp;
pub mod pipeline;
mod places;
pub mod problem;
pub mod reads;
mod receive;
mod renewal;
mod retention;
mod rounds;
mod routes;
pub mod search;
mod sight;
mod store;
mod stream;
mod syslog;
mod tail;
mod tally;
mod top;

use std::collections::HashMap;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use garrison_base::{Clock, Entropy, TenantId, Timestamp};
use garrison_journal::{Log, LogError};
use garrison_kernel::{Actor, Kernel, KernelError, Migration, Module, Origin, Problem, System};
use garrison_lake::{FileEntry, Keyring, Lake, LakeError, News};
use garrison_secrets::{KeyError, KeyStore};
use jiff::SignedDuration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use beat::Beat;
use keys::Keys;
use pipeline::Clean;
use tally::Tally;

pub use backup::{HeldKey, KnownBackup, NotedBackup, ReadableBackup, backups, catalogue};
pub use follow::Followed;
pub use forward::Forward;
pub use functions::fields_json;
pub use garrison_base::Day;
pub use intake::{Intake, Meter, Target};
pub use keys::DataKey;
pub use model::{Coverage, CoveredDay, Heard, Hold, Name, Retention, SavedSearch, Source};
pub use named::NamedSource;
pub use pipeline::{Progress, Seen, Watch};
pub use renewal::{KeyChange, wrapped};
pub use routes::routes;
pub use syslog::Sockets;
pub use tally::{HeardDay, RefusedDay};

const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, sql: include_str!("../migrations/0001_logs.sql") },
    Migration { version: 2, sql: include_str!("../migrations/0002_sealed.sql") },
    Migration { version: 3, sql: include_str!("../migrations/0003_classes.sql") },
    Migration { version: 4, sql: include_str!("../migrations/0004_retention.sql") },
    Migration { version: 5, sql: include_str!("../migrations/0005_backups.sql") },
];

/// What the kernel folds in.
pub fn module() -> Module {
    Module::new("logs", MIGRATIONS, include_str!("policy.cedar"))
        .act::<acts::CreateSource>()
        .act::<acts::ChangeSource>()
        .act::<acts::DisableSource>()
        .act::<acts::EnableSource>()
        .act::<acts::KeepLogs>()
        .act::<acts::CompactLogs>()
        .act::<acts::ExpireLogs>()
        .act::<acts::ResumeLogs>()
        .act::<acts::SetRetention>()
        .act::<acts::CreateHold>()
        .act::<acts::EndHold>()
        .act::<acts::ClassifyStream>()
        .act::<acts::RotateKey>()
        .act::<acts::DestroyKey>()
        .act::<acts::RewrapKeys>()
        .act::<acts::SettleKeys>()
        .act::<acts::RecordRootKey>()
        .act::<acts::CreateBackup>()
        .act::<acts::ForgetBackup>()
        .act::<acts::RestoreBackup>()
        .act::<acts::SaveSearch>()
        .act::<acts::DeleteSearch>()
        .read(search::SEARCH)
        .read(receive::SEND)
        .read(reads::SOURCES)
        .read(<reads::ListSearches as garrison_web::Question>::VERB)
        .read(<reads::DescribeLogs as garrison_web::Question>::VERB)
        .read(<reads::ListRetention as garrison_web::Question>::VERB)
        .read(<reads::ListHolds as garrison_web::Question>::VERB)
        .read(<reads::ListKeyChanges as garrison_web::Question>::VERB)
        .read(<coverage::CoverSources as garrison_web::Question>::VERB)
}

/// Why what was found could not be settled.
pub type SettleError = Box<dyn Problem>;
type Settling<'s> = Pin<Box<dyn Future<Output = Result<(), SettleError>> + Send + 's>>;

/// Whoever must have settled what was found in events before the log lets go of them.
pub trait Settle: Send + Sync {
    /// Waits until all that was found up to this number is in the state.
    fn settle(&self, upto: u64) -> Settling<'_>;
}

/// The logs of a server.
#[derive(Clone)]
pub struct Logs(Arc<Inner>);

struct Inner {
    kernel: Kernel,
    keys: Arc<Keys>,
    lake: Arc<Lake>,
    log: Arc<Log>,
    intake: Arc<Intake>,
    progress: Arc<Progress>,
    clock: Arc<dyn Clock>,
    kept: HashMap<TenantId, u64>,
    /// What was heard and is not in the state yet.
    heard: Mutex<Tally>,
    beat: Beat,
    /// Held by whoever writes files, and by whoever lets go of keys.
    filing: tokio::sync::Mutex<()>,
    clean: mpsc::Sender<oneshot::Sender<Clean>>,
    cleaned: Mutex<Option<mpsc::Receiver<oneshot::Sender<Clean>>>>,
    settle: Mutex<Option<Arc<dyn Settle>>>,
    questions: Arc<Semaphore>,
    stop: CancellationToken,
}

/// Questions that are answered at the same time.
const QUESTIONS: usize = 8;
/// How long a question waits for a place.
const PLACE: Duration = Duration::from_secs(5);

/// Why the logs cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The state says no.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// A key cannot be had.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A file is missing, or is not as it was written.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// An act was refused.
    #[error("{0}")]
    Act(Box<dyn Problem>),
}

impl Logs {
    /// Opens the lake in `dir` beside the log. Nothing is followed until [`Logs::start`].
    pub async fn open(
        kernel: &Kernel,
        (dir, store): (&Path, Arc<KeyStore>),
        log: Arc<Log>,
        (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>),
        stop: CancellationToken,
    ) -> Result<Self, OpenError> {
        let keys = Arc::new(Keys::new(store, clock.clone(), entropy.clone()));
        let lake = Arc::new(Lake::open(dir, columns::layout(), keys.clone(), entropy)?);
        let (mut kept, mut files, mut gone) = (HashMap::new(), Vec::new(), Vec::new());
        for (tenant, _) in kernel.tenants().await? {
            let mut tx = kernel.read(&system(tenant), reads::SOURCES).await?;
            keys.load(tenant, store::keys(&mut tx).await?)?;
            files.extend(store::files(&mut tx).await?);
            gone.extend(store::gone(&mut tx).await?);
            kept.insert(tenant, store::position(&mut tx).await?);
        }
        // Those that a process before this one had no time to remove. What is listed stays, whatever other rows say.
        gone.retain(|gone: &FileEntry| files.iter().all(|file: &FileEntry| file.id != gone.id));
        lake.discard(&gone);
        lake.load(files)?;
        let progress = Arc::new(Progress::after(&kept));
        let intake = Arc::new(Intake::new(log.clone(), progress.clone(), clock.clone(), dir.to_owned()));
        let (clean, cleaned) = mpsc::channel(1);
        Ok(Self(Arc::new(Inner {
            kernel: kernel.clone(),
            keys,
            lake,
            log,
            intake,
            progress,
            clock,
            kept,
            heard: Mutex::default(),
            beat: Beat::open(dir),
            filing: tokio::sync::Mutex::default(),
            clean,
            cleaned: Mutex::new(Some(cleaned)),
            settle: Mutex::default(),
            questions: Arc::new(Semaphore::new(QUESTIONS)),
            stop,
        })))
    }

    /// Follows the log and keeps what comes, until the token that it was opened with is cancelled.
    pub fn start(&self, watch: Box<dyn Watch>, settle: Arc<dyn Settle>) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        let cleaned = self.0.cleaned.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(clean) = cleaned else { return tasks };
        *self.0.settle.lock().unwrap_or_else(PoisonError::into_inner) = Some(settle);
        let follower = pipeline::Follower {
            log: self.0.log.clone(),
            lake: self.0.lake.clone(),
            clock: self.0.clock.clone(),
            progress: self.0.progress.clone(),
            watch,
            kept: self.0.kept.clone(),
            clean,
            stop: self.0.stop.clone(),
        };
        tasks.spawn_blocking(move || follower.run(1));
        tasks.spawn(keeper::run(self.clone()));
        tasks.spawn(keeper::join(self.clone()));
        tasks.spawn(rounds::run(self.clone()));
        tasks.spawn(renewal::run(self.clone()));
        tasks
    }

    /// A place for a question: memory is for so many at a time.
    pub(crate) async fn place_for_question(&self) -> Result<OwnedSemaphorePermit, garrison_web::Refusal> {
        let place = timeout(PLACE, self.0.questions.clone().acquire_owned()).await;
        place.ok().and_then(Result::ok).ok_or_else(|| {
            let words = format!("{QUESTIONS} questions are being answered already");
            garrison_web::Refusal::new(&problem::BUSY, words).retry_after(5)
        })
    }

    /// The time.
    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Passes events on to another system until the end.
    pub async fn forward(self, forward: Forward) {
        forward.run(self).await;
    }

    /// Why the log takes nothing any more, where a write has failed.
    pub fn failed(&self) -> Option<LogError> {
        self.0.log.failed()
    }

    /// The way in.
    pub fn intake(&self) -> &Arc<Intake> {
        &self.0.intake
    }

    /// The tables.
    pub fn lake(&self) -> &Arc<Lake> {
        &self.0.lake
    }

    /// How far the follower is.
    pub fn progress(&self) -> &Progress {
        &self.0.progress
    }

    /// Follows the events that come from now on: of this tenant all behind this id, and none up to it.
    pub(crate) fn news(&self, tenant: TenantId) -> (broadcast::Receiver<News>, i64) {
        let latest = self.0.progress.latest();
        (self.0.lake.news(), latest.get(&tenant).copied().unwrap_or(0))
    }

    /// Writes all that is in memory to files now.
    pub async fn keep(&self) -> Result<(), String> {
        keeper::keep(self).await.map_err(|error| error.to_string())
    }

    /// Joins files that are worth joining now.
    pub async fn compact(&self) -> Result<(), String> {
        keeper::compact(self).await.map_err(|error| error.to_string())
    }

    /// Adds what was heard from a source since the server started.
    pub(crate) fn hear(&self, tenant: TenantId, source: &mut Source) {
        if let Some(meter) = self.0.intake.meters().get(&(tenant, source.id)) {
            source.rate = self.0.intake.rate(meter);
            source.refused = meter.refused_events();
            source.now.rate = meter.rate();
            let refused = meter.refused.iter();
            source.now.refused = refused.map(|(limit, count)| (limit.name().to_owned(), *count)).collect();
            source.events += i64::try_from(meter.fresh.0).unwrap_or(0);
            source.bytes += i64::try_from(meter.fresh.1).unwrap_or(0);
            source.last_seen = meter.last.or(source.last_seen);
        }
        source.now.skew_seconds = self.0.progress.skews().get(&(tenant, source.id)).copied();
        #[expect(clippy::cast_possible_truncation, reason = "milliseconds of a clock; `as` saturates")]
        let lag = |ahead: f64| (-ahead * 1_000.0).round() as i64;
        source.lag_ms = source.now.skew_seconds.map(lag);
        if let (Some(minutes), "active") = (source.silence_minutes, source.state.as_str()) {
            let now = self.0.clock.now();
            let since = source.last_seen.map_or(SignedDuration::MAX, |last| now.duration_since(last));
            source.now.silent = since >= SignedDuration::from_mins(minutes);
        }
    }

    /// How many bytes of events are in the log and cannot be found yet.
    pub fn behind(&self) -> u64 {
        self.0.progress.behind.load(Ordering::Relaxed)
    }

    /// Whether the server ends: whoever streams without an end must look.
    pub(crate) fn is_stopping(&self) -> bool {
        self.0.stop.is_cancelled()
    }

    pub(crate) fn stop(&self) -> &CancellationToken {
        &self.0.stop
    }

    async fn settle(&self, upto: u64) -> Result<(), SettleError> {
        let settle = self.0.settle.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match settle {
            Some(settle) => settle.settle(upto).await,
            None => Ok(()),
        }
    }
}

/// The number of the log up to which the state knows events: a log that ends before it was put back or lost.
pub async fn reached(kernel: &Kernel) -> Result<u64, KernelError> {
    let mut most = 0;
    for (tenant, _) in kernel.tenants().await? {
        let mut tx = kernel.read(&system(tenant), reads::SOURCES).await?;
        most = most.max(store::position(&mut tx).await?);
    }
    Ok(most)
}

/// The files of all tenants, and their keys: for whoever verifies what is kept.
pub async fn listed(
    kernel: &Kernel,
    store: Arc<KeyStore>,
    parts: (Arc<dyn Clock>, Arc<dyn Entropy>),
) -> Result<(Vec<FileEntry>, Arc<dyn Keyring>), OpenError> {
    let keys = Keys::new(store, parts.0, parts.1);
    let mut files = Vec::new();
    for (tenant, _) in kernel.tenants().await? {
        let mut tx = kernel.read(&system(tenant), reads::SOURCES).await?;
        keys.load(tenant, store::keys(&mut tx).await?)?;
        files.extend(store::files(&mut tx).await?);
    }
    Ok((files, Arc::new(keys)))
}

/// By how many seconds the clocks of sources are ahead, of all tenants: for whoever looks after the machine.
pub async fn skews(kernel: &Kernel) -> Result<Vec<(String, f64)>, KernelError> {
    let mut all = Vec::new();
    for (tenant, _) in kernel.tenants().await? {
        let mut tx = kernel.read(&system(tenant), reads::SOURCES).await?;
        all.extend(store::skews(&mut tx).await?);
    }
    Ok(all)
}

fn system(tenant: TenantId) -> Actor {
    Actor::system(System::LOGS, tenant, Origin::system("logs"))
}
