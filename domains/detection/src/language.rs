//! The filter language of logs, asked of alerts.

use garrison_base::Timestamp;
use garrison_facts::{AlertLevel, EntityKind};
use garrison_kernel::{ActorId, KernelError, ReadTx};
use garrison_search::{Finder, Op, Query, Ready, Test};

use crate::model::{Alert, AlertState};

/// A query that is ready to be asked of many alerts.
#[derive(Debug)]
pub(crate) enum Wanted {
    All,
    Every(Vec<Wanted>),
    Any(Vec<Wanted>),
    Not(Box<Wanted>),
    Text(Finder),
    Field(Field, Ready),
    Level(Op, AlertLevel),
    Time(Moment, Op, Timestamp),
    State(AlertState),
    Unassigned,
    Mine(ActorId),
}

/// The fields of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Title,
    Rule,
    Level,
    State,
    Entity,
    EntityKind,
    /// The entity, where it is of this kind.
    Of(EntityKind),
    Node,
    Assignee,
    Count,
    Moment(Moment),
    Reason,
}

/// The times of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    FirstSeen,
    LastSeen,
}

const FIELDS: [(&str, Field); 15] = [
    ("title", Field::Title),
    ("rule", Field::Rule),
    ("level", Field::Level),
    ("state", Field::State),
    ("entity", Field::Entity),
    ("entity_kind", Field::EntityKind),
    ("host", Field::Of(EntityKind::Host)),
    ("user", Field::Of(EntityKind::User)),
    ("ip", Field::Of(EntityKind::Ip)),
    ("node", Field::Node),
    ("assignee", Field::Assignee),
    ("count", Field::Count),
    ("first_seen", Field::Moment(Moment::FirstSeen)),
    ("last_seen", Field::Moment(Moment::LastSeen)),
    ("reason", Field::Reason),
];
/// What stands behind `is:`.
const IS: &str = "open, acknowledged, closed, unassigned, mine";

impl Wanted {
    /// Reads a query. The error tells what is wrong, and where.
    pub(crate) fn parse(text: &str, tx: &ReadTx<'_>) -> Result<Self, KernelError> {
        Self::read(text, (tx.actor(), tx.now())).map_err(KernelError::Invalid)
    }

    fn read(text: &str, (me, now): (ActorId, Timestamp)) -> Result<Self, String> {
        let query =
            garrison_search::parse(text).map_err(|error| format!("{error}\n{}", error.pointed(text)))?;
        Self::of(&query, (me, now))
    }

    /// Nested no deeper than the parser lets a query be.
    fn of(query: &Query, asker: (ActorId, Timestamp)) -> Result<Self, String> {
        let all = |parts: &[Query]| {
            parts.iter().map(|part| Self::of(part, asker)).collect::<Result<Vec<_>, String>>()
        };
        Ok(match query {
            Query::All => Self::All,
            Query::And(parts) => Self::Every(all(parts)?),
            Query::Or(parts) => Self::Any(all(parts)?),
            Query::Not(inner) => Self::Not(Box::new(Self::of(inner, asker)?)),
            Query::Text(pattern) => Self::Text(Finder::new(pattern.clone())),
            Query::Field { name, test } if name.eq_ignore_ascii_case("is") => Self::is(test, asker.0)?,
            Query::Field { name, test } => Self::field(name, test, asker.1)?,
        })
    }

    fn is(test: &Test, me: ActorId) -> Result<Self, String> {
        let word = if let Test::Is(pattern) = test { pattern.literal() } else { None };
        let word = word.map(|word| word.to_ascii_lowercase()).unwrap_or_default();
        match word.as_str() {
            "unassigned" => Ok(Self::Unassigned),
            "mine" => Ok(Self::Mine(me)),
            word => {
                let state = AlertState::ALL.into_iter().find(|state| state.as_str() == word);
                state.map(Self::State).ok_or_else(|| format!("an alert is one of {IS}: write `is:open`"))
            }
        }
    }

    fn field(name: &str, test: &Test, now: Timestamp) -> Result<Self, String> {
        let wanted = name.to_ascii_lowercase();
        let Some((_, field)) = FIELDS.iter().find(|(known, _)| *known == wanted) else {
            let known = FIELDS.map(|(known, _)| known);
            return Err(format!("an alert has no field `{name}`; it has is, {}", known.join(", ")));
        };
        match (field, test) {
            // Severity has an order that its words do not have.
            (Field::Level, Test::Compare(op, word)) => {
                let is = |level: &AlertLevel| level.as_str().eq_ignore_ascii_case(word);
                let level = AlertLevel::ALL.into_iter().find(is);
                let known = AlertLevel::ALL.map(AlertLevel::as_str).join(", ");
                level
                    .map(|level| Self::Level(*op, level))
                    .ok_or_else(|| format!("`{word}` is no level: {known}"))
            }
            (Field::Moment(moment), Test::Compare(op, text)) => {
                Ok(Self::Time(*moment, *op, garrison_search::time(text, now)?))
            }
            (field, test) => {
                Ready::new(test).map(|ready| Self::Field(*field, ready)).map_err(|error| error.to_string())
            }
        }
    }

    /// Whether an alert is one of those that the query asks for.
    pub(crate) fn holds(&self, alert: &Alert) -> bool {
        match self {
            Self::All => true,
            Self::Every(parts) => parts.iter().all(|part| part.holds(alert)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(alert)),
            Self::Not(inner) => !inner.holds(alert),
            Self::Text(finder) => {
                [&alert.title, &alert.entity, &alert.rule].into_iter().any(|text| finder.matches(text))
            }
            Self::Field(field, ready) => field.of(alert).is_some_and(|value| ready.holds(&value)),
            Self::Level(op, level) => op.holds(alert.level.cmp(level)),
            Self::Time(moment, op, at) => op.holds(moment.of(alert).cmp(at)),
            Self::State(state) => alert.state == *state,
            Self::Unassigned => alert.assignee.is_none(),
            Self::Mine(me) => alert.assignee == Some(*me),
        }
    }
}

impl Moment {
    fn of(self, alert: &Alert) -> Timestamp {
        match self {
            Self::FirstSeen => alert.first_seen,
            Self::LastSeen => alert.last_seen,
        }
    }
}

impl Field {
    /// The alert's value; nothing where it has none.
    fn of(self, alert: &Alert) -> Option<String> {
        match self {
            Self::Title => Some(alert.title.clone()),
            Self::Rule => Some(alert.rule.clone()),
            Self::Level => Some(alert.level.to_string()),
            Self::State => Some(alert.state.to_string()),
            Self::Entity => Some(alert.entity.clone()),
            Self::EntityKind => Some(alert.entity_kind.to_string()),
            Self::Of(kind) => (alert.entity_kind == kind).then(|| alert.entity.clone()),
            Self::Node => Some(alert.path.clone()),
            Self::Assignee => alert.assignee_name.clone(),
            Self::Count => Some(alert.count.to_string()),
            Self::Moment(moment) => Some(moment.of(alert).to_string()),
            Self::Reason => alert.reason.map(|reason| reason.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CloseReason;

    const ME: &str = "per_7ZZZZZZZZZZZZZZZZZZZZZZZZZ";

    fn alert() -> Alert {
        Alert {
            id: "alr_7ZZZZZZZZZZZZZZZZZZZZZZZZZ".parse().unwrap(),
            node: "node_7ZZZZZZZZZZZZZZZZZZZZZZZZZ".parse().unwrap(),
            path: "acme/shop/web".into(),
            rule: "f88b7b85-23ae-4274-bf5c-50eb5d6e471b".into(),
            title: "Login to an account of a daemon".into(),
            level: AlertLevel::High,
            entity_kind: EntityKind::Ip,
            entity: "203.0.113.24".into(),
            count: 12,
            first_seen: "2026-11-22T09:00:00Z".parse().unwrap(),
            last_seen: "2026-11-22T09:50:00Z".parse().unwrap(),
            state: AlertState::Acknowledged,
            assignee: Some(ME.parse().unwrap()),
            assignee_name: Some("ann".into()),
            reason: Some(CloseReason::FalsePositive),
            note: None,
            revision: 3,
            change: 7,
        }
    }

    fn read(query: &str) -> Result<Wanted, String> {
        Wanted::read(query, (ME.parse().unwrap(), "2026-11-22T10:00:00Z".parse().unwrap()))
    }

    #[test]
    fn alerts_are_asked_in_the_language_of_logs() {
        for (query, expected) in [
            ("", true),
            ("daemon login", true),
            ("203.0.113.24", true),
            ("daem", false),
            ("f88b7b85*", true),
            ("rule:f88b*", true),
            ("level:high", true),
            ("level>=medium level<critical", true),
            ("level>high", false),
            ("state:(open or acknowledged)", true),
            ("is:acknowledged is:mine", true),
            ("is:open or is:closed or is:unassigned", false),
            ("not is:OPEN", true),
            ("ip:203.0.113.0/24", true),
            ("host:203.0.113.24", false),
            ("entity_kind:ip entity:203*", true),
            ("node:acme/shop*", true),
            ("node:acme/shop", false),
            ("assignee:ANN", true),
            ("count>=12 count<100", true),
            ("last_seen>now-15m", true),
            ("last_seen>5m", false),
            ("first_seen<2026-11-22T09:30:00Z", true),
            ("last_seen:2026-11-22*", true),
            ("reason:false_positive", true),
            ("title:/^Login/", true),
        ] {
            let wanted = read(query).unwrap_or_else(|error| panic!("{query}: {error}"));
            assert_eq!(wanted.holds(&alert()), expected, "{query}");
        }
    }

    #[test]
    fn what_would_find_nothing_for_a_reason_is_refused() {
        for (query, why) in [
            ("title:(login", "\n"),
            ("severity:high", "no field `severity`"),
            ("is:new", "`is:open`"),
            ("level>=bad", "no level"),
            ("last_seen>yesterday", "no time"),
            ("title:/(/", "regex"),
        ] {
            let refused = read(query).unwrap_err();
            assert!(refused.contains(why), "{query}: {refused}");
        }
    }

    #[test]
    fn what_is_absent_is_nothing() {
        let nobody = Alert { assignee: None, assignee_name: None, reason: None, ..alert() };
        for (query, expected) in [("assignee:*", false), ("reason:*", false), ("is:unassigned", true)] {
            assert_eq!(read(query).unwrap().holds(&nobody), expected, "{query}");
        }
    }
}
