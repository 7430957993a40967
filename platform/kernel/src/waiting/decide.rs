//! What people do with a request: fill a slot, say no, take it back, take what it has brought.

use garrison_base::{RequestId, Timestamp};
use serde_json::Value as Json;

use super::{Request, RequestState, decide, find, holds, principal, view};
use crate::db::{DbError, Value};
use crate::tally::APPROVAL;
use crate::{ActorId, Holder, KernelError, WriteTx};

impl WriteTx<'_> {
    /// The acting person fills a slot of a request: the named one, or the first that fits. `digest` is that of
    /// the act the person has seen. When it was the last slot, the act runs once this one is committed.
    pub async fn fill_slot(
        &mut self,
        id: RequestId,
        digest: &str,
        slot: Option<&str>,
        opinion: &str,
    ) -> Result<String, KernelError> {
        let inner = self.inner().clone();
        let request = self.open_request(id).await?;
        if request.digest != digest {
            return Err(KernelError::NotAnApprover("the digest is not that of the act that waits".into()));
        }
        let actor = self.actor().clone();
        let mine = principal(&inner, actor.id);
        if !matches!(actor.id, ActorId::Person(_)) || actor.limits.is_some() {
            return Err(KernelError::NotAnApprover(
                "only a person who is logged in can approve, not a token".into(),
            ));
        }
        if principal(&inner, request.requester) == mine || request.asked_by == mine {
            return Err(KernelError::NotAnApprover("nobody approves a request of their own".into()));
        }
        if request.approvals.iter().any(|approval| approval.principal == mine) {
            return Err(KernelError::NotAnApprover("you have filled a slot of this request already".into()));
        }
        let mut open = request.placed.iter().filter(|open| {
            slot.is_none_or(|name| name == open.name)
                && !request.approvals.iter().any(|filled| filled.slot == open.name)
        });
        let fits = open.find(|open| holds(&inner, actor.id, open, self.now()));
        let slot = fits
            .ok_or_else(|| KernelError::NotAnApprover("you hold no role that an open slot demands".into()))?;
        let mut cells = vec![
            Value::text(id),
            slot.name.as_str().into(),
            Value::text(actor.tenant),
            Value::text(actor.id),
            Value::text(mine),
            opinion.into(),
            self.now().into(),
        ];
        let mac = inner.keys.seal_own("approval", &cells);
        APPROVAL.count(self.raw(), &inner.keys, None, &mac).await?;
        cells.push(mac.into());
        let sql = "INSERT INTO approval (request_id, slot, tenant, actor, principal, opinion, given, mac)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        self.raw().run(sql, cells).await?;
        if request.approvals.len() + 1 == request.slots.len() {
            self.complete(id);
        }
        Ok(slot.name.clone())
    }

    /// An approver says no.
    pub async fn reject(&mut self, id: RequestId, reason: &str) -> Result<(), KernelError> {
        let request = self.open_request(id).await?;
        let inner = self.inner().clone();
        let actor = self.actor().id;
        let person = matches!(actor, ActorId::Person(_)) && self.actor().limits.is_none();
        let may = person && request.placed.iter().any(|slot| holds(&inner, actor, slot, self.now()));
        if !may || principal(&inner, request.requester) == principal(&inner, actor) {
            return Err(KernelError::NotAnApprover(
                "you hold no role that a slot of this request demands".into(),
            ));
        }
        let name = inner.index().known.get(&Holder::Actor(actor)).map(|known| known.name.clone());
        let why = format!("by {}: {reason}", name.unwrap_or_else(|| actor.to_string()));
        decide(&inner, self.raw(), id, ("rejected", &why, Vec::new())).await
    }

    /// The requester takes it back.
    pub async fn withdraw(&mut self, id: RequestId, reason: &str) -> Result<(), KernelError> {
        let request = self.open_request(id).await?;
        if request.requester != self.actor().id {
            return Err(KernelError::NotAnApprover("only the requester can take a request back".into()));
        }
        let inner = self.inner().clone();
        decide(&inner, self.raw(), id, ("withdrawn", reason, Vec::new())).await
    }

    /// Ends a request that nobody decided in time; does nothing where it is decided, or not yet due.
    pub async fn expire(&mut self, id: RequestId) -> Result<bool, KernelError> {
        let (inner, tenant, now) = (self.inner().clone(), self.tenant(), self.now());
        let row = find(&inner, self.raw(), tenant, id).await?;
        if row.get::<RequestState>(10)? != RequestState::Open || row.get::<Timestamp>(13)? > now {
            return Ok(false);
        }
        decide(&inner, self.raw(), id, ("expired", "nobody decided in time", Vec::new())).await?;
        Ok(true)
    }

    /// Takes the output of the requester's own request; it is there once.
    pub async fn take_output(&mut self, id: RequestId) -> Result<Json, KernelError> {
        let (inner, tenant) = (self.inner().clone(), self.tenant());
        let row = find(&inner, self.raw(), tenant, id).await?;
        let sealed: Vec<u8> = row.get(14)?;
        if row.get::<ActorId>(8)? != self.actor().id || sealed.is_empty() {
            return Err(KernelError::NotFound);
        }
        let output = inner.keys.outputs.open(&format!("output/{id}"), &sealed);
        let output = output.map_err(|_| {
            KernelError::Database(DbError::Tampered { table: "waiting", row: id.to_string() })
        })?;
        decide(&inner, self.raw(), id, ("done", "approved and performed; the output was taken", Vec::new()))
            .await?;
        serde_json::from_slice(&output).map_err(KernelError::Stored)
    }

    /// The request, if it can still be decided.
    async fn open_request(&mut self, id: RequestId) -> Result<Request, KernelError> {
        let (inner, tenant) = (self.inner().clone(), self.tenant());
        let request = view(&inner, self.raw(), tenant, id).await?;
        if request.state != RequestState::Open {
            return Err(KernelError::Decided(request.state.as_str().to_owned()));
        }
        if request.deadline <= self.now() {
            return Err(KernelError::Decided("expired".to_owned()));
        }
        Ok(request)
    }
}
