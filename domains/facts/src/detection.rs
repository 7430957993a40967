use std::fmt;

use garrison_base::{AlertId, NodeId, Timestamp};
use garrison_kernel::{Fact, FromCell, Value};
use serde::{Deserialize, Serialize};

/// How severe a match is, in Sigma's words. Stored as a number, so that "at least" is a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertLevel {
    /// For information; 0.
    Informational,
    /// 1.
    Low,
    /// 2.
    Medium,
    /// 3.
    High,
    /// 4.
    Critical,
}

impl AlertLevel {
    /// All of them, the least severe first.
    pub const ALL: [Self; 5] = [Self::Informational, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// 0 to 4.
    pub fn number(self) -> i64 {
        match self {
            Self::Informational => 0,
            Self::Low => 1,
            Self::Medium => 2,
            Self::High => 3,
            Self::Critical => 4,
        }
    }

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for AlertLevel {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl FromCell for AlertLevel {
    fn from_cell(cell: &Value) -> Option<Self> {
        let number = i64::from_cell(cell)?;
        Self::ALL.into_iter().find(|level| level.number() == number)
    }
}

/// What kind of thing an alert is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntityKind {
    /// A host, by its name.
    Host,
    /// A user, by the name that the events give.
    User,
    /// An address.
    Ip,
    /// Where the events came from, if they name nothing better.
    Source,
    /// A review of the record, by its id.
    Review,
}

impl EntityKind {
    const ALL: [Self; 5] = [Self::Host, Self::User, Self::Ip, Self::Source, Self::Review];

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::User => "user",
            Self::Ip => "ip",
            Self::Source => "source",
            Self::Review => "review",
        }
    }
}

impl fmt::Display for EntityKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl FromCell for EntityKind {
    fn from_cell(cell: &Value) -> Option<Self> {
        let text = String::from_cell(cell)?;
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// New alerts were raised. Alerts that were continued are not told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertsRaised {
    /// Each of them; at least one.
    pub alerts: Vec<RaisedAlert>,
}

/// A new alert, as those who follow need it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RaisedAlert {
    /// Its id.
    pub alert: AlertId,
    /// The rule that matched.
    pub rule: String,
    /// The rule's title.
    pub title: String,
    /// How severe.
    pub level: AlertLevel,
    /// Where it hangs.
    pub node: NodeId,
    /// What kind of thing it is about.
    pub entity_kind: EntityKind,
    /// Which one.
    pub entity: String,
    /// When the first event was.
    pub first_seen: Timestamp,
}

impl Fact for AlertsRaised {
    const KIND: &'static str = "alerts-raised";
}
