//! What the alerts come to that fit a filter: over time, by level and state, and the most frequent.

use std::collections::HashMap;

use garrison_base::{NodeId, Timestamp};
use garrison_facts::AlertLevel;
use garrison_kernel::{KernelError, ReadTx};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::filter::{AlertFilter, Narrowed};
use crate::model::{Alert, AlertState};
use crate::reads::{After, AlertOrder, Patience, ROWS, number};
use crate::store::{self, figures};

/// Parts of the time where nothing is said, and at most.
const BUCKETS: i64 = 60;
const MOST_BUCKETS: i64 = 200;
/// The shortest part, in microseconds.
const SHORTEST: i64 = 1_000_000;
/// How many are told of the most frequent.
const TOP: usize = 10;

/// Counts alerts.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SummariseAlerts {
    /// Which.
    #[serde(flatten)]
    pub filter: AlertFilter,
    /// Over the time in how many parts.
    #[serde(flatten)]
    pub over: Buckets,
}

/// The parts of the time.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct Buckets {
    /// In how many parts the time is told at most, 1 to 200; 60 where nothing is said. None is shorter than a second.
    #[serde(default, deserialize_with = "number")]
    pub buckets: Option<i64>,
}

/// What alerts come to.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertSummary {
    /// Where the first part of the time begins: as asked, or when the first alert that fits was last seen.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// Where the time ends: as asked, or when the last alert that fits was last seen.
    #[schema(value_type = String, format = DateTime)]
    pub to: Timestamp,
    /// How many alerts fit.
    pub total: i64,
    /// Whether all alerts were counted that fit. Where `text` or `query` was asked for and there are too many alerts to
    /// look at each, only the latest were.
    pub complete: bool,
    /// The parts of the time, all of the same length and without gaps; none where no time is asked for and nothing fits.
    pub buckets: Vec<AlertBucket>,
    /// By level.
    pub levels: PerLevel,
    /// By state.
    pub states: PerState,
    /// Open or acknowledged, and nobody looks after them, by level.
    pub unassigned: PerLevel,
    /// The most frequent.
    pub top: TopOfAlerts,
}

/// A part of the time.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AlertBucket {
    /// When it begins.
    #[schema(value_type = String, format = DateTime)]
    pub start: Timestamp,
    /// How many alerts of each level were last seen in it, from informational to critical.
    pub levels: Vec<i64>,
}

/// A number for each level.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct PerLevel {
    /// For information.
    pub informational: i64,
    /// Low.
    pub low: i64,
    /// Medium.
    pub medium: i64,
    /// High.
    pub high: i64,
    /// Critical.
    pub critical: i64,
}

/// A number for each state.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct PerState {
    /// Nobody has looked.
    pub open: i64,
    /// Somebody looks.
    pub acknowledged: i64,
    /// Decided.
    pub closed: i64,
}

/// The most frequent of each, at most ten.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct TopOfAlerts {
    /// Rules.
    pub rule: Vec<Frequent>,
    /// Hosts, users, addresses and sources.
    pub entity: Vec<Frequent>,
    /// Nodes.
    pub node: Vec<Frequent>,
}

/// Something that alerts have in common.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Frequent {
    /// What to ask for.
    pub value: String,
    /// What people call it.
    pub label: String,
    /// How many alerts have it.
    pub count: i64,
}

impl PerLevel {
    fn add(&mut self, level: AlertLevel, count: i64) {
        *match level {
            AlertLevel::Informational => &mut self.informational,
            AlertLevel::Low => &mut self.low,
            AlertLevel::Medium => &mut self.medium,
            AlertLevel::High => &mut self.high,
            AlertLevel::Critical => &mut self.critical,
        } += count;
    }
}

impl PerState {
    fn add(&mut self, state: AlertState, count: i64) {
        *match state {
            AlertState::Open => &mut self.open,
            AlertState::Acknowledged => &mut self.acknowledged,
            AlertState::Closed => &mut self.closed,
        } += count;
    }
}

impl SummariseAlerts {
    /// Answers.
    pub async fn answer(self, tx: &mut ReadTx<'_>) -> Result<AlertSummary, KernelError> {
        let count = self.over.buckets.unwrap_or(BUCKETS);
        if !(1..=MOST_BUCKETS).contains(&count) {
            return Err(KernelError::Invalid(format!("buckets is 1 to {MOST_BUCKETS}")));
        }
        let narrowed = self.filter.narrow(tx)?;
        let mut told = Told::default();
        let top = if narrowed.needs_rows() {
            told.look(tx, &narrowed).await?
        } else {
            told.ask(tx, &narrowed).await?
        };
        let grid = Grid::over((narrowed.from, narrowed.to), told.seen, (count, tx.now()));
        let parts = match (grid.count, narrowed.needs_rows()) {
            (0, _) => Vec::new(),
            (_, true) => grid.sort(&told.times),
            (count, false) => figures::buckets(tx, &narrowed, (grid.from, grid.step, count)).await?,
        };
        let starts = (0..).map(|place| grid.start(place));
        let buckets = starts.zip(parts).map(|(start, levels)| AlertBucket { start, levels });
        Ok(AlertSummary {
            from: moment(grid.from),
            to: moment(grid.to),
            total: told.total,
            complete: !told.given_up,
            buckets: buckets.collect(),
            levels: told.levels,
            states: told.states,
            unassigned: told.unassigned,
            top,
        })
    }
}

/// What was counted.
#[derive(Default)]
struct Told {
    total: i64,
    /// There were more alerts than could be looked at.
    given_up: bool,
    levels: PerLevel,
    states: PerState,
    unassigned: PerLevel,
    /// The first and the last `last_seen`.
    seen: Option<(i64, i64)>,
    /// Each `last_seen` with the level, where rows were looked at one by one.
    times: Vec<(i64, AlertLevel)>,
}

impl Told {
    fn add(&mut self, (level, state): (AlertLevel, AlertState), (count, assigned): (i64, i64)) {
        self.total += count;
        self.levels.add(level, count);
        self.states.add(state, count);
        if state != AlertState::Closed {
            self.unassigned.add(level, count - assigned);
        }
    }

    fn see(&mut self, first: i64, last: i64) {
        let (before, behind) = self.seen.unwrap_or((first, last));
        self.seen = Some((before.min(first), behind.max(last)));
    }

    /// Lets the database count.
    async fn ask(&mut self, tx: &mut ReadTx<'_>, narrowed: &Narrowed) -> Result<TopOfAlerts, KernelError> {
        let mut rules: HashMap<String, i64> = HashMap::new();
        for group in figures::groups(tx, narrowed).await? {
            self.add((group.level, group.state), (group.count, group.assigned));
            self.see(group.first, group.last);
            *rules.entry(group.rule).or_default() += group.count;
        }
        let most = i64::try_from(TOP).unwrap_or(i64::MAX);
        let entities = figures::top_entities(tx, narrowed, most).await?;
        let nodes = figures::top_nodes(tx, narrowed, most).await?;
        let mut rule = Vec::new();
        for (value, count) in most_frequent(rules) {
            let label = figures::title(tx, &value).await?.unwrap_or_else(|| value.clone());
            rule.push(Frequent { value, label, count });
        }
        Ok(top_of(tx, rule, entities, nodes))
    }

    /// Looks at the rows one by one, where the database does not know all that is asked.
    async fn look(&mut self, tx: &mut ReadTx<'_>, narrowed: &Narrowed) -> Result<TopOfAlerts, KernelError> {
        let (mut rules, mut titles) = (HashMap::<_, i64>::new(), HashMap::new());
        let (mut entities, mut nodes) = (HashMap::<_, i64>::new(), HashMap::<_, i64>::new());
        let (mut after, mut patience) = (None, Patience::new());
        loop {
            let read = store::alerts(tx, narrowed, (AlertOrder::LastSeen, after.as_ref()), ROWS).await?;
            after = read.last().map(After::of);
            if after.is_none() {
                break;
            }
            self.given_up = patience.is_over_after(read.len());
            for alert in read.into_iter().filter(|alert| narrowed.fits(alert)) {
                self.take(&alert);
                *rules.entry(alert.rule.clone()).or_default() += 1;
                *entities.entry(alert.entity).or_default() += 1;
                *nodes.entry(alert.node).or_default() += 1;
                titles.entry(alert.rule).or_insert(alert.title);
            }
            if self.given_up {
                break;
            }
        }
        let named = |(value, count): (String, i64)| {
            let label = titles.get(&value).unwrap_or(&value).clone();
            Frequent { value, label, count }
        };
        let rule = most_frequent(rules).into_iter().map(named).collect();
        Ok(top_of(tx, rule, most_frequent(entities), most_frequent(nodes)))
    }

    fn take(&mut self, alert: &Alert) {
        let seen = alert.last_seen.as_microsecond();
        self.add((alert.level, alert.state), (1, i64::from(alert.assignee.is_some())));
        self.see(seen, seen);
        self.times.push((seen, alert.level));
    }
}

/// The most frequent first; of those that are equal, in their own order.
fn most_frequent<K: Ord>(counts: HashMap<K, i64>) -> Vec<(K, i64)> {
    let mut counts: Vec<(K, i64)> = counts.into_iter().collect();
    counts.sort_unstable_by(|left, right| right.1.cmp(&left.1).then_with(|| left.0.cmp(&right.0)));
    counts.truncate(TOP);
    counts
}

fn top_of(
    tx: &ReadTx<'_>,
    rule: Vec<Frequent>,
    entities: Vec<(String, i64)>,
    nodes: Vec<(NodeId, i64)>,
) -> TopOfAlerts {
    let entity = |(value, count): (String, i64)| Frequent { label: value.clone(), value, count };
    let node =
        |(node, count): (NodeId, i64)| Frequent { value: node.to_string(), label: tx.path(node), count };
    TopOfAlerts {
        rule,
        entity: entities.into_iter().map(entity).collect(),
        node: nodes.into_iter().map(node).collect(),
    }
}

/// The time in parts of the same length, in microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Grid {
    from: i64,
    to: i64,
    step: i64,
    /// How many parts; none where no time is asked for and nothing fits.
    count: i64,
}

impl Grid {
    /// From where it was asked for, or else where the first alert was seen, to the same at the end; in so many parts at
    /// most.
    fn over(
        (from, to): (Option<i64>, Option<i64>),
        seen: Option<(i64, i64)>,
        (most, now): (i64, Timestamp),
    ) -> Self {
        let (first, last) = seen.unzip();
        let now = now.as_microsecond();
        // The end that was asked for is not within the time; the last alert is.
        let within = i64::from(to.is_none());
        let is_empty = seen.is_none() && (from.is_none() || to.is_none());
        let from = from.or(first).unwrap_or_else(|| to.unwrap_or(now).min(now));
        let to = to.or(last).unwrap_or_else(|| from.max(now));
        let length = if is_empty { 0 } else { to.saturating_add(within).saturating_sub(from).max(0) };
        let step = parts(length, most).max(SHORTEST);
        Self { from, to, step, count: parts(length, step) }
    }

    fn start(&self, place: i64) -> Timestamp {
        moment(self.from.saturating_add(self.step.saturating_mul(place)))
    }

    /// How many of each level lie in each part.
    fn sort(&self, times: &[(i64, AlertLevel)]) -> Vec<Vec<i64>> {
        let mut parts = vec![vec![0; AlertLevel::ALL.len()]; usize::try_from(self.count).unwrap_or(0)];
        for (seen, level) in times {
            let place = usize::try_from(seen.saturating_sub(self.from) / self.step);
            let part = place.ok().and_then(|place| parts.get_mut(place));
            let level = usize::try_from(level.number()).unwrap_or(usize::MAX);
            if let Some(count) = part.and_then(|part| part.get_mut(level)) {
                *count += 1;
            }
        }
        parts
    }
}

/// How many of a size make a length.
fn parts(length: i64, size: i64) -> i64 {
    length / size + i64::from(length % size > 0)
}

/// Within the times that there are.
fn moment(micros: i64) -> Timestamp {
    let nearest = if micros < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_microsecond(micros).unwrap_or(nearest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    fn grid(asked: (Option<i64>, Option<i64>), seen: Option<(i64, i64)>, most: i64) -> (i64, i64, i64, i64) {
        let now = Timestamp::from_second(1_000).unwrap();
        let asked = (asked.0.map(|at| at * SECOND), asked.1.map(|at| at * SECOND));
        let seen = seen.map(|(first, last)| (first * SECOND, last * SECOND));
        let Grid { from, to, step, count } = Grid::over(asked, seen, (most, now));
        (from / SECOND, to / SECOND, step, count)
    }

    #[test]
    fn the_time_is_divided_without_gaps() {
        assert_eq!(grid((Some(0), Some(600)), None, 60), (0, 600, 10 * SECOND, 60), "nothing fits");
        assert_eq!(grid((None, None), Some((100, 159)), 60), (100, 159, SECOND, 60), "the last one is in it");
        assert_eq!(grid((None, None), Some((100, 160)), 2), (100, 160, 30 * SECOND + 1, 2));
        assert_eq!(grid((None, None), Some((100, 100)), 60), (100, 100, SECOND, 1));
        assert_eq!(grid((Some(0), None), None, 60), (0, 1_000, SECOND, 0));
        assert_eq!(grid((None, None), None, 60), (1_000, 1_000, SECOND, 0));
        assert_eq!(grid((Some(10), Some(5)), None, 60), (10, 5, SECOND, 0));
    }

    #[test]
    fn alerts_are_sorted_into_the_parts() {
        let grid = Grid::over((Some(0), Some(3 * SECOND)), None, (3, Timestamp::UNIX_EPOCH));
        let (low, critical) = (AlertLevel::Low, AlertLevel::Critical);
        let times = [(0, low), (SECOND - 1, critical), (SECOND, low)];
        let sorted = grid.sort(&times);
        assert_eq!(sorted, [vec![0, 1, 0, 0, 1], vec![0, 1, 0, 0, 0], vec![0; 5]]);
        assert_eq!(grid.start(2), Timestamp::from_second(2).unwrap());
    }

    #[test]
    fn the_most_frequent_come_first() {
        let counts = HashMap::from([("b", 2), ("a", 2), ("c", 9)]);
        assert_eq!(most_frequent(counts), [("c", 9), ("a", 2), ("b", 2)]);
    }
}
