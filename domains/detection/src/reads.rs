//! The questions that people ask of detection.

use std::time::Duration;

use garrison_base::{AlertId, Timestamp};
use garrison_kernel::{KernelError, ObjectRef, ReadAct, ReadTx, Verb};
use garrison_web::{Page, Question, page_limit};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use tokio::time::Instant;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::{IntoParams, ToSchema};

use crate::filter::{AlertFilter, Narrowed};
use crate::model::{Alert, AlertDetail};
use crate::store;

/// Rows that are read at once where each of them must be looked at.
pub(crate) const ROWS: i64 = 500;
/// Rows that one question looks at, one by one.
const MOST_ROWS: usize = 200_000;
/// How long it may look at them.
const LONGEST: Duration = Duration::from_secs(10);

/// Lists alerts.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListAlerts {
    /// Which.
    #[serde(flatten)]
    pub filter: AlertFilter,
    /// Which part of them, and in which order.
    #[serde(flatten)]
    pub part: AlertPart,
}

/// A part of a list of alerts.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct AlertPart {
    /// `last_seen`, the latest first, or `level`, the most severe first and of those the latest; `last_seen` where
    /// nothing is said.
    #[param(value_type = Option<String>)]
    pub sort: Option<AlertOrder>,
    /// How many at most, 1 to 500; 100 where nothing is said.
    #[serde(default, deserialize_with = "number")]
    pub limit: Option<i64>,
    /// Where to go on: `next` of the page before.
    pub cursor: Option<String>,
}

/// The order of a list of alerts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertOrder {
    /// The last seen first.
    #[default]
    LastSeen,
    /// The most severe first, and of those the last seen.
    Level,
}

/// Some alerts.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertPage {
    /// The alerts.
    pub items: Vec<Alert>,
    /// Where the next part begins; absent at the end. A part with fewer items than were asked for, or none, may have
    /// one too: where `text` or `query` was asked for, so many alerts were looked at that the answer could not wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The number of the last change that the answer may show. Whoever follows the changes from here misses none.
    pub position: i64,
}

/// A number in the parameters of an address. Where a structure is made of others, they arrive there as text.
pub(crate) fn number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    let text = String::deserialize(from)?;
    text.parse().map(Some).map_err(|_| D::Error::custom(format!("`{text}` is no whole number")))
}

/// What is left of what one question may take that looks at rows one by one: others wait for the database meanwhile.
pub(crate) struct Patience {
    rows: usize,
    until: Instant,
}

impl Patience {
    pub(crate) fn new() -> Self {
        Self { rows: MOST_ROWS, until: Instant::now() + LONGEST }
    }

    /// Whether it is over, now that so many more rows were looked at.
    pub(crate) fn is_over_after(&mut self, rows: usize) -> bool {
        self.rows = self.rows.saturating_sub(rows);
        self.rows == 0 || Instant::now() >= self.until
    }
}

/// The place of an alert in a list, in either order.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct After {
    pub(crate) level: i64,
    pub(crate) seen: Timestamp,
    pub(crate) id: AlertId,
}

impl After {
    pub(crate) fn of(alert: &Alert) -> Self {
        Self { level: alert.level.number(), seen: alert.last_seen, id: alert.id }
    }
}

impl From<AlertFilter> for ListAlerts {
    fn from(filter: AlertFilter) -> Self {
        Self { filter, part: AlertPart::default() }
    }
}

impl IntoParams for ListAlerts {
    fn into_params(place: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        [AlertFilter::into_params(&place), AlertPart::into_params(&place)].concat()
    }
}

impl Question for ListAlerts {
    const VERB: Verb = Verb::new("alert:list");
    const PATH: &'static str = "/alert";
    const SUMMARY: &'static str = "Alerts, the last seen first.";
    type Answer = AlertPage;

    async fn answer(self, tx: &mut ReadTx<'_>) -> Result<Self::Answer, KernelError> {
        let limit = page_limit(self.part.limit)?;
        let after: Option<After> = tx.open_cursor(Self::VERB, self.part.cursor.as_deref())?;
        let narrowed = self.filter.narrow(tx)?;
        let position = store::last_change(tx).await?;
        let order = self.part.sort.unwrap_or_default();
        let (items, stopped) = found(tx, &narrowed, (order, after), limit + 1).await?;
        let Page { items, mut next } = Page::cut(items, limit, (tx, Self::VERB), After::of)?;
        if let Some(place) = stopped {
            next = Some(tx.cursor(Self::VERB, &place)?);
        }
        Ok(AlertPage { items, next, position })
    }
}

/// The first alerts that fit, behind a place; and the place where it was given up to find so many, if it was.
async fn found(
    tx: &mut ReadTx<'_>,
    narrowed: &Narrowed,
    (order, mut after): (AlertOrder, Option<After>),
    wanted: i64,
) -> Result<(Vec<Alert>, Option<After>), KernelError> {
    let mut patience = Patience::new();
    let rows = if narrowed.needs_rows() { ROWS } else { wanted };
    let is_full = |found: &[Alert], size| i64::try_from(found.len()).is_ok_and(|count| count >= size);
    let mut found = Vec::new();
    loop {
        let read = store::alerts(tx, narrowed, (order, after.as_ref()), rows).await?;
        let last = !is_full(&read, rows);
        after = read.last().map(After::of);
        let given_up = patience.is_over_after(read.len());
        found.extend(read.into_iter().filter(|alert| narrowed.fits(alert)));
        if last || is_full(&found, wanted) {
            found.truncate(usize::try_from(wanted).unwrap_or(usize::MAX));
            return Ok((found, None));
        }
        if given_up {
            return Ok((found, after));
        }
    }
}

/// Shows one alert. What events say is customer content, so the asking is recorded.
#[derive(Debug, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ShowAlert {
    /// Which.
    #[param(value_type = String)]
    pub alert: AlertId,
}

impl ReadAct for ShowAlert {
    const VERB: Verb = Verb::new("alert:show");
    type Output = AlertDetail;
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.alert.into()]
    }

    async fn read(&self, tx: &mut ReadTx<'_>) -> Result<AlertDetail, KernelError> {
        store::detail(tx, self.alert).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_and_what_is_unknown_is_refused() {
        let read = garrison_web::query_parameters::<ListAlerts>;
        let asked = read(Some("state=open,closed&level=high&limit=7&sort=level&query=is%3Amine")).unwrap();
        assert_eq!(asked.filter.state.as_deref(), Some("open,closed"));
        assert_eq!(asked.filter.level.map(garrison_facts::AlertLevel::number), Some(3));
        assert_eq!(asked.filter.query.as_deref(), Some("is:mine"));
        assert_eq!((asked.part.limit, asked.part.sort), (Some(7), Some(AlertOrder::Level)));
        assert!(read(None).is_ok());
        for (query, why) in [
            ("limit=many", "`many` is no whole number"),
            ("stat=open", "unknown field `stat`"),
            ("level=bad", "unknown variant `bad`"),
            ("sort=title", "unknown variant `title`"),
        ] {
            let refused = read(Some(query)).unwrap_err();
            assert!(refused.detail().contains(why), "{query}: {}", refused.detail());
        }
    }

    #[test]
    fn a_question_looks_at_so_many_rows() {
        let mut patience = Patience::new();
        let looks = (1..=MOST_ROWS).take_while(|_| !patience.is_over_after(500)).count();
        assert_eq!(looks, MOST_ROWS / 500 - 1, "and the last one, after which it is over");
        assert!(patience.is_over_after(0), "it stays over");
    }

    #[test]
    fn the_document_names_every_parameter() {
        let parameters = ListAlerts::into_params(|| Some(ParameterIn::Query));
        let names: Vec<_> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "state",
                "level",
                "levels",
                "rule",
                "entity",
                "entity_kind",
                "node",
                "assignee",
                "text",
                "from",
                "to",
                "query",
                "sort",
                "limit",
                "cursor"
            ]
        );
    }
}
