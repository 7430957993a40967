//! From the log to the lake: one thread follows the log, decodes, shows every event to whoever watches, and gathers
//! rows. It is the only way, for what comes now and for what came before a restart: what is read again gets the ids that
//! it had, so that whoever followed goes on where they were.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arrow::array::{AsArray as _, RecordBatch};
use arrow::datatypes::Int64Type;
use foldhash::fast::RandomState;
use garrison_base::{Clock, SourceId, TenantId};
use garrison_decode::time::Guess;
use garrison_decode::{Decoder, Record};
use garrison_journal::{Kept, Log, Reader};
use garrison_lake::{Hot, Lake};
use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::batch::{Batch, PLACES, event_id};
use crate::columns::{Names, Rows, schema};
use crate::rounds::OWN;
use crate::tally::{HeardDay, Tally, hear};

/// Bytes that are read from the log in one go.
const READ: usize = 4 << 20;
/// Rows that are gathered at most before they can be found, and how long at most.
const ROWS: usize = 8_192;
const GATHER: Duration = Duration::from_millis(200);
/// A source that says nothing for so long, in microseconds, has said its event to the end. That is judged by the times in
/// the log, as they are the same when it is read again.
const PAUSE: i64 = 2_000_000;
/// Where nothing else comes by which it could be judged, the clock tells it. So much later, that nothing which was
/// received within the pause is still on its way into the log.
const SILENCE: Duration = Duration::from_secs(3);
/// Places of events that were finished after their batch: behind all that the batch itself can have.
#[expect(clippy::cast_possible_truncation, reason = "below 2^20")]
const FINISHED: usize = (PLACES / 4 * 3) as usize;
/// Rows in memory beyond which nothing more is followed until some were kept.
pub(crate) const CROWDED: usize = 200_000;

/// An event as a watcher sees it.
pub struct Seen<'e> {
    /// Its id.
    pub id: i64,
    /// The number of its batch in the log.
    pub seq: u64,
    /// Whose.
    pub tenant: TenantId,
    /// With whom it came.
    pub batch: &'e Batch<'e>,
    /// What it says.
    pub record: &'e Record<'e>,
    /// When it says that it happened.
    pub claimed: Option<Timestamp>,
    /// It waited for its last part, and is told after events that came later.
    pub late: bool,
}

/// Somebody who looks at every event.
pub trait Watch: Send {
    /// Looks at one.
    fn event(&mut self, seen: &Seen<'_>);

    /// All events up to this number of the log were shown. Called often; what was found is told to the outside
    /// soon after.
    fn shown(&mut self, seq: u64);
}

/// How far the follower is.
#[derive(Debug, Default)]
pub struct Progress {
    /// Bytes of events that the log took and the follower has not seen yet.
    pub behind: AtomicU64,
    /// The number up to which events can be found.
    pub searchable: AtomicU64,
    /// The largest id of each tenant's events that can be found. Held while more of them become so.
    latest: Mutex<HashMap<TenantId, i64>>,
    skews: Mutex<HashMap<(TenantId, SourceId), f64>>,
}

impl Progress {
    /// Nothing was followed yet; each tenant's events up to its number are in files.
    pub(crate) fn after(kept: &HashMap<TenantId, u64>) -> Self {
        let latest = kept.iter().map(|(tenant, kept)| (*tenant, event_id(*kept, usize::MAX)));
        Self { latest: Mutex::new(latest.collect()), ..Self::default() }
    }

    /// The largest id of each tenant's events that can be found: all of them up to it, and none behind it. That holds for
    /// as long as the guard is held.
    pub(crate) fn latest(&self) -> MutexGuard<'_, HashMap<TenantId, i64>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// By how many seconds the latest claimed time of each source differs from when it came.
    pub fn skews(&self) -> MutexGuard<'_, HashMap<(TenantId, SourceId), f64>> {
        self.skews.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the follower needs.
pub(crate) struct Follower {
    pub(crate) log: Arc<Log>,
    pub(crate) lake: Arc<Lake>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) progress: Arc<Progress>,
    pub(crate) watch: Box<dyn Watch>,
    /// Up to where each tenant's events are in files already.
    pub(crate) kept: HashMap<TenantId, u64>,
    /// Whoever wants to know a number behind which nothing waits for a part.
    pub(crate) clean: mpsc::Receiver<oneshot::Sender<Clean>>,
    pub(crate) stop: CancellationToken,
}

/// A place in the log behind which nothing waits for a part.
pub(crate) struct Clean {
    /// Its number.
    pub(crate) upto: u64,
    /// What was heard up to it, since the last time that somebody asked.
    pub(crate) heard: Tally,
}

type Places = HashMap<(TenantId, Arc<str>, i64), Rows, RandomState>;

struct State {
    decoders: HashMap<SourceId, Waiting, RandomState>,
    places: Places,
    rows: usize,
    heard: Tally,
    /// The last number whose events are gathered.
    seq: u64,
    since: Instant,
    /// When the first of the sources that wait for a part was heard last, or before; in microseconds since 1970.
    waits: i64,
    /// The next place for events that were finished at a number.
    finished: (u64, usize),
}

/// A decoder and the last batch it saw: what it still holds came with that.
struct Waiting {
    decoder: Decoder,
    last: (TenantId, Vec<u8>),
    /// Its number, and when it was received.
    seq: u64,
    received: i64,
    since: Instant,
}

impl Follower {
    /// Follows until it is stopped, on the thread that calls.
    pub(crate) fn run(mut self, from: u64) {
        let handle = Handle::current();
        let mut reader = self.log.reader(from);
        let mut durable = self.log.durable();
        let now = Instant::now();
        let mut state = State {
            decoders: HashMap::default(),
            places: Places::default(),
            rows: 0,
            heard: Tally::new(),
            seq: from.saturating_sub(1),
            since: now,
            waits: i64::MAX,
            finished: (0, 0),
        };
        while !self.stop.is_cancelled() {
            let taken = if self.lake.hot().0 < CROWDED { self.take(&mut reader, &mut state) } else { None };
            let read = taken.is_some_and(|entries| entries > 0);
            if state.rows > 0 && (!read || state.rows >= ROWS || state.since.elapsed() >= GATHER) {
                self.publish(&mut state);
            }
            self.watch.shown(state.seq);
            if let Ok(asked) = self.clean.try_recv() {
                self.finish(&mut state, |_| true);
                self.publish(&mut state);
                self.watch.shown(state.seq);
                let clean = Clean { upto: state.seq, heard: std::mem::take(&mut state.heard) };
                // Nobody may be waiting any more.
                if let Err(clean) = asked.send(clean) {
                    state.heard = clean.heard;
                }
            }
            if taken == Some(0) {
                self.finish(&mut state, |waiting| waiting.since.elapsed() >= SILENCE);
            }
            if !read {
                let wait = async {
                    tokio::select! {
                        _ = durable.changed() => {}
                        () = self.stop.cancelled() => {}
                    }
                };
                let _ = handle.block_on(timeout(GATHER, wait));
            }
        }
    }

    /// Takes what is new in the log; tells how many entries, and nothing where it cannot be read.
    fn take(&mut self, reader: &mut Reader, state: &mut State) -> Option<usize> {
        match reader.read(READ) {
            Ok(entries) => {
                for kept in &entries {
                    if state.rows == 0 {
                        state.since = Instant::now();
                    }
                    self.batch(kept, state);
                    state.seq = kept.seq;
                    if state.rows >= ROWS {
                        self.publish(state);
                    }
                }
                Some(entries.len())
            }
            Err(error) => {
                metrics::counter!("garrison_log_read_failures_total").increment(1);
                tracing::error!(%error, "the log cannot be read; events wait in it");
                None
            }
        }
    }

    fn batch(&mut self, kept: &Kept, state: &mut State) {
        let bytes = &kept.entry.bytes;
        // What was taken in an earlier life of the process was not counted in this one.
        let size = bytes.len() as u64;
        let _ = self
            .progress
            .behind
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |behind| Some(behind.saturating_sub(size)));
        let Some(batch) = Batch::decode(bytes) else {
            tracing::error!(seq = kept.seq, "an entry of the log is of another version; it is left out");
            return;
        };
        let over = batch.received.saturating_sub(PAUSE);
        if state.waits <= over {
            self.finish(state, |waiting| waiting.received <= over);
        }
        let (tenant, source) = (kept.entry.tenant, batch.origin.source());
        // In files already; whoever watches has settled what was found in it before they were kept.
        if self.kept.get(&tenant).is_some_and(|done| kept.seq <= *done) {
            return;
        }
        if batch.sender.as_deref() != Some(OWN) {
            hear(&mut state.heard, tenant, HeardDay::of(&batch));
        }
        let mut gather = Gather::new(self, &mut state.places, (kept.seq, tenant), &batch);
        let waiting = state.decoders.entry(source).or_insert_with(|| Waiting {
            decoder: Decoder::default(),
            last: (tenant, Vec::new()),
            seq: kept.seq,
            received: batch.received,
            since: Instant::now(),
        });
        for event in &batch.events {
            waiting.decoder.decode(event, 1, &mut |record| gather.add(record));
        }
        state.rows += gather.added;
        if let Some(claim) = gather.last_claim {
            // Positive where the sender's clock is ahead.
            let skew = Duration::from_nanos(claim.abs_diff(batch.received.saturating_mul(1_000)));
            let ahead = claim > batch.received.saturating_mul(1_000);
            self.progress
                .skews()
                .insert((tenant, source), if ahead { skew.as_secs_f64() } else { -skew.as_secs_f64() });
        }
        if waiting.decoder.is_waiting() {
            state.waits = state.waits.min(batch.received);
            (waiting.seq, waiting.received) = (kept.seq, batch.received);
            let head = Batch { events: Vec::new(), ..batch };
            waiting.last = (tenant, head.encode());
            waiting.since = Instant::now();
        }
    }

    /// Tells what decoders still hold, of sources that said their event to the end.
    fn finish(&mut self, state: &mut State, ended: impl Fn(&Waiting) -> bool) {
        let waiting = state.decoders.iter().filter(|(_, waiting)| waiting.decoder.is_waiting());
        let mut over: Vec<(u64, SourceId)> = waiting
            .filter(|(_, waiting)| ended(waiting))
            .map(|(source, waiting)| (waiting.seq, *source))
            .collect();
        // In the same order whenever the log is read, since ids follow it.
        over.sort_unstable();
        for (_, source) in over {
            let Some(waiting) = state.decoders.get_mut(&source) else { continue };
            let (tenant, head) = &waiting.last;
            let Some(batch) = Batch::decode(head) else { continue };
            // It counts as the last of what has been read, so that ids grow; behind whatever that batch itself had.
            if state.finished.0 != state.seq {
                state.finished = (state.seq, FINISHED);
            }
            let mut gather = Gather::new(self, &mut state.places, (state.seq, *tenant), &batch);
            gather.place = state.finished.1;
            gather.late = true;
            waiting.decoder.finish(&mut |record| gather.add(record));
            state.finished.1 = gather.place;
            state.rows += gather.added;
        }
        let waiting = state.decoders.values().filter(|waiting| waiting.decoder.is_waiting());
        state.waits = waiting.map(|waiting| waiting.received).min().unwrap_or(i64::MAX);
    }

    /// Lets what was gathered be found, all of a tenant's at once: ids grow from one time to the next.
    fn publish(&mut self, state: &mut State) {
        let mut fresh: HashMap<TenantId, Vec<Hot>> = HashMap::new();
        for ((tenant, stream, hour), rows) in &mut state.places {
            if rows.is_empty() {
                continue;
            }
            match rows.take() {
                Ok(batch) => {
                    let hot = Hot { stream: stream.clone(), hour: *hour, batch, last: state.seq };
                    fresh.entry(*tenant).or_default().push(hot);
                }
                Err(error) => tracing::error!(%error, "rows could not be made into a batch"),
            }
        }
        let mut latest = self.progress.latest();
        for (tenant, hot) in fresh {
            let last = hot.iter().filter_map(|hot| last_id(&hot.batch)).max();
            self.lake.add(tenant, hot);
            latest.extend(last.map(|last| (tenant, last)));
        }
        drop(latest);
        // Hours pass, and streams come and go.
        state.places.clear();
        state.rows = 0;
        self.progress.searchable.store(state.seq, Ordering::Relaxed);
    }
}

/// The id of the last row, which is the largest.
fn last_id(batch: &RecordBatch) -> Option<i64> {
    batch.column_by_name("id")?.as_primitive_opt::<Int64Type>()?.values().last().copied()
}

/// Gathers the events of one batch.
struct Gather<'g> {
    watch: &'g mut dyn Watch,
    rows: &'g mut Rows,
    batch: &'g Batch<'g>,
    names: Names,
    guess: Guess,
    tenant: TenantId,
    seq: u64,
    place: usize,
    late: bool,
    added: usize,
    /// In nanoseconds since 1970.
    last_claim: Option<i64>,
}

impl<'g> Gather<'g> {
    fn new(
        follower: &'g mut Follower,
        places: &'g mut Places,
        (seq, tenant): (u64, TenantId),
        batch: &'g Batch<'g>,
    ) -> Self {
        let latest = Timestamp::from_microsecond(batch.received).unwrap_or_else(|_| follower.clock.now());
        let hour = batch.received.div_euclid(3_600_000_000);
        let stream = Arc::from(batch.origin.stream.as_str());
        let rows = places.entry((tenant, stream, hour)).or_insert_with(|| Rows::new(schema()));
        Self {
            watch: &mut *follower.watch,
            rows,
            batch,
            names: Names::of(batch),
            guess: Guess { latest, zone: jiff::tz::Offset::UTC },
            tenant,
            seq,
            place: 0,
            late: false,
            added: 0,
            last_claim: None,
        }
    }

    fn add(&mut self, record: &Record<'_>) {
        let id = event_id(self.seq, self.place);
        self.place += 1;
        let claimed = record.claimed(&self.guess).map(|claimed| claimed.at);
        let (seq, tenant, batch) = (self.seq, self.tenant, self.batch);
        self.watch.event(&Seen { id, seq, tenant, batch, record, claimed, late: self.late });
        let claimed = claimed.and_then(|at| i64::try_from(at.as_nanosecond()).ok());
        self.rows.add((id, claimed), batch, &self.names, record);
        self.added += 1;
        self.last_claim = claimed.or(self.last_claim);
    }
}
