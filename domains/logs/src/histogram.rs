//! How many events there are in each part of a time.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{AsArray as _, RecordBatch};
use arrow::datatypes::{DataType, Int64Type};
use axum::extract::State;
use axum::{Extension, Json};
use datafusion::logical_expr::{Case, Expr, cast, col, lit};
use garrison_base::Timestamp;
use garrison_lake::{Ask, LakeError, Question, Scope};
use garrison_web::{Answer, Body as JsonBody, Caller, Refusal, Web};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use utoipa::ToSchema;

use crate::search::{Recorded, SECONDS, Visible, budget, condition};
use crate::top::{Counting, Shown, countable};
use crate::{Logs, problem};

/// Buckets where nothing is said, and at most.
const BUCKETS: u64 = 100;
const MOST_BUCKETS: u64 = 400;
/// Series where nothing is said, and at most.
const SERIES: usize = 7;
const MOST_SERIES: usize = 12;

const SECOND: u64 = 1_000_000_000;
const WEEK: u64 = 604_800 * SECOND;
/// How wide a bucket may be, in seconds; or some weeks.
const WIDTHS: [u64; 19] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 604_800,
];
/// The first Monday of 1970, in nanoseconds: weeks begin on Mondays.
const MONDAY: i64 = 345_600_000_000_000;
/// Nothing was received before 1970, or will be after 2199; in nanoseconds since 1970. So no sum leaves its type.
const LATEST: i64 = 7_258_118_400_000_000_000;

/// Counts events over time.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HistogramLogs {
    /// A filter; nothing for all events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 16384)]
    pub query: Option<String>,
    /// From when on, as the server received it: a time, or how long ago, such as `15m`. The last 24 hours where nothing
    /// is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Until when; now where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Into how many buckets the time is cut, up to 400; 100 where nothing is said. There are fewer or a few more, so that
    /// they are round.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 400)]
    pub buckets: Option<u64>,
    /// A column of text, but not `raw`: each bucket is told by its values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Of how many values, the most frequent ones, up to 12; 7 where nothing is said. The rest is one more series.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 12)]
    pub series: Option<usize>,
}

/// Events over time.
#[derive(Debug, Serialize, ToSchema)]
pub struct LogHistogram {
    /// When the first bucket begins.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// When the last one ends. Events outside of the time that was asked for do not count.
    #[schema(value_type = String, format = DateTime)]
    pub to: Timestamp,
    /// How wide a bucket is, in milliseconds.
    pub step_ms: u64,
    /// Events in all buckets.
    pub total: u64,
    /// All buckets, also those without an event.
    pub buckets: Vec<LogBucket>,
    /// The values of `by`, the most frequent first. Where `other` is true the last one is an empty text, and stands for
    /// all other values and for events without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub series: Option<Vec<String>>,
    /// Whether the last series is all others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other: Option<bool>,
    /// Whether all events were counted. False where the question took too long: then there are at least so many.
    pub complete: bool,
}

/// Events of a part of the time.
#[derive(Debug, Serialize, ToSchema)]
pub struct LogBucket {
    /// When it begins.
    #[schema(value_type = String, format = DateTime)]
    pub start: Timestamp,
    /// Events.
    pub count: u64,
    /// Events of each series, in their order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Vec<u64>>,
}

/// `POST /api/v1/log/histogram`.
pub(crate) async fn histogram(
    State(web): State<Web>,
    Extension(logs): Extension<Logs>,
    Caller(actor): Caller,
    JsonBody(asked): JsonBody<HistogramLogs>,
) -> Answer<Json<LogHistogram>> {
    asked.plan(&Visible::whole(&actor, logs.now()))?;
    let visible = web.kernel.ask(&actor, Recorded(asked.clone())).await.map_err(Refusal::from)?;
    let plan = asked.plan(&visible)?;
    let place = Arc::new(logs.place_for_question().await?);
    let until = Instant::now() + Duration::from_secs(SECONDS);
    let left = || until.saturating_duration_since(Instant::now());
    let (mut series, mut whole) = (Vec::new(), true);
    if let Some((column, limit)) = &plan.by {
        let (condition, scope) = (plan.condition.clone(), plan.scope.clone());
        let counting = Counting { condition, scope, budget: budget(left() / 2) };
        match counting.most(&logs, (column, *limit), place.clone()).await {
            Ok(most) => series.extend(most.best.into_iter().map(|(Reverse(_), value)| value)),
            // Then all are others, and there is time left to count them.
            Err(LakeError::Time(_)) => whole = false,
            Err(error) => return Err(problem::asked(error)),
        }
    }
    let mut cells = Cells::new(plan.grid, series.len() + 1);
    let wanted = vec![plan.cell(&series)];
    let ask = Ask::Rows { condition: plan.condition, wanted, order: Vec::new(), limit: None };
    // Rows are counted as they come, so that there is something to tell also where the time ends too soon.
    let mut rows = logs.lake().ask(Question { ask, scope: plan.scope, budget: budget(left()) }, place);
    let complete = loop {
        match rows.next().await {
            Ok(Some(batch)) => cells.count(&batch),
            Ok(None) => break whole,
            Err(LakeError::Time(_)) => break false,
            Err(error) => return Err(problem::asked(error)),
        }
    };
    Ok(Json(cells.told(plan.by.is_some().then_some(series), complete)))
}

/// What is counted, and how.
struct Plan {
    condition: Option<Expr>,
    scope: Scope,
    grid: Grid,
    by: Option<(Expr, usize)>,
}

impl HistogramLogs {
    fn plan(&self, visible: &Visible) -> Answer<Plan> {
        let (buckets, series) = (self.buckets.unwrap_or(BUCKETS), self.series.unwrap_or(SERIES));
        if !(1..=MOST_BUCKETS).contains(&buckets) || !(1..=MOST_SERIES).contains(&series) {
            let words = format!("buckets is 1 to {MOST_BUCKETS}, series 1 to {MOST_SERIES}");
            return Err(problem::query(words));
        }
        let by = self.by.as_deref().map(countable).transpose()?.map(|column| (column, series));
        let condition = condition(self.query.as_deref().unwrap_or_default(), visible.now)?;
        let mut scope = visible.scope(self.from.as_deref(), self.to.as_deref())?;
        scope.from = scope.from.clamp(0, LATEST);
        scope.to = scope.to.clamp(scope.from + 1, LATEST + 1);
        // The second behind now is for what comes meanwhile: nobody asked for it.
        let extra = if self.to.is_none() { SECOND } else { 0 };
        let asked = scope.to.abs_diff(scope.from).saturating_sub(extra);
        let grid = Grid::over(scope.from, scope.to, asked.div_ceil(buckets));
        Ok(Plan { condition, scope, grid, by })
    }
}

impl Plan {
    /// The number of the cell that a row counts in: its bucket, and in it its series.
    fn cell(&self, series: &[String]) -> Expr {
        let nanos = cast(col("received"), DataType::Int64);
        let bucket = (nanos - lit(self.grid.start)) / lit(self.grid.step.cast_signed());
        let Some((column, _)) = self.by.as_ref().filter(|_| !series.is_empty()) else { return bucket };
        let number = |place: usize| lit(i64::try_from(place).unwrap_or(i64::MAX));
        let values = series.iter().enumerate();
        let which = values.map(|(place, value)| (Box::new(lit(value.as_str())), Box::new(number(place))));
        let other = Some(Box::new(number(series.len())));
        let series_of = Expr::Case(Case::new(Some(Box::new(column.clone())), which.collect(), other));
        bucket * number(series.len() + 1) + series_of
    }
}

/// Buckets of equal width over a time, in nanoseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Grid {
    start: i64,
    step: u64,
    count: usize,
}

impl Grid {
    /// Those of the least round width that is at least this one.
    fn over(from: i64, to: i64, least: u64) -> Self {
        let round = WIDTHS.iter().map(|seconds| seconds * SECOND).find(|width| *width >= least);
        let step = round.unwrap_or_else(|| least.next_multiple_of(WEEK));
        let start = from - (from - MONDAY).rem_euclid(step.min(WEEK).cast_signed());
        let count = usize::try_from(to.abs_diff(start).div_ceil(step)).unwrap_or(usize::MAX);
        Self { start, step, count }
    }

    /// When a bucket begins.
    fn at(&self, bucket: usize) -> Timestamp {
        let nanos = i128::from(self.start) + bucket as i128 * i128::from(self.step);
        Timestamp::from_nanosecond(nanos).unwrap_or(Timestamp::MAX)
    }
}

/// Events of each bucket and series.
struct Cells {
    grid: Grid,
    width: usize,
    counts: Vec<u64>,
}

impl Cells {
    fn new(grid: Grid, width: usize) -> Self {
        Self { grid, width, counts: vec![0; grid.count.saturating_mul(width)] }
    }

    fn count(&mut self, batch: &RecordBatch) {
        let cells = batch.columns().first().and_then(|column| column.as_primitive_opt::<Int64Type>());
        for cell in cells.iter().flat_map(|cells| cells.values()) {
            if let Some(count) = usize::try_from(*cell).ok().and_then(|cell| self.counts.get_mut(cell)) {
                *count += 1;
            }
        }
    }

    /// The answer; `series` are the values of all series but the last one.
    fn told(self, series: Option<Vec<String>>, complete: bool) -> LogHistogram {
        let Self { grid, width, counts } = self;
        let other = counts.chunks(width).any(|series| series.last() > Some(&0));
        let shown = if other { width } else { width - 1 };
        let bucket = |(place, counts): (usize, &[u64])| LogBucket {
            start: grid.at(place),
            count: counts.iter().sum(),
            by: series.is_some().then(|| counts.iter().take(shown).copied().collect()),
        };
        LogHistogram {
            from: grid.at(0),
            to: grid.at(grid.count),
            step_ms: grid.step / 1_000_000,
            total: counts.iter().sum(),
            buckets: counts.chunks(width).enumerate().map(bucket).collect(),
            other: series.is_some().then_some(other),
            series: series.map(|series| {
                let values = series.into_iter().map(|value| Shown::of(value).text);
                values.chain(other.then(String::new)).collect()
            }),
            complete,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn at(text: &str) -> i64 {
        i64::try_from(text.parse::<Timestamp>().unwrap().as_nanosecond()).unwrap()
    }

    #[test]
    fn buckets_are_round_and_cover_the_time() {
        for (from, to, buckets, start, seconds, count) in [
            ("2026-11-22T10:00:00Z", "2026-11-22T10:01:00Z", 60, "2026-11-22T10:00:00Z", 1, 60),
            ("2026-11-22T10:00:07Z", "2026-11-22T10:15:07Z", 100, "2026-11-22T10:00:00Z", 10, 91),
            ("2026-11-21T10:01:00Z", "2026-11-22T10:01:01Z", 100, "2026-11-21T10:00:00Z", 900, 97),
            ("2026-11-22T10:00:00.1Z", "2026-11-22T10:00:00.2Z", 400, "2026-11-22T10:00:00Z", 1, 1),
            ("2026-11-20T00:00:00Z", "2026-11-23T00:00:00Z", 3, "2026-11-20T00:00:00Z", 86_400, 3),
            // Weeks begin on Mondays, also those that are joined.
            ("2026-11-22T00:00:00Z", "2026-11-24T00:00:00Z", 1, "2026-11-16T00:00:00Z", 604_800, 2),
            ("2026-01-01T00:00:00Z", "2026-12-31T00:00:00Z", 10, "2025-12-29T00:00:00Z", 3_628_800, 9),
        ] {
            let grid = Grid::over(at(from), at(to), at(to).abs_diff(at(from)).div_ceil(buckets));
            let expected = Grid { start: at(start), step: seconds * SECOND, count };
            assert_eq!(grid, expected, "{from} {to} {buckets}");
        }
    }

    #[test]
    fn no_time_breaks_the_grid() {
        let times = [0, 1, MONDAY - 1, MONDAY, MONDAY + 1, at("2026-11-22T10:00:00Z"), LATEST, LATEST + 1];
        for from in times {
            for to in times.into_iter().filter(|to| *to > from) {
                for buckets in [1, 2, 99, 400] {
                    let grid = Grid::over(from, to, to.abs_diff(from).div_ceil(buckets));
                    let first = from.abs_diff(grid.start) / grid.step;
                    let last = (to - 1).abs_diff(grid.start) / grid.step;
                    let told = (grid.start <= from, first, last + 1);
                    assert_eq!(told, (true, 0, grid.count as u64), "{from} {to} {buckets}: {grid:?}");
                    assert!(grid.count as u64 <= buckets + 1, "{from} {to} {buckets}: {grid:?}");
                    let starts: HashSet<Timestamp> = (0..=grid.count).map(|place| grid.at(place)).collect();
                    assert_eq!(starts.len(), grid.count + 1, "{from} {to} {buckets}: {grid:?}");
                }
            }
        }
    }

    #[test]
    fn all_others_are_told_only_where_there_are_any() {
        let grid = Grid { start: 0, step: SECOND, count: 2 };
        for (counts, by, series, other) in [
            (vec![3, 1, 0, 2, 0, 5], [vec![3, 1, 0], vec![2, 0, 5]], vec!["a", "b", ""], true),
            (vec![3, 1, 0, 2, 0, 0], [vec![3, 1], vec![2, 0]], vec!["a", "b"], false),
        ] {
            let total: u64 = counts.iter().sum();
            let cells = Cells { grid, width: 3, counts };
            let told = cells.told(Some(vec!["a".to_owned(), "b".to_owned()]), true);
            let shown: Vec<Vec<u64>> = told.buckets.into_iter().filter_map(|bucket| bucket.by).collect();
            assert_eq!((shown, told.total), (by.to_vec(), total));
            let expected: Vec<String> = series.into_iter().map(str::to_owned).collect();
            assert_eq!((told.series, told.other), (Some(expected), Some(other)));
        }
        let plain = Cells { grid, width: 1, counts: vec![4, 0] }.told(None, true);
        assert_eq!((plain.series, plain.other, plain.total), (None, None, 4));
        let counts: Vec<(u64, bool)> =
            plain.buckets.iter().map(|bucket| (bucket.count, bucket.by.is_none())).collect();
        assert_eq!(counts, [(4, true), (0, true)]);
    }

    #[test]
    fn what_is_too_much_is_refused_before_the_filter_is_read() {
        let now = "2026-11-22T10:00:00Z".parse().unwrap();
        let visible = Visible { tenant: garrison_base::TenantId::from_bytes([1; 16]), nodes: None, now };
        let asked = HistogramLogs { query: Some("(((".into()), ..HistogramLogs::default() };
        for (buckets, series, word) in [
            (Some(0), None, "buckets is"),
            (Some(401), None, "buckets is"),
            (None, Some(0), "series 1"),
            (None, Some(13), "series 1"),
            (Some(u64::MAX), Some(usize::MAX), "buckets is"),
        ] {
            let asked = HistogramLogs { buckets, series, ..asked.clone() };
            let refused = asked.plan(&visible).map(|_| ()).unwrap_err();
            assert!(refused.detail().contains(word), "{buckets:?} {series:?}: {}", refused.detail());
        }
        // Whatever time can be written can be asked for.
        let beyond = ("-009998-01-01T00:00:00Z", "9999-12-30T00:00:00Z");
        for (from, to) in [beyond, ("1900-01-01", "1950-01-01")] {
            let asked = HistogramLogs {
                from: Some(from.into()),
                to: Some(to.into()),
                buckets: Some(1),
                ..HistogramLogs::default()
            };
            let plan = asked.plan(&visible).unwrap();
            assert!((1..=2).contains(&plan.grid.count), "{from} {to}: {:?}", plan.grid);
        }
    }
}
