use std::sync::Arc;

use garrison_base::{RequestId, Timestamp};
use serde_json::Value as Json;

use super::{Approval, PlacedSlot, RequestState, approvals, decide, find, holds, preview, principal};
use crate::act::ErasedAct;
use crate::authz::Index;
use crate::db::{Tx, Value};
use crate::kernel::Inner;
use crate::{Actor, ActorId, Holder, KernelError, Preview};

/// An act whose slots are filled, about to run.
#[derive(Clone)]
pub(crate) struct Approved {
    pub(super) id: RequestId,
    pub(super) slots: Vec<PlacedSlot>,
    pub(super) approvals: Vec<Approval>,
}

impl Approved {
    /// For the record: the request, and who approved.
    pub(crate) fn names(&self) -> Vec<String> {
        let each = self.approvals.iter().map(|approval| format!("{}: {}", approval.slot, approval.actor));
        std::iter::once(self.id.to_string()).chain(each).collect()
    }

    /// Whether everything that was approved is as it was: open, whole, unchanged, never run.
    pub(crate) async fn still_holds(
        &self,
        inner: &Arc<Inner>,
        tx: &mut Tx<'static>,
        actor: &Actor,
        act: &Arc<dyn ErasedAct>,
    ) -> Result<Result<(), String>, KernelError> {
        let tenant = actor.tenant;
        let row = find(inner, tx, tenant, self.id).await?;
        if row.get::<RequestState>(10)? != RequestState::Open || inner.seen().decided.contains(&self.id) {
            return Ok(Err("it was decided already".into()));
        }
        if row.get::<Timestamp>(13)? <= inner.clock.now() {
            return Ok(Err("its deadline has passed".into()));
        }
        // The row could be an older one that was put back; the record tells whether it has run.
        let ran = "SELECT seq FROM audit WHERE tenant = $1 AND request = $2 AND result = 'success'";
        if tx.row(ran, vec![Value::text(tenant), Value::text(self.id)]).await?.is_some() {
            return Ok(Err("it has run already".into()));
        }
        let requester: ActorId = row.get(8)?;
        let filled = approvals(inner, tx, self.id).await?;
        if let Some(why) = self.lacking(inner, requester, &filled) {
            return Ok(Err(why));
        }
        let seen: Preview = serde_json::from_slice(&row.get::<Vec<u8>>(6)?).map_err(KernelError::Stored)?;
        Ok(match preview(inner, tx, actor, act).await? {
            Ok(now) if now == seen => Ok(()),
            Ok(_) => Err("what it rests on has changed since it was asked".into()),
            Err(problem) => Err(problem.to_string()),
        })
    }

    /// What is wrong with the approvals as they are now, if anything.
    fn lacking(&self, inner: &Inner, requester: ActorId, filled: &[Approval]) -> Option<String> {
        let mut persons = vec![principal(inner, requester)];
        for slot in &self.slots {
            let Some(approval) = filled.iter().find(|approval| approval.slot == slot.name) else {
                return Some(format!("slot {} is open", slot.name));
            };
            let person = principal(inner, approval.actor);
            if persons.contains(&person) || person != approval.principal {
                return Some(format!("slot {} is not filled by a person of its own", slot.name));
            }
            let known = |index: &Index| {
                index.known.get(&Holder::Actor(approval.actor)).is_some_and(|known| known.active)
            };
            let active = known(&inner.index());
            let holds = holds(inner, approval.actor, slot, inner.clock.now());
            if !active || !holds {
                return Some(format!(
                    "{} no longer holds the role {} that slot {} demands",
                    approval.name, slot.role, slot.name
                ));
            }
            persons.push(person);
        }
        None
    }

    /// It ran: its output waits, sealed, for the requester.
    pub(crate) async fn done(
        &self,
        inner: &Inner,
        tx: &mut Tx<'static>,
        output: &Json,
    ) -> Result<(), KernelError> {
        let output = serde_json::to_vec(output).map_err(KernelError::Stored)?;
        let sealed = inner.keys.outputs.seal(&format!("output/{}", self.id), &output, &*inner.entropy);
        decide(inner, tx, self.id, ("done", "approved and performed", sealed)).await
    }

    /// It did not run. What was decided meanwhile stays as it was decided.
    pub(crate) async fn close(
        &self,
        inner: &Inner,
        tx: &mut Tx<'static>,
        state: &str,
        why: &str,
    ) -> Result<(), KernelError> {
        let now =
            tx.row("SELECT state FROM waiting WHERE request_id = $1", vec![Value::text(self.id)]).await?;
        if now.map(|row| row.get(0)).transpose()? != Some(RequestState::Open) {
            return Ok(());
        }
        decide(inner, tx, self.id, (state, why, Vec::new())).await
    }
}
