//! What was heard of sources and what limits refused, until `log:keep` writes it down together with the events. So the
//! sums in the state are those of the events in files, also after a kill.

use std::collections::HashMap;
use std::sync::{MutexGuard, PoisonError};

use garrison_base::{Day, SourceId, TenantId};
use serde::{Deserialize, Serialize};

use crate::Logs;
use crate::acts::Counted;
use crate::batch::Batch;
use crate::intake::Limit;

/// What a source brought on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeardDay {
    /// The source.
    pub source: SourceId,
    /// The day on which it was received.
    pub day: Day,
    /// Events, without those that Garrison said itself.
    pub events: u64,
    /// When the first one was received, in microseconds since 1970.
    pub first: i64,
    /// When the last one was.
    pub last: i64,
    /// The longest pause between two of them, in microseconds.
    pub pause: i64,
}

/// What a limit refused of a source on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefusedDay {
    /// The source.
    pub source: SourceId,
    /// The day.
    pub day: Day,
    /// The limit.
    pub limit: Limit,
    /// Events, or connections.
    pub count: u64,
}

/// What was heard, by source and day.
pub(crate) type Tally = HashMap<(TenantId, SourceId, Day), HeardDay>;

/// Adds what was heard.
pub(crate) fn hear(tally: &mut Tally, tenant: TenantId, heard: HeardDay) {
    let place = (tenant, heard.source, heard.day);
    tally.entry(place).and_modify(|before| before.join(&heard)).or_insert(heard);
}

impl HeardDay {
    /// What a batch brings.
    pub(crate) fn of(batch: &Batch<'_>) -> Self {
        let (source, day) = (batch.origin.source(), Day::of_micros(batch.received));
        let (first, last) = (batch.received, batch.received);
        Self { source, day, events: batch.events.len() as u64, first, last, pause: 0 }
    }

    fn join(&mut self, other: &Self) {
        let between = other.first.saturating_sub(self.last).max(self.first.saturating_sub(other.last));
        self.pause = self.pause.max(other.pause).max(between);
        self.events += other.events;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }
}

/// What one `log:keep` writes down beside its files.
#[derive(Debug)]
pub(crate) struct Sums {
    pub(crate) counted: Vec<Counted>,
    pub(crate) days: Vec<HeardDay>,
    pub(crate) refused: Vec<RefusedDay>,
}

/// Takes what is not in the state yet.
pub(crate) fn take(logs: &Logs, tenant: TenantId) -> Sums {
    let mut days: Vec<HeardDay> =
        heard(logs).extract_if(|(whose, ..), _| *whose == tenant).map(|(_, heard)| heard).collect();
    // A pause is told from the day before on.
    days.sort_by_key(|heard| (heard.source, heard.day));
    let (counted, refused) = (counted(logs, tenant), refused(logs, tenant));
    Sums { counted, days, refused }
}

/// Puts back what could not be written down.
pub(crate) fn give_back(logs: &Logs, tenant: TenantId, sums: Sums) {
    let mut tally = heard(logs);
    for day in sums.days {
        hear(&mut tally, tenant, day);
    }
    drop(tally);
    let mut meters = logs.intake().meters();
    for Counted { source, events, bytes, .. } in sums.counted {
        if let Some(meter) = meters.get_mut(&(tenant, source)) {
            meter.fresh = (meter.fresh.0 + events, meter.fresh.1 + bytes);
        }
    }
    for RefusedDay { source, day, limit, count } in sums.refused {
        if let Some(meter) = meters.get_mut(&(tenant, source)) {
            *meter.unwritten.entry((day, limit)).or_default() += count;
        }
    }
}

/// Adds what the follower has heard since it was last asked.
pub(crate) fn gather(logs: &Logs, fresh: Tally) {
    let mut tally = heard(logs);
    for ((tenant, ..), day) in fresh {
        hear(&mut tally, tenant, day);
    }
}

fn heard(logs: &Logs) -> MutexGuard<'_, Tally> {
    logs.0.heard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What was heard since the last time, taken from the meters.
fn counted(logs: &Logs, tenant: TenantId) -> Vec<Counted> {
    let skews = logs.progress().skews().clone();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "milliseconds of a clock that is off; `as` saturates"
    )]
    let skew = |source| skews.get(&(tenant, source)).map(|seconds| (seconds * 1_000.0) as i64);
    let mut meters = logs.intake().meters();
    let of_tenant = meters.iter_mut().filter(|((whose, _), meter)| *whose == tenant && meter.fresh.0 > 0);
    of_tenant
        .filter_map(|((_, source), meter)| {
            let (events, bytes) = std::mem::take(&mut meter.fresh);
            let last_seen = meter.last?.as_microsecond();
            Some(Counted { source: *source, events, bytes, last_seen, skew: skew(*source) })
        })
        .collect()
}

fn refused(logs: &Logs, tenant: TenantId) -> Vec<RefusedDay> {
    let mut meters = logs.intake().meters();
    let of_tenant = meters.iter_mut().filter(|((whose, _), _)| *whose == tenant);
    let each = of_tenant.flat_map(|((_, source), meter)| {
        let refused = std::mem::take(&mut meter.unwritten).into_iter();
        refused.map(move |((day, limit), count)| RefusedDay { source: *source, day, limit, count })
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_join_whichever_comes_first() {
        let day = |events, first, last, pause| HeardDay {
            source: SourceId::from_bytes([1; 16]),
            day: Day::of_micros(0),
            events,
            first,
            last,
            pause,
        };
        let parts = [day(1, 10, 10, 0), day(2, 15, 40, 25), day(1, 50, 50, 0)];
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [1, 2, 0]] {
            let mut tally = Tally::new();
            for place in order {
                hear(&mut tally, TenantId::from_bytes([1; 16]), parts[place].clone());
            }
            let joined: Vec<HeardDay> = tally.into_values().collect();
            assert_eq!(joined, [day(4, 10, 50, 25)], "{order:?}");
        }
    }
}
