//! Everything that the kernel owns, arranged by one act; and acts whose target is one of its things.

use garrison_base::{GrantId, GroupId, NodeId, PathName, PersonId, ServiceId, Timestamp};
use garrison_kernel::{
    Act, ActorId, Done, Holder, KernelError, Module, NewGrant, NewNode, NodeKind, ObjectRef, Permit, Preview,
    ReadTx, Slot, Summary, Verb, WriteTx,
};
use serde::{Deserialize, Serialize};

const POLICY: &str = r#"
@id("system")
permit (principal, action, resource) when { principal.kind == "system" };
@id("administrators")
permit (principal in Role::"administrator", action, resource);
@id("auditors")
permit (principal in Role::"auditor", action == Action::"audit:read", resource);
"#;

pub fn module() -> Module {
    Module::new("house", &[], POLICY)
        .act::<Arrange>()
        .act::<EndGrant>()
        .act::<Disable>()
        .read(super::AUDIT_READ)
}

/// Something that is arranged. What it makes is named by its id.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Step {
    Node { parent: NodeId, name: PathName, production: bool },
    Rename { node: NodeId, name: PathName },
    Move { node: NodeId, parent: NodeId },
    Merge { from: NodeId, into: NodeId },
    Production { node: NodeId, production: bool },
    Person(String),
    Service { name: String, principal: Holder },
    Group(String),
    Active { who: Holder, active: bool },
    RenameActor { who: Holder, name: String },
    Principal { who: Holder, principal: Holder },
    Member { group: GroupId, member: ActorId, active: bool },
    Grant { holder: Holder, role: String, node: NodeId, until: Option<Timestamp> },
    End(GrantId),
    Rule { node: NodeId, verb: String, slots: Vec<Slot> },
}

/// Arranges things, all of them or none.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Arrange {
    pub steps: Vec<Step>,
}

impl Act for Arrange {
    const VERB: Verb = Verb::new("house:arrange");
    type Output = Vec<String>;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![ObjectRef::tenant()]
    }

    async fn preview(&self, _tx: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        Ok(Preview::sentence(format!("{} things are arranged", self.steps.len())))
    }

    async fn perform(&self, _permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        let mut made = Vec::new();
        for step in &self.steps {
            made.push(arrange(step, tx).await?);
        }
        Ok(Done::new(made, Summary::of("arranged"), ()))
    }
}

async fn arrange(step: &Step, tx: &mut WriteTx<'_>) -> Result<String, KernelError> {
    let now = tx.read().now();
    match step.clone() {
        Step::Node { parent, name, production } => {
            let new = NewNode { parent, name, kind: NodeKind::Service, production };
            return Ok(tx.create_node(new).await?.to_string());
        }
        Step::Rename { node, name } => tx.rename_node(node, &name).await?,
        Step::Move { node, parent } => tx.move_node(node, parent).await?,
        Step::Merge { from, into } => {
            tx.merge_node(from, into).await?;
        }
        Step::Production { node, production } => tx.mark_production(node, production).await?,
        Step::Person(name) => {
            let holder = Holder::Actor(ActorId::Person(PersonId::new(now, tx.entropy())));
            tx.introduce(holder, &name, holder).await?;
            return Ok(holder.to_string());
        }
        Step::Service { name, principal } => {
            let holder = Holder::Actor(ActorId::Service(ServiceId::new(now, tx.entropy())));
            tx.introduce(holder, &name, principal).await?;
            return Ok(holder.to_string());
        }
        Step::Group(name) => {
            let holder = Holder::Group(GroupId::new(now, tx.entropy()));
            tx.introduce(holder, &name, holder).await?;
            return Ok(holder.to_string());
        }
        Step::Active { who, active } => tx.set_active(who, active).await?,
        Step::RenameActor { who, name } => tx.rename_actor(who, &name).await?,
        Step::Principal { who, principal } => tx.set_principal(who, principal).await?,
        Step::Member { group, member, active } => tx.set_member(group, member, active).await?,
        Step::Grant { holder, role, node, until } => {
            let grant = NewGrant { holder, role, node, until, duty: "test".into(), reason: "test".into() };
            return Ok(tx.grant(grant).await?.to_string());
        }
        Step::End(grant) => {
            tx.end_grant(grant, "revoked").await?;
        }
        Step::Rule { node, verb, slots } => tx.set_rule(node, &verb, &slots).await?,
    }
    Ok(String::new())
}

/// Ends a grant: an act whose target is the grant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EndGrant {
    pub grant: GrantId,
}

impl Act for EndGrant {
    const VERB: Verb = Verb::new("grant:end");
    type Output = bool;
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.grant.into()]
    }

    async fn preview(&self, _tx: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        Ok(Preview::sentence(format!("the grant {} ends", self.grant)))
    }

    async fn perform(&self, _permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        let ended = tx.end_grant(self.grant, "revoked").await?;
        Ok(Done::new(ended, Summary::of("the grant was ended"), ()))
    }
}

/// Disables somebody: an act whose target is a person, service account or group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Disable {
    pub who: Holder,
}

impl Act for Disable {
    const VERB: Verb = Verb::new("person:disable");
    type Output = ();
    type Fact = ();
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        match self.who {
            Holder::Actor(actor) => vec![actor.into()],
            Holder::Group(group) => vec![group.into()],
        }
    }

    async fn preview(&self, _tx: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        Ok(Preview::sentence(format!("{} is disabled", self.who)))
    }

    async fn perform(&self, _permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        tx.set_active(self.who, false).await?;
        Ok(Done::new((), Summary::of("disabled"), ()))
    }
}
