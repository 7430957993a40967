//! Judging events while they come.
//!
//! The thread that follows the log calls [`Judge`]; what rules find waits in a queue, in the order of the log's
//! numbers, and a task turns it into alerts. The act that raises them notes the number up to which everything was
//! raised, so that what is judged again after a restart raises nothing twice, and the log lets go of events only when
//! what was found in them is raised.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use garrison_base::{NodeId, TenantId, Timestamp};
use garrison_decode::{Kind, Record, column};
use garrison_facts::{AlertLevel, EntityKind};
use garrison_kernel::{Actor, Kernel, KernelError, Origin, Problem, System, problems};
use garrison_sigma::{Gate, Level, Rule, RuleSet, Scratch};
use garrison_web::{Answer, Refusal};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::acts::RaiseAlerts;
use crate::changes::Changes;
use crate::model::{AlertEvent, GROUPS, Grouped, MatchedField, first_and_last};

/// Groups of one batch of events; what is found beyond them is one group for each rule.
const OF_BATCH: usize = 300;
/// Batches with findings that wait at most before the follower of the log waits too.
const WAITING: usize = 512;
/// Events of a group that are held while it waits.
const EVENTS: usize = 60;
/// How long findings are gathered, so that a burst is one act.
const GATHER: Duration = Duration::from_millis(100);
/// Rules that are tried at the same time.
const TRIALS: usize = 4;
/// After a failure it is tried again; nothing is lost meanwhile.
const AGAIN: Duration = Duration::from_secs(1);

/// An event to be judged.
pub struct Event<'e> {
    /// Its id.
    pub id: i64,
    /// The number of its batch in the log.
    pub seq: u64,
    /// Whose.
    pub tenant: TenantId,
    /// The node of its source.
    pub node: NodeId,
    /// The source's name.
    pub source: &'e str,
    /// When it came.
    pub received: Timestamp,
    /// When it says that it happened.
    pub claimed: Option<Timestamp>,
    /// What it says.
    pub record: &'e Record<'e>,
    /// It waited for its last part: events that came after it may have been raised already.
    pub late: bool,
}

type Key = (String, EntityKind, String, NodeId);
type Groups = HashMap<Key, Grouped>;

/// What was found in a batch of events.
struct Found {
    /// The batch's number.
    seq: u64,
    /// It does not move the place up to which everything was raised: more of the batch follows, or events that are told
    /// late.
    late: bool,
    groups: Groups,
}

/// Rules that judge.
pub struct Rules {
    /// All of them.
    pub set: RuleSet,
    /// How many of them, the first ones, came with the program.
    pub built_in: usize,
}

/// Detection while the server runs.
#[derive(Clone)]
pub struct Live(Arc<Shared>);

struct Shared {
    kernel: Kernel,
    rules: RwLock<Arc<Rules>>,
    /// What was found, for each tenant in the order of the log.
    found: Mutex<HashMap<TenantId, VecDeque<Found>>>,
    /// Told when something was found, and when something was raised.
    news: Notify,
    room: Condvar,
    raising: tokio::sync::Mutex<()>,
    trials: Arc<Semaphore>,
    changes: Changes,
    stop: CancellationToken,
}

impl Live {
    /// With these rules.
    pub fn new(kernel: Kernel, rules: Rules, stop: CancellationToken) -> Self {
        let changes = Changes::new(kernel.clone(), stop.clone());
        Self(Arc::new(Shared {
            kernel,
            rules: RwLock::new(Arc::new(rules)),
            found: Mutex::default(),
            news: Notify::new(),
            room: Condvar::new(),
            raising: tokio::sync::Mutex::default(),
            trials: Arc::new(Semaphore::new(TRIALS)),
            changes,
            stop,
        }))
    }

    /// Judges with other rules from the next event on.
    pub fn reload(&self, rules: Rules) {
        *self.0.rules.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
    }

    /// The rules that judge now.
    pub fn rules(&self) -> Arc<Rules> {
        self.0.rules.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A turn to try a rule: people need few, and each takes a thread.
    pub(crate) fn turn_to_try(&self) -> Answer<OwnedSemaphorePermit> {
        self.0.trials.clone().try_acquire_owned().map_err(|_| {
            let words = format!("{TRIALS} rules are being tried already");
            Refusal::new(&problems::TOO_MANY, words).retry_after(1)
        })
    }

    /// Whether the server is about to stop.
    pub(crate) fn is_stopping(&self) -> bool {
        self.0.stop.is_cancelled()
    }

    /// The numbers of the last changes.
    pub(crate) fn changes(&self) -> &Changes {
        &self.0.changes
    }

    /// Somebody who judges; for one thread.
    pub async fn judge(&self) -> Result<Judge, KernelError> {
        let mut raised = HashMap::new();
        for (tenant, _) in self.0.kernel.tenants().await? {
            raised.insert(tenant, crate::position(&self.0.kernel, tenant).await?.unwrap_or(0));
        }
        Ok(Judge {
            live: self.clone(),
            rules: self.rules(),
            scratch: Scratch::default(),
            raised,
            groups: HashMap::new(),
            seq: 0,
            late: false,
        })
    }

    /// Raises what is found until it is stopped.
    pub async fn run(self) {
        loop {
            tokio::select! {
                () = self.0.stop.cancelled() => return,
                () = self.0.news.notified() => {}
            }
            // A burst becomes one act.
            tokio::time::sleep(GATHER).await;
            while let Err(problem) = self.settle(u64::MAX).await {
                metrics::counter!("garrison_alert_failures_total").increment(1);
                tracing::error!(%problem, "alerts could not be raised; they are tried again");
                tokio::select! {
                    () = self.0.stop.cancelled() => return,
                    () = tokio::time::sleep(AGAIN) => {}
                }
            }
        }
    }

    /// Raises all that was found up to this number of the log.
    pub async fn settle(&self, upto: u64) -> Result<(), Box<dyn Problem>> {
        let _turn = self.0.raising.lock().await;
        let tenants: Vec<TenantId> = self.0.found().keys().copied().collect();
        for tenant in tenants {
            while let Some(Due { batches, last, late, hits }) = self.0.next(tenant, upto) {
                let actor = Actor::system(System::DETECTION, tenant, Origin::system("detection"));
                self.0.kernel.act(&actor, RaiseAlerts::new(last, late, hits)).await?;
                self.0.drop_first(tenant, batches);
            }
        }
        Ok(())
    }
}

impl Shared {
    fn found(&self) -> MutexGuard<'_, HashMap<TenantId, VecDeque<Found>>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first batches whose groups one act can bring.
    fn next(&self, tenant: TenantId, upto: u64) -> Option<Due> {
        let found = self.found();
        let queue = found.get(&tenant)?;
        let late = queue.front()?.late;
        let (mut batches, mut last, mut merged) = (0, 0, Groups::new());
        for one in queue.iter().take_while(|one| one.seq <= upto && one.late == late) {
            let new = one.groups.keys().filter(|key| !merged.contains_key(*key)).count();
            if batches > 0 && merged.len() + new > GROUPS {
                break;
            }
            for (key, group) in &one.groups {
                join(&mut merged, key.clone(), group.clone());
            }
            (batches, last) = (batches + 1, one.seq);
        }
        (batches > 0).then(|| Due { batches, last, late, hits: merged.into_values().collect() })
    }

    fn drop_first(&self, tenant: TenantId, batches: usize) {
        if let Some(queue) = self.found().get_mut(&tenant) {
            queue.drain(..batches.min(queue.len()));
        }
        self.room.notify_all();
    }
}

/// What one act raises.
struct Due {
    batches: usize,
    last: u64,
    late: bool,
    hits: Vec<Grouped>,
}

/// What was found in a batch, in parts that one act can bring; only the last one moves the place.
fn parts(seq: u64, late: bool, groups: Groups) -> Vec<Found> {
    let mut parts = Vec::new();
    let mut part = Groups::new();
    for (key, group) in groups {
        if part.len() == GROUPS {
            parts.push(Found { seq, late: true, groups: std::mem::take(&mut part) });
        }
        part.insert(key, group);
    }
    parts.push(Found { seq, late, groups: part });
    parts
}

/// Adds a group to those that there are.
fn join(groups: &mut Groups, key: Key, group: Grouped) {
    let Some(known) = groups.get_mut(&key) else {
        groups.insert(key, group);
        return;
    };
    known.count += group.count;
    known.first_seen = known.first_seen.min(group.first_seen);
    known.last_seen = known.last_seen.max(group.last_seen);
    known.events.extend(group.events);
    if known.events.len() > EVENTS {
        known.events = first_and_last(std::mem::take(&mut known.events));
    }
}

/// Judges events, in the order of the log.
pub struct Judge {
    live: Live,
    rules: Arc<Rules>,
    scratch: Scratch,
    /// Up to where everything was raised in an earlier life of the process.
    raised: HashMap<TenantId, u64>,
    groups: HashMap<TenantId, Groups>,
    seq: u64,
    late: bool,
}

impl Judge {
    /// Judges one.
    pub fn event(&mut self, event: &Event<'_>) {
        if !event.late && self.raised.get(&event.tenant).is_some_and(|raised| event.seq <= *raised) {
            return;
        }
        if (event.seq, event.late) != (self.seq, self.late) {
            self.hand_over();
            (self.seq, self.late) = (event.seq, event.late);
        }
        let Self { rules, scratch, groups, .. } = self;
        let source = rules.set.taxonomy().route(event.record.kind.name(), &event.record.fields);
        rules.set.judge(Gate::Source(source), &event.record.fields, scratch, |rule, mut hit| {
            let why = hit.proofs().into_iter().map(|proof| MatchedField {
                field: proof.field,
                value: proof.values.first().map(garrison_base::Value::to_text).unwrap_or_default(),
                test: proof.test,
            });
            let groups = groups.entry(event.tenant).or_default();
            found(groups, rule, event, why.collect());
        });
    }

    /// All events up to now were shown.
    pub fn shown(&mut self) {
        self.hand_over();
        let rules = self.live.0.rules.read().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&rules, &self.rules) {
            self.rules = rules.clone();
            self.scratch = Scratch::default();
        }
    }

    /// Puts what was found in a batch into the queue; waits while too much waits there.
    fn hand_over(&mut self) {
        for (tenant, groups) in self.groups.drain().filter(|(_, groups)| !groups.is_empty()) {
            let shared = &self.live.0;
            let mut found = shared.found();
            while found.get(&tenant).is_some_and(|queue| queue.len() >= WAITING)
                && !shared.stop.is_cancelled()
            {
                let waited = shared.room.wait_timeout(found, GATHER);
                found = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
            found.entry(tenant).or_default().extend(parts(self.seq, self.late, groups));
            drop(found);
            shared.news.notify_one();
        }
    }
}

fn found(groups: &mut Groups, rule: &Rule, event: &Event<'_>, why: Vec<MatchedField>) {
    metrics::counter!("garrison_matches_total").increment(1);
    let time = plausible(event.claimed, event.received);
    let (mut kind, mut entity) = entity(event);
    let key = |kind, entity: &str| (rule.id.clone(), kind, entity.to_owned(), event.node);
    if groups.len() >= OF_BATCH && !groups.contains_key(&key(kind, &entity)) {
        // Whoever invents names must not make an alert for each of them.
        (kind, entity) = (EntityKind::Source, format!("{} (many)", event.source));
    }
    let alerted = AlertEvent {
        id: event.id.to_string(),
        time,
        source: event.source.to_owned(),
        why,
        raw: String::from_utf8_lossy(&event.record.raw).chars().take(2_000).collect(),
    };
    let group = Grouped {
        rule: rule.id.clone(),
        title: rule.title.clone(),
        level: level(rule.level),
        node: event.node,
        entity_kind: kind,
        entity: entity.clone(),
        count: 1,
        first_seen: time,
        last_seen: time,
        events: vec![alerted],
    };
    join(groups, key(kind, &entity), group);
}

/// The time of an event: as it claims, unless that is in the future or long ago, when its sender's clock is wrong or
/// lies.
fn plausible(claimed: Option<Timestamp>, received: Timestamp) -> Timestamp {
    const AHEAD: jiff::SignedDuration = jiff::SignedDuration::from_mins(5);
    const BEHIND: jiff::SignedDuration = jiff::SignedDuration::from_hours(24 * 366);
    let fits = |claimed: &Timestamp| {
        let late = received.duration_since(*claimed);
        late >= -AHEAD && late <= BEHIND
    };
    claimed.filter(fits).unwrap_or(received)
}

/// What an alert is about: whoever came from outside where that is what the log tells of, else the machine.
fn entity(event: &Event<'_>) -> (EntityKind, String) {
    let told = |kind, column| event.record.column(column).map(|value| (kind, value.to_lowercase()));
    let ip = || told(EntityKind::Ip, column::SRC_IP);
    let host = || told(EntityKind::Host, column::HOST);
    let user = || told(EntityKind::User, column::USER);
    let found = match event.record.kind {
        Kind::Access | Kind::Firewall | Kind::Zeek => ip().or_else(host).or_else(user),
        Kind::CloudTrail => user().or_else(ip).or_else(host),
        _ => host().or_else(user).or_else(ip),
    };
    found.unwrap_or_else(|| (EntityKind::Source, event.source.to_owned()))
}

/// How severe a match of such a rule is.
pub(crate) fn level(level: Level) -> AlertLevel {
    match level {
        Level::Informational => AlertLevel::Informational,
        Level::Low => AlertLevel::Low,
        Level::Medium => AlertLevel::Medium,
        Level::High => AlertLevel::High,
        Level::Critical => AlertLevel::Critical,
    }
}
