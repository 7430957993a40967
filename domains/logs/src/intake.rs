//! Where events come in, whatever brought them: limits first, then the log, then the answer.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use garrison_base::limits::EVENT_BYTES;
use garrison_base::{Clock, Day, SourceId, TenantId, Timestamp};
use garrison_journal::{Entry, Log, LogError, Stream};
use garrison_lake::RESERVE;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};
use utoipa::ToSchema;

use crate::batch::{BYTES, Batch, EVENTS, Origin, event_id};
use crate::minute::Minute;
use crate::pipeline::Progress;
use garrison_decode::Events;

/// The stream of the log that events go to.
pub(crate) const LOGS: Stream = Stream(1);
/// Bytes that may be in the log and not yet be searchable, before senders wait.
const BEHIND: u64 = 64 << 20;
/// Bytes that one sender may bring at once.
pub const BROUGHT: usize = 12 << 20;
/// How often somebody who waits looks again.
const LOOK: Duration = Duration::from_millis(10);
/// How long a sender that wants an answer waits at most.
const PATIENCE: Duration = Duration::from_secs(10);

/// A source that may be sent to.
#[derive(Debug, Clone)]
pub struct Target {
    /// Whose.
    pub tenant: TenantId,
    /// The source.
    pub origin: Origin,
    /// Events that it may bring in a second.
    pub rate: Option<u32>,
}

/// Who sends, as far as that is known.
#[derive(Debug, Clone, Default)]
pub struct Sender {
    /// From which address.
    pub peer: Option<SocketAddr>,
    /// The account that proved itself.
    pub account: Option<String>,
}

/// What was taken.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct Taken {
    /// Events that are on the disk.
    pub accepted: u64,
    /// Events that a limit refused: longer than 1 MiB.
    pub refused: u64,
    /// The id of the first one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<i64>,
    /// The id of the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<i64>,
}

/// Why nothing was taken.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Refused {
    /// More than may come at once.
    #[error("{0} bytes came at once, and {BROUGHT} may; send them in parts")]
    TooMuch(usize),
    /// Faster than the source may.
    #[error("the source may bring {0} events a second; try again after a second")]
    Rate(u32),
    /// Faster than anybody can follow.
    #[error("events come faster than they can be read; try again after a second")]
    Busy,
    /// The disk is full.
    #[error("there is no room on the disk for logs; free some, and senders are served again by themselves")]
    Full,
    /// The log does not take anything.
    #[error("the log cannot be written: {0}")]
    Log(LogError),
}

/// Why events of a source were refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// Longer than an event may be, or cut off.
    Length,
    /// More than the source may bring in a second.
    Rate,
    /// No room on the disk, or too far behind.
    Room,
    /// Not what the protocol says.
    Form,
    /// Connections, not events: no place was left for them, or they were silent and ended for others.
    Connections,
}

impl Limit {
    /// In one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::Rate => "rate",
            Self::Room => "room",
            Self::Form => "form",
            Self::Connections => "connections",
        }
    }
}

/// What was heard from a source since the server started.
#[derive(Debug, Clone, Default)]
pub struct Meter {
    /// Events taken.
    pub events: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Events taken that are not yet counted in the state.
    pub fresh: (u64, u64),
    /// When the last one came.
    pub last: Option<Timestamp>,
    /// The events of the last seconds: a number that halves every five seconds.
    rate: f64,
    rated: Option<Instant>,
    /// The events of the last minute.
    minute: Minute,
    /// Events refused, by reason.
    pub refused: HashMap<Limit, u64>,
    /// How many of them were told of as an event.
    pub told: HashMap<Limit, u64>,
    /// Events refused that are not yet counted in the state, by the day of the refusal.
    pub(crate) unwritten: BTreeMap<(Day, Limit), u64>,
    /// What the source may still bring now.
    credit: f64,
    credited: Option<Instant>,
    /// Where its events go: what was refused is told there.
    pub(crate) target: Option<Target>,
}

impl Meter {
    /// Events a second, lately.
    pub fn rate(&self) -> f64 {
        let idle = self.rated.map_or(0.0, |at| at.elapsed().as_secs_f64());
        self.rate * (-idle * DECAY).exp() * DECAY
    }

    /// Events that limits refused, without connections.
    pub(crate) fn refused_events(&self) -> u64 {
        self.refused.iter().filter(|(limit, _)| **limit != Limit::Connections).map(|(_, count)| count).sum()
    }
}

/// ln 2 / 5 s.
const DECAY: f64 = 0.138_629;

/// The way in.
pub struct Intake {
    log: Arc<Log>,
    progress: Arc<Progress>,
    clock: Arc<dyn Clock>,
    /// A folder on the disk that must have room.
    dir: PathBuf,
    meters: Mutex<HashMap<(TenantId, SourceId), Meter>>,
    /// What seconds are counted from.
    begun: Instant,
}

impl Intake {
    /// Over this log.
    pub fn new(log: Arc<Log>, progress: Arc<Progress>, clock: Arc<dyn Clock>, dir: PathBuf) -> Self {
        Self { log, progress, clock, dir, meters: Mutex::default(), begun: Instant::now() }
    }

    /// Takes events; answers when they are on the disk. `parts` are for one or several sources; all are taken or none.
    pub async fn take(&self, sender: &Sender, parts: &[(Target, Events)]) -> Result<Taken, Refused> {
        let taken = self.try_take(sender, parts).await;
        if let Err(refused) = &taken {
            let limit = if matches!(refused, Refused::Rate(_)) { Limit::Rate } else { Limit::Room };
            for (target, events) in parts {
                self.refuse(target, limit, events.len() as u64);
            }
        }
        taken
    }

    /// Takes events of a sender that gets no answer but can be made to wait: until there is room.
    pub async fn take_patiently(
        &self,
        sender: &Sender,
        target: &Target,
        events: Events,
    ) -> Result<Taken, Refused> {
        let parts = [(target.clone(), events)];
        loop {
            match self.try_take(sender, &parts).await {
                Err(Refused::Rate(_) | Refused::Busy | Refused::Full) => sleep(LOOK * 5).await,
                answer => return answer,
            }
        }
    }

    async fn try_take(&self, sender: &Sender, parts: &[(Target, Events)]) -> Result<Taken, Refused> {
        let brought: usize = parts.iter().map(|(_, events)| events.bytes()).sum();
        if brought > BROUGHT {
            return Err(Refused::TooMuch(brought));
        }
        self.wait_for_room().await?;
        for (target, events) in parts {
            self.afford(target, events.len())?;
        }
        let now = self.clock.now();
        let mut taken = Taken { accepted: 0, refused: 0, first: None, last: None };
        let mut entries = Vec::new();
        let mut kept = Vec::with_capacity(parts.len());
        for (target, events) in parts {
            let (count, bytes) = enter(sender, target, events, now, &mut entries);
            let long = events.len() as u64 - count;
            taken.accepted += count;
            taken.refused += long;
            self.refuse(target, Limit::Length, long);
            kept.push((target, count, bytes));
        }
        if entries.is_empty() {
            return Ok(taken);
        }
        let last = entries.last().and_then(|entry| Batch::decode(&entry.bytes));
        let places = last.map_or(1, |batch| batch.events.len());
        let numbers = self.append(entries).await?;
        for (target, count, bytes) in kept {
            self.count(target, (count, bytes), now);
        }
        taken.first = Some(event_id(*numbers.start(), 0));
        taken.last = Some(event_id(*numbers.end(), places.saturating_sub(1)));
        Ok(taken)
    }

    async fn append(&self, entries: Vec<Entry>) -> Result<RangeInclusive<u64>, Refused> {
        let size: usize = entries.iter().map(|entry| entry.bytes.len()).sum();
        self.progress.behind.fetch_add(size as u64, Ordering::Relaxed);
        self.log.append(entries).await.map_err(|error| {
            self.progress.behind.fetch_sub(size as u64, Ordering::Relaxed);
            match error {
                LogError::Full => Refused::Full,
                other => Refused::Log(other),
            }
        })
    }

    /// Takes events that Garrison says itself; a failure is not counted as the source's.
    pub(crate) async fn take_quietly(
        &self,
        sender: &Sender,
        target: Target,
        events: Events,
    ) -> Result<(), Refused> {
        let mut entries = Vec::new();
        enter(sender, &target, &events, self.clock.now(), &mut entries);
        self.append(entries).await.map(|_| ())
    }

    /// Counts events, or connections, that a limit refused.
    pub fn refuse(&self, target: &Target, why: Limit, count: u64) {
        if count > 0 {
            let day = Day::of(self.clock.now());
            let mut meter = self.meter(target).1;
            meter.target = Some(target.clone());
            *meter.refused.entry(why).or_default() += count;
            *meter.unwritten.entry((day, why)).or_default() += count;
            if why == Limit::Connections {
                metrics::counter!("garrison_intake_refused_connections_total").increment(count);
            } else {
                metrics::counter!("garrison_intake_refused_events_total").increment(count);
            }
        }
    }

    /// Events a second of a source, over the last minute.
    pub(crate) fn rate(&self, meter: &Meter) -> f64 {
        meter.minute.rate(self.begun.elapsed().as_secs())
    }

    /// What was heard from each source.
    pub fn meters(&self) -> MutexGuard<'_, HashMap<(TenantId, SourceId), Meter>> {
        self.meters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn meter(&self, target: &Target) -> (Instant, Held<'_>) {
        (Instant::now(), Held(self.meters(), (target.tenant, target.origin.source())))
    }

    /// Takes from what the source may bring: a second's worth can be saved up.
    fn afford(&self, target: &Target, events: usize) -> Result<(), Refused> {
        let Some(rate) = target.rate else { return Ok(()) };
        let (now, mut meter) = self.meter(target);
        let limit = f64::from(rate);
        let since = meter.credited.map_or(1.0, |at| (now - at).as_secs_f64());
        meter.credit = (meter.credit + since * limit).min(limit);
        meter.credited = Some(now);
        // More at once than a second's worth is taken when a second's worth was saved up, and paid for after.
        if meter.credit <= 0.0 || (meter.credit < lossy(events) && meter.credit < limit) {
            return Err(Refused::Rate(rate));
        }
        meter.credit -= lossy(events);
        Ok(())
    }

    async fn wait_for_room(&self) -> Result<(), Refused> {
        // Where it cannot be told, the disk itself will say no.
        let free = rustix::fs::statvfs(&self.dir).map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize));
        if free.is_ok_and(|free| free < RESERVE) {
            return Err(Refused::Full);
        }
        let until = Instant::now() + PATIENCE;
        while self.progress.behind.load(Ordering::Relaxed) > BEHIND {
            if Instant::now() >= until {
                return Err(Refused::Busy);
            }
            sleep(LOOK).await;
        }
        Ok(())
    }

    fn count(&self, target: &Target, (count, bytes): (u64, u64), now: Timestamp) {
        metrics::counter!("garrison_intake_events_total").increment(count);
        metrics::counter!("garrison_intake_bytes_total").increment(bytes);
        let (moment, mut meter) = self.meter(target);
        meter.events += count;
        meter.bytes += bytes;
        meter.fresh = (meter.fresh.0 + count, meter.fresh.1 + bytes);
        meter.last = Some(now);
        let since = meter.rated.map_or(0.0, |at| (moment - at).as_secs_f64());
        meter.rate =
            meter.rate * (-since * DECAY).exp() + lossy(usize::try_from(count).unwrap_or(usize::MAX));
        meter.rated = Some(moment);
        meter.minute.add((moment - self.begun).as_secs(), count);
    }
}

/// The meter of one source.
struct Held<'m>(MutexGuard<'m, HashMap<(TenantId, SourceId), Meter>>, (TenantId, SourceId));

impl std::ops::Deref for Held<'_> {
    type Target = Meter;

    fn deref(&self) -> &Meter {
        static NONE: std::sync::LazyLock<Meter> = std::sync::LazyLock::new(Meter::default);
        self.0.get(&self.1).unwrap_or(&NONE)
    }
}

impl std::ops::DerefMut for Held<'_> {
    fn deref_mut(&mut self) -> &mut Meter {
        self.0.entry(self.1).or_default()
    }
}

#[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 events come at once")]
fn lossy(count: usize) -> f64 {
    count as f64
}

/// Puts events into entries of the log, but for those that are too long; answers how many, and their bytes.
fn enter(
    sender: &Sender,
    target: &Target,
    events: &Events,
    now: Timestamp,
    out: &mut Vec<Entry>,
) -> (u64, u64) {
    let (mut count, mut bytes, mut size) = (0, 0, 0);
    let empty = || Batch {
        origin: target.origin.clone(),
        received: now.as_microsecond(),
        peer: sender.peer,
        sender: sender.account.clone(),
        events: Vec::new(),
    };
    let mut batch = empty();
    let mut close = |batch: Batch<'_>| {
        if !batch.events.is_empty() {
            out.push(Entry { tenant: target.tenant, stream: LOGS, bytes: batch.encode() });
        }
    };
    for event in events.iter() {
        if event.len() > EVENT_BYTES {
            continue;
        }
        if batch.events.len() >= EVENTS || size + event.len() > BYTES {
            close(std::mem::replace(&mut batch, empty()));
            size = 0;
        }
        size += event.len();
        (count, bytes) = (count + 1, bytes + event.len() as u64);
        batch.events.push(event);
    }
    close(batch);
    (count, bytes)
}
