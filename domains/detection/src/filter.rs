//! Which alerts are asked for.

use garrison_base::{NodeId, Timestamp};
use garrison_facts::{AlertLevel, EntityKind};
use garrison_kernel::{ActorId, KernelError, ReadTx, Value};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::language::Wanted;
use crate::model::{Alert, AlertState};

/// What lists and summaries of alerts are narrowed by.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct AlertFilter {
    /// Only those in one of these states, separated by commas: `open`, `acknowledged`, `closed`.
    pub state: Option<String>,
    /// Only those that are at least so severe: `informational`, `low`, `medium`, `high`, `critical`.
    #[param(value_type = Option<String>)]
    pub level: Option<AlertLevel>,
    /// Only those of these levels, separated by commas.
    pub levels: Option<String>,
    /// Only those of this rule.
    pub rule: Option<String>,
    /// Only those about this host, user, address or source.
    pub entity: Option<String>,
    /// Only those about this kind of thing: `host`, `user`, `ip`, `source`, `review`.
    #[param(value_type = Option<String>)]
    pub entity_kind: Option<EntityKind>,
    /// Only those at this node and below.
    #[param(value_type = Option<String>)]
    pub node: Option<NodeId>,
    /// Only those that this actor looks after: an id, `me` or `nobody`.
    pub assignee: Option<String>,
    /// Only those with this text in title or entity, in any case.
    pub text: Option<String>,
    /// Only those last seen from this time on, or so long ago: `2026-11-22T10:00:00Z`, `24h`.
    pub from: Option<String>,
    /// Only those last seen before this time.
    pub to: Option<String>,
    /// Only those that this query finds, in the language of log search over the fields of alerts.
    pub query: Option<String>,
}

/// A filter that is ready to be asked.
#[derive(Debug)]
pub(crate) struct Narrowed {
    /// The first `last_seen` that fits, in microseconds since 1970; nothing where none was asked for.
    pub(crate) from: Option<i64>,
    /// The first one that does not fit any more.
    pub(crate) to: Option<i64>,
    states: Vec<AlertState>,
    levels: Vec<AlertLevel>,
    rule: Option<String>,
    entity: Option<String>,
    kind: Option<EntityKind>,
    node: Option<NodeId>,
    assignee: Option<ActorId>,
    unassigned: bool,
    text: Option<String>,
    wanted: Option<Wanted>,
}

impl AlertFilter {
    /// Reads what was asked; the error tells what makes no sense.
    pub(crate) fn narrow(&self, tx: &ReadTx<'_>) -> Result<Narrowed, KernelError> {
        let at = |text: &Option<String>| {
            let at = text.as_deref().map(|text| garrison_search::time(text, tx.now())).transpose();
            at.map(|at| at.map(Timestamp::as_microsecond)).map_err(KernelError::Invalid)
        };
        let least = self.level.unwrap_or(AlertLevel::Informational);
        let (assignee, unassigned) = match self.assignee.as_deref() {
            None => (None, false),
            Some("nobody") => (None, true),
            Some("me") => (Some(tx.actor()), false),
            Some(id) => (Some(actor(id)?), false),
        };
        let query = self.query.as_deref().filter(|query| !query.trim().is_empty());
        Ok(Narrowed {
            from: at(&self.from)?,
            to: at(&self.to)?,
            states: among("state", self.state.as_deref(), &AlertState::ALL)?,
            levels: among("levels", self.levels.as_deref(), &AlertLevel::ALL)?
                .into_iter()
                .filter(|level| *level >= least)
                .collect(),
            rule: self.rule.clone(),
            entity: self.entity.clone(),
            kind: self.entity_kind,
            node: self.node,
            assignee,
            unassigned,
            text: self.text.as_deref().filter(|text| !text.is_empty()).map(str::to_lowercase),
            wanted: query.map(|query| Wanted::parse(query, tx)).transpose()?,
        })
    }
}

fn actor(id: &str) -> Result<ActorId, KernelError> {
    id.parse().map_err(|_| KernelError::Invalid(format!("assignee: `{id}` is no actor, `me` or `nobody`")))
}

/// Those of all that a list names, each once; all where it names none.
fn among<T: Copy + PartialEq + ToString>(
    name: &str,
    listed: Option<&str>,
    all: &[T],
) -> Result<Vec<T>, KernelError> {
    let words = listed.unwrap_or_default().split(',').map(str::trim).filter(|word| !word.is_empty());
    let named = words.map(|word| {
        all.iter().find(|one| one.to_string() == word).copied().ok_or_else(|| {
            let known: Vec<String> = all.iter().map(ToString::to_string).collect();
            KernelError::Invalid(format!("{name}: `{word}` is none of {}", known.join(", ")))
        })
    });
    let named = named.collect::<Result<Vec<T>, _>>()?;
    Ok(all.iter().copied().filter(|one| named.is_empty() || named.contains(one)).collect())
}

impl Narrowed {
    /// Whether rows must be looked at one by one, because the database does not know all that is asked.
    pub(crate) fn needs_rows(&self) -> bool {
        self.text.is_some() || self.wanted.is_some()
    }

    /// Whether an alert that the database found fits.
    pub(crate) fn fits(&self, alert: &Alert) -> bool {
        let has = |text: &String| {
            alert.title.to_lowercase().contains(text) || alert.entity.to_lowercase().contains(text)
        };
        self.text.as_ref().is_none_or(has) && self.wanted.as_ref().is_none_or(|wanted| wanted.holds(alert))
    }

    /// The parameters `$2` to `$17` of the statements that are narrowed. `before` is a further end of the time.
    pub(crate) fn args(&self, before: Option<i64>) -> Vec<Value> {
        let to = self.to.unwrap_or(i64::MAX).min(before.unwrap_or(i64::MAX));
        let mut args: Vec<Value> = vec![self.from.unwrap_or(i64::MIN).into(), to.into()];
        args.extend(padded(self.states.iter().map(Value::text), AlertState::ALL.len(), &Value::from("")));
        let levels = self.levels.iter().map(|level| level.number().into());
        args.extend(padded(levels, AlertLevel::ALL.len(), &Value::from(-1_i64)));
        args.extend([
            Value::maybe(self.rule.as_ref()),
            Value::maybe(self.entity.as_ref()),
            Value::maybe(self.kind),
            Value::maybe(self.assignee),
            i64::from(self.unassigned).into(),
            Value::maybe(self.node),
        ]);
        args
    }
}

/// So many values as there are places in the statement; what is left over is a value that no row has.
fn padded(values: impl Iterator<Item = Value>, places: usize, nothing: &Value) -> Vec<Value> {
    values.chain(std::iter::repeat(nothing.clone())).take(places).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_name_what_there_is() {
        let named = |text| among("state", text, &AlertState::ALL);
        assert_eq!(named(None).unwrap(), AlertState::ALL);
        assert_eq!(named(Some(" , ")).unwrap(), AlertState::ALL);
        assert_eq!(named(Some("closed, open,open,open")).unwrap(), [AlertState::Open, AlertState::Closed]);
        let refused = named(Some("open,shut")).unwrap_err().to_string();
        assert_eq!(refused, "state: `shut` is none of open, acknowledged, closed");
    }

    #[test]
    fn every_place_of_a_list_is_filled() {
        let two = vec![Value::from("a"), Value::from("b")];
        let three = vec![Value::from("a"), Value::from("b"), Value::from("")];
        assert_eq!(padded(two.into_iter(), 3, &Value::from("")), three);
    }
}
