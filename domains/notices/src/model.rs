//! The words and numbers of notices.

use std::fmt;

use garrison_base::{AlertId, DeliveryId, NodeId, Timestamp};
use garrison_facts::{AlertLevel, EntityKind};
use garrison_kernel::{FromCell, Value};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How often a delivery is tried before it is given up: over some two and a half hours.
pub(crate) const ATTEMPTS: i64 = 12;
/// How many notices one act queues for one target, the most severe first: whoever floods the logs must not flood
/// people too. What is left out stands in the list of alerts.
pub(crate) const FLOOD: usize = 100;
/// How many deliveries of one target are looked at in one go.
pub(crate) const BATCH: i64 = 100;

/// What an error may say, in characters.
pub(crate) const ERROR: usize = 300;

const FIRST_PAUSE: i64 = 5;
const LONGEST_PAUSE: i64 = 3_600;

/// How long to wait after so many failed attempts: 5 s, 10 s, 20 s, up to an hour, of which a random half is taken
/// off, so that those who failed together do not come back together.
pub(crate) fn pause(failed: i64, random: u32) -> SignedDuration {
    let doublings = u32::try_from(failed.clamp(1, 20) - 1).unwrap_or_default();
    let whole = FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE) * 1_000;
    let off = i64::from(random) * (whole / 2) / i64::from(u32::MAX);
    SignedDuration::from_millis(whole - off)
}

/// How a notice travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// A signed HTTP request to another program.
    Webhook,
    /// A mail to people.
    Mail,
}

impl Channel {
    const ALL: [Self; 2] = [Self::Webhook, Self::Mail];

    fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Mail => "mail",
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl FromCell for Channel {
    fn from_cell(cell: &Value) -> Option<Self> {
        let text = String::from_cell(cell)?;
        Self::ALL.into_iter().find(|channel| channel.as_str() == text)
    }
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryState {
    /// It is tried until it arrives or is given up.
    Waiting,
    /// The other side took it.
    Sent,
    /// It was given up.
    Failed,
}

impl DeliveryState {
    const ALL: [Self; 3] = [Self::Waiting, Self::Sent, Self::Failed];

    fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for DeliveryState {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl FromCell for DeliveryState {
    fn from_cell(cell: &Value) -> Option<Self> {
        let text = String::from_cell(cell)?;
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// A target of the configuration, without its address and its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// How notices reach it.
    pub channel: Channel,
    /// Its name in the configuration.
    pub name: String,
    /// It is told of nothing less severe.
    pub min_level: AlertLevel,
    /// It is told only of what is at this node and below: a path, or an id.
    pub node: Option<String>,
}

/// What a notice says. Its JSON is the body of a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Notice {
    /// What happened: `alert.raised`.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// When it was queued.
    pub(crate) timestamp: Timestamp,
    pub(crate) data: NoticeData,
}

/// The alert, as it is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NoticeData {
    pub(crate) alert: AlertId,
    pub(crate) rule: String,
    pub(crate) title: String,
    pub(crate) level: AlertLevel,
    pub(crate) node: NodeId,
    pub(crate) path: String,
    pub(crate) entity_kind: EntityKind,
    pub(crate) entity: String,
    pub(crate) first_seen: Timestamp,
}

/// A delivery, as people see it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Delivery {
    /// Its id; also the id that a webhook's receiver sees.
    pub id: DeliveryId,
    /// The alert's node.
    pub node: NodeId,
    /// The alert that is told of.
    pub alert: AlertId,
    /// How it travels.
    pub channel: Channel,
    /// The name of its target in the configuration.
    pub target: String,
    /// The alert's level: `informational`, `low`, `medium`, `high`, `critical`.
    #[schema(value_type = String)]
    pub level: AlertLevel,
    /// What became of it.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: i64,
    /// When it is tried next, where it waits.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next: Option<Timestamp>,
    /// Why the last attempt failed, if it did.
    pub last_error: Option<String>,
    /// When it was queued.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    /// When the other side took it.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub sent: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_an_hour_and_are_never_less_than_half() {
        for (failed, seconds) in [(1, 5), (2, 10), (3, 20), (10, 2_560), (11, 3_600), (1_000, 3_600)] {
            assert_eq!(pause(failed, 0), SignedDuration::from_secs(seconds), "{failed}");
            let least = pause(failed, u32::MAX).as_millis();
            assert_eq!(least, i128::from(seconds) * 500, "{failed}");
        }
        let all: SignedDuration = (1..ATTEMPTS).map(|failed| pause(failed, 0)).sum();
        assert!(all > SignedDuration::from_hours(2) && all < SignedDuration::from_hours(3), "{all}");
    }
}
