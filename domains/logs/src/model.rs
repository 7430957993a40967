//! The words of the logs.

use std::fmt;
use std::str::FromStr;

use garrison_base::{Day, HoldId, NodeId, SearchId, SourceId, Timestamp};
use garrison_kernel::{FromCell, Value};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The name of a source or a stream: what stands in addresses, index names and file paths.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, pattern = "^[a-z0-9][a-z0-9._-]{0,62}$")]
pub struct Name(String);

impl Name {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
        let first = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
        if first && text.len() <= 63 && text.bytes().all(fits) && !text.contains("..") {
            Ok(Self(text))
        } else {
            Err("a name has 1 to 63 of a-z, 0-9, `.`, `_`, `-`, and begins with a letter or a digit"
                .to_owned())
        }
    }
}

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.to_owned().try_into()
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl FromCell for Name {
    fn from_cell(cell: &Value) -> Option<Self> {
        String::from_cell(cell)?.try_into().ok()
    }
}

/// The stream of a source that names none.
pub const STREAM: &str = "logs";

/// A source of logs.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Source {
    /// Its id.
    pub id: SourceId,
    /// Its name.
    pub name: Name,
    /// Its node.
    pub node: NodeId,
    /// The node's path.
    pub path: String,
    /// The stream that its events go to.
    pub stream: Name,
    /// What it is.
    pub purpose: String,
    /// Events that it may bring in a second; absent where that is not limited.
    pub rate_limit: Option<i64>,
    /// After so many minutes without an event it counts as silent; absent where it may be silent.
    pub silence_minutes: Option<i64>,
    /// `active` or `disabled`.
    pub state: String,
    /// Events, all in all.
    pub events: i64,
    /// Their bytes.
    pub bytes: i64,
    /// When the last one came.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_seen: Option<Timestamp>,
    /// Events a second, over the last minute.
    pub rate: f64,
    /// By how many milliseconds its latest event came after the time that it claims; below zero where its clock is ahead,
    /// absent where none claims a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lag_ms: Option<i64>,
    /// Events that limits refused since the server started.
    pub refused: u64,
    /// What was heard from it since the server started.
    pub now: Heard,
}

/// What was heard from a source since the server started.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct Heard {
    /// Events a second, lately.
    pub rate: f64,
    /// Events and connections that limits refused, by reason.
    pub refused: std::collections::BTreeMap<String, u64>,
    /// By how many seconds its clock is off, as its latest event claims; absent where none claims a time.
    pub skew_seconds: Option<f64>,
    /// It should have said something by now.
    pub silent: bool,
}

/// A search that somebody saved.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SavedSearch {
    /// Its id.
    pub id: SearchId,
    /// Its name.
    pub name: Name,
    /// What it asks.
    pub query: String,
    /// Who saved it.
    pub owner: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
}

/// For how long a stream is kept.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Retention {
    /// The stream.
    pub stream: Name,
    /// Days.
    pub days: i64,
    /// Since when; absent where nothing was set.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub since: Option<Timestamp>,
}

/// What is kept whatever its age.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Hold {
    /// Its id.
    pub id: HoldId,
    /// The stream; absent for all.
    pub stream: Option<Name>,
    /// The first day; absent where it reaches back to the beginning.
    pub from_day: Option<Day>,
    /// The last day; absent where it has no end.
    pub to_day: Option<Day>,
    /// Why.
    pub reason: String,
    /// Who made it.
    pub creator: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    /// When it was ended; absent while it holds.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended: Option<Timestamp>,
    /// Why it was ended.
    pub end_reason: Option<String>,
}

/// How much of a day of a source is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Coverage {
    /// All that the source sent, as far as the server can tell.
    Whole,
    /// Something is missing, or may be.
    Partial,
    /// Nothing came on a day on which the source was active.
    Missing,
    /// The source was disabled all day.
    Disabled,
    /// The day is not over, or its last events are on their way.
    Open,
}

/// A source on a day of UTC.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CoveredDay {
    /// The source.
    pub source: SourceId,
    /// Its name.
    pub name: Name,
    /// The path of its node.
    pub path: String,
    /// The day.
    pub day: Day,
    /// How much of it is there.
    pub state: Coverage,
    /// Why it is not whole.
    pub why: Vec<String>,
    /// Events that were received.
    pub events: i64,
    /// When the first one was.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub first: Option<Timestamp>,
    /// When the last one was.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last: Option<Timestamp>,
}
