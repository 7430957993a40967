//! Who exists, who belongs to which group, who holds what: rows that decisions rest on.

use garrison_base::{GrantId, GroupId, NodeId, TenantId, Timestamp};

use super::WriteTx;
use crate::authz::rows::{ACTOR, GRANT, MEMBER, RULE};
use crate::authz::{Known, Slot};
use crate::db::Value;
use crate::{ActorId, Holder, KernelError};

/// A grant to be.
#[derive(Debug, Clone)]
pub struct NewGrant {
    /// Who holds it.
    pub holder: Holder,
    /// The role.
    pub role: String,
    /// The node, from which it reaches down.
    pub node: NodeId,
    /// Until when; nothing means until it is ended.
    pub until: Option<Timestamp>,
    /// The duty that it serves.
    pub duty: String,
    /// Why.
    pub reason: String,
}

impl WriteTx<'_> {
    /// Makes a person, service account or group known. `principal` is the person behind a service account;
    /// for all others, themselves.
    pub async fn introduce(&mut self, who: Holder, name: &str, principal: Holder) -> Result<(), KernelError> {
        // Its id is new, so what is there under it is of somebody else.
        if self.inner().index().known.contains_key(&who) {
            return Err(KernelError::Exists);
        }
        self.write_actor(who, name, principal, "active").await
    }

    /// Disables or enables somebody. Whoever is disabled is denied everything from this commit on.
    pub async fn set_active(&mut self, who: Holder, active: bool) -> Result<(), KernelError> {
        let known = self.known(who).await?;
        self.write_actor(who, &known.name, known.principal, if active { "active" } else { "disabled" }).await
    }

    /// Gives another name.
    pub async fn rename_actor(&mut self, who: Holder, name: &str) -> Result<(), KernelError> {
        let known = self.known(who).await?;
        let state = if known.active { "active" } else { "disabled" };
        self.write_actor(who, name, known.principal, state).await
    }

    /// Changes the person behind a service account.
    pub async fn set_principal(&mut self, who: Holder, principal: Holder) -> Result<(), KernelError> {
        let known = self.known(who).await?;
        let state = if known.active { "active" } else { "disabled" };
        self.write_actor(who, &known.name, principal, state).await
    }

    async fn write_actor(
        &mut self,
        who: Holder,
        name: &str,
        principal: Holder,
        state: &str,
    ) -> Result<(), KernelError> {
        let tenant = Value::text(self.tenant());
        let cells = vec![Value::text(who), tenant, name.into(), Value::text(principal), state.into()];
        self.put(&ACTOR, cells).await
    }

    /// From the rows, not from the index: it may be somebody whom this act has introduced.
    async fn known(&mut self, who: Holder) -> Result<Known, KernelError> {
        let row = self.find(&ACTOR, vec![Value::text(who)]).await?;
        let known = Known {
            tenant: row.get(1)?,
            name: row.get(2)?,
            principal: row.get(3)?,
            active: row.get::<String>(4)? == "active",
        };
        if known.tenant == self.tenant() { Ok(known) } else { Err(KernelError::NotFound) }
    }

    /// Takes an actor into a group, or out of it.
    pub async fn set_member(
        &mut self,
        group: GroupId,
        member: ActorId,
        active: bool,
    ) -> Result<(), KernelError> {
        self.known(Holder::Group(group)).await?;
        self.known(Holder::Actor(member)).await?;
        let state = if active { "active" } else { "ended" };
        let cells = vec![Value::text(group), Value::text(member), Value::text(self.tenant()), state.into()];
        self.put(&MEMBER, cells).await
    }

    /// Grants a role. Holder and node must be of the tenant, the role one that a policy names.
    pub async fn grant(&mut self, new: NewGrant) -> Result<GrantId, KernelError> {
        self.known(new.holder).await?;
        self.node_of(&new.node.into()).await?;
        if !self.inner().policies.roles.contains(&new.role) {
            return Err(KernelError::UnknownRole(new.role));
        }
        let id = GrantId::new(self.now(), self.entropy());
        let cells = vec![
            Value::text(id),
            Value::text(self.tenant()),
            Value::text(new.holder),
            Value::text(new.node),
            new.role.into(),
            self.now().into(),
            new.until.into(),
            new.duty.into(),
            new.reason.into(),
            "active".into(),
        ];
        self.put(&GRANT, cells).await?;
        Ok(id)
    }

    /// Ends a grant, from this commit on. Returns whether it was still active.
    pub async fn end_grant(&mut self, grant: GrantId, why: &'static str) -> Result<bool, KernelError> {
        let row = self.find(&GRANT, vec![Value::text(grant)]).await?;
        if row.get::<TenantId>(1)? != self.tenant() {
            return Err(KernelError::NotFound);
        }
        if row.get::<String>(9)? != "active" {
            return Ok(false);
        }
        let mut cells = row.cells(GRANT.columns.len() - 1).to_vec();
        // An absent time comes back without its type.
        if let Some(until) = cells.get_mut(6) {
            *until = row.get::<Option<i64>>(6)?.into();
        }
        cells.push(why.into());
        self.put(&GRANT, cells).await?;
        Ok(true)
    }

    /// The active grants at one node.
    pub(crate) async fn grants_at(&mut self, node: NodeId) -> Result<Vec<GrantId>, KernelError> {
        let sql = "SELECT grant_id FROM grants WHERE node_id = $1 AND state = 'active'";
        let rows = self.raw().rows(sql, vec![Value::text(node)]).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect::<Result<_, _>>()?)
    }

    /// Demands approvals for a verb at a node and below; no slots means that the node has no rule of its own.
    pub async fn set_rule(&mut self, node: NodeId, verb: &str, slots: &[Slot]) -> Result<(), KernelError> {
        self.node_of(&node.into()).await?;
        if !self.inner().verbs.contains_key(verb) {
            return Err(KernelError::UnknownVerb(verb.to_owned()));
        }
        let mut names: Vec<&str> = slots.iter().map(|slot| slot.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        if names.len() != slots.len() || slots.len() > 10 || names.iter().any(|name| name.trim().is_empty()) {
            return Err(KernelError::Invalid("slots: at most 10, each with a name of its own".into()));
        }
        if let Some(slot) = slots.iter().find(|slot| !self.inner().policies.roles.contains(&slot.role)) {
            return Err(KernelError::UnknownRole(slot.role.clone()));
        }
        let slots = serde_json::to_string(slots).map_err(KernelError::Stored)?;
        let id = format!("{node}/{verb}");
        let cells = vec![id.into(), Value::text(self.tenant()), Value::text(node), verb.into(), slots.into()];
        self.put(&RULE, cells).await
    }
}
