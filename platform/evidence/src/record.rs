//! A record, as far as the report tells of it: the envelope v1.

use serde::Deserialize;
use serde_json::value::RawValue;

/// Fields that are not known are no reason to refuse a record: its bytes are what counts.
#[derive(Debug, Deserialize)]
pub(crate) struct Record<'r> {
    pub(crate) seq: u64,
    pub(crate) received: String,
    pub(crate) node: String,
    pub(crate) tag: String,
    pub(crate) actor: Actor,
    pub(crate) source: Source,
    pub(crate) operation: String,
    pub(crate) method: String,
    pub(crate) object: Object,
    /// As it stands there, so that nothing depends on how a program orders names.
    #[serde(borrow)]
    pub(crate) content: &'r RawValue,
    pub(crate) result: String,
    pub(crate) reason: String,
    pub(crate) session: String,
    pub(crate) request: String,
    pub(crate) approvals: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Actor {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) groups: Vec<String>,
    pub(crate) kind: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Source {
    pub(crate) ip: String,
    pub(crate) port: u16,
    pub(crate) sender: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Object {
    pub(crate) kind: String,
    pub(crate) id: String,
    pub(crate) component: String,
}
