//! The words and numbers of detection.

use std::fmt;

use garrison_base::{AlertId, NodeId, Timestamp};
use garrison_facts::{AlertLevel, EntityKind};
use garrison_kernel::{ActorId, FromCell, Value};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

/// How far apart the events of one alert may be.
pub(crate) const WINDOW: SignedDuration = SignedDuration::from_hours(1);
/// How many groups one act brings at most.
pub(crate) const GROUPS: usize = 500;
/// How many events are kept from the beginning of an alert, and as many from its end.
const KEPT: usize = 10;

/// What is kept of texts, in characters. A stranger may have chosen them.
const RULE: usize = 200;
const TITLE: usize = 500;
const ENTITY: usize = 500;
/// The same in bytes, for it stands in indexes, and those of `PostgreSQL` take 2,704 bytes of a row.
const ENTITY_BYTES: usize = 1_000;
const VALUE: usize = 500;
const RAW: usize = 2_000;
/// How many matched fields are kept of an event.
const WHY: usize = 20;

/// Where an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum AlertState {
    /// Nobody has looked at it.
    Open,
    /// Somebody looks at it.
    Acknowledged,
    /// It is decided what it was.
    Closed,
}

impl AlertState {
    pub(crate) const ALL: [Self; 3] = [Self::Open, Self::Acknowledged, Self::Closed];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Closed => "closed",
        }
    }
}

impl fmt::Display for AlertState {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl FromCell for AlertState {
    fn from_cell(cell: &Value) -> Option<Self> {
        let text = String::from_cell(cell)?;
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// What an alert turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CloseReason {
    /// What the rule looks for happened, and should not have.
    TruePositive,
    /// It did not happen: the rule is wrong.
    FalsePositive,
    /// It happened, and may.
    Benign,
    /// Another alert tells the same.
    Duplicate,
}

impl CloseReason {
    const ALL: [Self; 4] = [Self::TruePositive, Self::FalsePositive, Self::Benign, Self::Duplicate];

    fn as_str(self) -> &'static str {
        match self {
            Self::TruePositive => "true_positive",
            Self::FalsePositive => "false_positive",
            Self::Benign => "benign",
            Self::Duplicate => "duplicate",
        }
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl FromCell for CloseReason {
    fn from_cell(cell: &Value) -> Option<Self> {
        let text = String::from_cell(cell)?;
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

/// Matches of one rule on one entity at one node that belong together.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grouped {
    /// The rule's id.
    pub rule: String,
    /// The rule's title.
    pub title: String,
    /// How severe.
    pub level: AlertLevel,
    /// Where the events belong.
    pub node: NodeId,
    /// What kind of thing it is about.
    pub entity_kind: EntityKind,
    /// Which one.
    pub entity: String,
    /// How many events matched.
    pub count: u64,
    /// When the first of them was.
    pub first_seen: Timestamp,
    /// When the last of them was.
    pub last_seen: Timestamp,
    /// The events, or some of them. The record of the act names them only: what they say is customer content,
    /// and stands in the alert.
    #[serde(serialize_with = "names")]
    pub events: Vec<AlertEvent>,
}

fn names<S: Serializer>(events: &[AlertEvent], out: S) -> Result<S::Ok, S::Error> {
    out.collect_seq(events.iter().map(|event| &event.id))
}

impl Grouped {
    /// Within the limits of what is kept.
    pub(crate) fn limited(self) -> Self {
        Self {
            rule: clipped(&self.rule, RULE),
            title: clipped(&self.title, TITLE),
            entity: indexed(&clipped(&self.entity, ENTITY)),
            events: first_and_last(self.events.into_iter().map(AlertEvent::limited).collect()),
            ..self
        }
    }
}

/// An event of an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlertEvent {
    /// Its id in the lake.
    pub id: String,
    /// When it was.
    #[schema(value_type = String, format = DateTime)]
    pub time: Timestamp,
    /// Where it came from.
    pub source: String,
    /// Why it matched.
    pub why: Vec<MatchedField>,
    /// How it begins, as it came in.
    pub raw: String,
}

impl AlertEvent {
    fn limited(self) -> Self {
        Self {
            id: clipped(&self.id, RULE),
            time: self.time,
            source: clipped(&self.source, ENTITY),
            why: self.why.into_iter().take(WHY).map(MatchedField::limited).collect(),
            raw: clipped(&self.raw, RAW),
        }
    }
}

/// A field that made a rule match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MatchedField {
    /// Its name.
    pub field: String,
    /// What the event says.
    pub value: String,
    /// What the rule asks.
    pub test: String,
}

impl MatchedField {
    fn limited(self) -> Self {
        Self {
            field: clipped(&self.field, RULE),
            value: clipped(&self.value, VALUE),
            test: clipped(&self.test, VALUE),
        }
    }
}

/// The beginning of a text. Not every database takes a NUL in one.
fn clipped(text: &str, limit: usize) -> String {
    text.chars().take(limit).map(|char| if char == '\0' { '\u{fffd}' } else { char }).collect()
}

/// The beginning of an entity that fits into an index.
fn indexed(entity: &str) -> String {
    let mut bytes = 0;
    let fits = |char: &char| {
        bytes += char.len_utf8();
        bytes <= ENTITY_BYTES
    };
    entity.chars().take_while(fits).collect()
}

/// The first and the last events by time. What lies between them is counted and not kept. Doing it again with
/// more events answers as if all had come at once.
pub(crate) fn first_and_last(mut events: Vec<AlertEvent>) -> Vec<AlertEvent> {
    events.sort_by_key(|event| event.time);
    if events.len() > 2 * KEPT {
        let end = events.len() - KEPT;
        events.drain(KEPT..end);
    }
    events
}

/// An alert in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Alert {
    /// Its id.
    pub id: AlertId,
    /// Where it hangs.
    pub node: NodeId,
    /// The node's path.
    pub path: String,
    /// The rule that matched.
    pub rule: String,
    /// The rule's title.
    pub title: String,
    /// How severe: `informational`, `low`, `medium`, `high`, `critical`.
    #[schema(value_type = String)]
    pub level: AlertLevel,
    /// What kind of thing it is about: `host`, `user`, `ip`, `source`, `review`.
    #[schema(value_type = String)]
    pub entity_kind: EntityKind,
    /// Which one.
    pub entity: String,
    /// How many events matched.
    pub count: i64,
    /// When the first of them was.
    #[schema(value_type = String, format = DateTime)]
    pub first_seen: Timestamp,
    /// When the last of them was.
    #[schema(value_type = String, format = DateTime)]
    pub last_seen: Timestamp,
    /// Where it stands.
    pub state: AlertState,
    /// Who looks after it.
    pub assignee: Option<ActorId>,
    /// The name of who looks after it.
    pub assignee_name: Option<String>,
    /// What it turned out to be, where it is closed.
    pub reason: Option<CloseReason>,
    /// What whoever closed it wrote.
    pub note: Option<String>,
    /// Counts the changes.
    pub revision: i64,
    /// The number of its last change. Changes of all alerts of a tenant are numbered together, in their order; 0 where
    /// the last one was made by a version that did not number them.
    pub change: i64,
}

/// An alert with its events.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertDetail {
    /// The alert.
    #[serde(flatten)]
    pub alert: Alert,
    /// Its first and last events, at most ten of each, oldest first.
    pub events: Vec<AlertEvent>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(second: i64) -> AlertEvent {
        AlertEvent {
            id: format!("event{second}"),
            time: Timestamp::from_second(second).unwrap(),
            source: "web".into(),
            why: Vec::new(),
            raw: "x".into(),
        }
    }

    #[test]
    fn keeping_in_parts_keeps_the_same_as_keeping_at_once() {
        let all: Vec<_> = (0..100).rev().map(event).collect();
        let at_once = first_and_last(all.clone());
        let in_parts =
            all.chunks(7).fold(Vec::new(), |kept, part| first_and_last([kept.as_slice(), part].concat()));
        assert_eq!(at_once, in_parts);
        let seconds: Vec<_> = at_once.iter().map(|event| event.time.as_second()).collect();
        assert_eq!(seconds, (0..10).chain(90..100).collect::<Vec<_>>());
    }

    #[test]
    fn what_strangers_wrote_is_cut() {
        assert_eq!(clipped("ä\0b", 2), "ä\u{fffd}");
        assert_eq!(indexed(&"\u{1f989}".repeat(ENTITY)).len(), ENTITY_BYTES);
        assert_eq!(indexed(&"ä".repeat(ENTITY)).chars().count(), ENTITY);
        let long = AlertEvent { raw: "x".repeat(10_000), ..event(1) };
        assert_eq!(long.limited().raw.len(), RAW);
    }

    #[test]
    fn the_record_names_events_and_does_not_quote_them() {
        let group = Grouped {
            rule: "r".into(),
            title: "t".into(),
            level: AlertLevel::High,
            node: "node_7ZZZZZZZZZZZZZZZZZZZZZZZZZ".parse().unwrap(),
            entity_kind: EntityKind::Host,
            entity: "web1".into(),
            count: 1,
            first_seen: Timestamp::UNIX_EPOCH,
            last_seen: Timestamp::UNIX_EPOCH,
            events: vec![AlertEvent { raw: "secret".into(), ..event(1) }],
        };
        let told = serde_json::to_value(&group).unwrap();
        assert_eq!(told["events"], serde_json::json!(["event1"]));
    }
}
