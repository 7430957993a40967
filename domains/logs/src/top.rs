//! The values that a column has most often.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::time::Duration;

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::datatypes::{DataType, Int64Type};
use axum::extract::State;
use axum::{Extension, Json};
use datafusion::logical_expr::Expr;
use garrison_lake::{Ask, Budget, LakeError, Question, Scope};
use garrison_web::{Answer, Body as JsonBody, Caller, Refusal, Web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::search::{Recorded, SECONDS, Visible, both, budget, column, condition};
use crate::{Logs, problem};

/// Values of an answer where nothing is said, and at most.
const VALUES: usize = 10;
const MOST_VALUES: usize = 100;
/// Characters of a value that an answer holds: a sender may make them as long as events.
const CHARACTERS: usize = 1_024;

/// Counts the values of a column.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TopLogs {
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
    /// A column of text, but not `raw`.
    pub field: String,
    /// Values at most, up to 100; 10 where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 100)]
    pub limit: Option<usize>,
}

/// The values that a column has most often.
#[derive(Debug, Serialize, ToSchema)]
pub struct LogTop {
    /// The column.
    pub field: String,
    /// Events that have it.
    pub total: u64,
    /// Different values.
    pub distinct: u64,
    /// The most frequent ones; of equally frequent ones the first in order of text.
    pub items: Vec<LogValue>,
}

/// A value of a column.
#[derive(Debug, Serialize, ToSchema)]
pub struct LogValue {
    /// The value.
    pub value: String,
    /// Events that have it.
    pub count: u64,
    /// The value goes on: only its first 1,024 characters are here.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
}

/// `POST /api/v1/log/top`.
pub(crate) async fn top(
    State(web): State<Web>,
    Extension(logs): Extension<Logs>,
    Caller(actor): Caller,
    JsonBody(asked): JsonBody<TopLogs>,
) -> Answer<Json<LogTop>> {
    asked.counting(&Visible::whole(&actor, logs.now()))?;
    let visible = web.kernel.ask(&actor, Recorded(asked.clone())).await.map_err(Refusal::from)?;
    let (counting, column, limit) = asked.counting(&visible)?;
    let place = logs.place_for_question().await?;
    let most = counting.most(&logs, (&column, limit), place).await.map_err(problem::asked)?;
    let items = most.best.into_iter().map(|(Reverse(count), value)| {
        let value = Shown::of(value);
        LogValue { value: value.text, count, cut: value.cut }
    });
    let items = items.collect();
    Ok(Json(LogTop { field: asked.field, total: most.total, distinct: most.distinct, items }))
}

impl TopLogs {
    /// What is counted, of which column, and how many of its values are told.
    fn counting(&self, visible: &Visible) -> Answer<(Counting, Expr, usize)> {
        let limit = self.limit.unwrap_or(VALUES);
        if !(1..=MOST_VALUES).contains(&limit) {
            return Err(problem::query(format!("limit is 1 to {MOST_VALUES}")));
        }
        let column = countable(&self.field)?;
        let condition = condition(self.query.as_deref().unwrap_or_default(), visible.now)?;
        let scope = visible.scope(self.from.as_deref(), self.to.as_deref())?;
        let budget = budget(Duration::from_secs(SECONDS));
        Ok((Counting { condition, scope, budget }, column, limit))
    }
}

/// A column whose values are worth counting.
pub(crate) fn countable(name: &str) -> Answer<Expr> {
    let (kind, column) = column(name)?;
    if name == "raw" || kind != DataType::Utf8 {
        let words = "is different in nearly every event; choose a column of text that repeats";
        return Err(problem::query(format!("`{name}` {words}")));
    }
    Ok(column)
}

/// Which events are counted, and for how much.
pub(crate) struct Counting {
    pub(crate) condition: Option<Expr>,
    pub(crate) scope: Scope,
    pub(crate) budget: Budget,
}

impl Counting {
    /// Counts the values of a column. `held` is let go of with the work.
    pub(crate) async fn most(
        self,
        logs: &Logs,
        (column, limit): (&Expr, usize),
        held: impl Send + 'static,
    ) -> Result<Most, LakeError> {
        let condition = both(self.condition, Some(column.clone().is_not_null()));
        let ask = Ask::Counts { condition, by: vec![column.clone()] };
        let question = Question { ask, scope: self.scope, budget: self.budget };
        let mut rows = logs.lake().ask(question, held);
        let mut most = Most::of(limit);
        while let Some(batch) = rows.next().await? {
            most.add(&batch);
        }
        Ok(most)
    }
}

/// The most frequent values, the first one first.
#[derive(Debug)]
pub(crate) struct Most {
    limit: usize,
    pub(crate) best: BTreeSet<(Reverse<u64>, String)>,
    total: u64,
    distinct: u64,
}

impl Most {
    fn of(limit: usize) -> Self {
        Self { limit, best: BTreeSet::new(), total: 0, distinct: 0 }
    }

    /// Adds values with their numbers.
    fn add(&mut self, batch: &RecordBatch) {
        let [values, .., counts] = batch.columns() else { return };
        let (values, counts) = (values.as_string_opt::<i32>(), counts.as_primitive_opt::<Int64Type>());
        let (Some(values), Some(counts)) = (values, counts) else { return };
        for row in (0..values.len()).filter(|row| values.is_valid(*row)) {
            self.count(values.value(row), counts.value(row).unsigned_abs());
        }
    }

    fn count(&mut self, value: &str, count: u64) {
        self.total += count;
        self.distinct += 1;
        let last = self.best.last().map(|(count, value)| (*count, value.as_str()));
        if self.best.len() >= self.limit && last < Some((Reverse(count), value)) {
            return;
        }
        self.best.insert((Reverse(count), value.to_owned()));
        if self.best.len() > self.limit {
            self.best.pop_last();
        }
    }
}

/// A value as an answer holds it.
pub(crate) struct Shown {
    pub(crate) text: String,
    cut: bool,
}

impl Shown {
    pub(crate) fn of(mut text: String) -> Self {
        let end = text.char_indices().nth(CHARACTERS).map(|(end, _)| end);
        if let Some(end) = end {
            text.truncate(end);
        }
        Self { text, cut: end.is_some() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_are_kept_and_all_are_counted() {
        let mut most = Most::of(3);
        for (value, count) in [("d", 2), ("a", 1), ("c", 2), ("e", 9), ("b", 2), ("f", 1)] {
            most.count(value, count);
        }
        let best: Vec<(u64, &str)> =
            most.best.iter().map(|(Reverse(count), value)| (*count, value.as_str())).collect();
        assert_eq!(best, [(9, "e"), (2, "b"), (2, "c")]);
        assert_eq!((most.total, most.distinct), (17, 6));
    }

    #[test]
    fn long_values_are_cut_between_characters() {
        let whole = "\u{e9}".repeat(CHARACTERS);
        let shown = Shown::of(whole.clone());
        assert_eq!((&shown.text, shown.cut), (&whole, false));
        let shown = Shown::of(format!("{whole}x"));
        assert_eq!((&shown.text, shown.cut), (&whole, true));
    }

    #[test]
    fn only_columns_that_repeat_are_counted() {
        for name in ["host", "user", "peer", "stream", "program"] {
            assert!(countable(name).is_ok(), "{name}");
        }
        for name in ["raw", "id", "received", "claimed", "", "HOST", "host, user", "host\" FROM x"] {
            let refused = countable(name).map(|_| ()).unwrap_err();
            assert_eq!(refused.kind().name, "log/query", "{name}");
        }
    }
}
