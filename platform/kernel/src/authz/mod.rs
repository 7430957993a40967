//! Who may do what where: rows, sealed and indexed; policies; the decision.

mod index;
mod may;
mod policy;
pub(crate) mod rows;
mod table;

pub use index::Slot;
pub(crate) use index::{Delta, Index, Known};
pub(crate) use may::{may, situations};
pub use policy::PolicyError;
pub(crate) use policy::{Policies, Resource, Said, Tells};
pub use table::{Asked, PolicyTable};

use garrison_base::{GrantId, NodeId, Timestamp};
use serde::Serialize;

use crate::db::{DbError, Row};
use crate::{Actor, Holder, Verb};

/// An object as the kernel found it, inside the transaction.
#[derive(Debug, Clone)]
pub(crate) struct Located {
    pub(crate) kind: String,
    pub(crate) id: String,
    pub(crate) node: NodeId,
    pub(crate) owner: Option<String>,
}

/// A role that every active actor of a tenant holds.
const MEMBER_ROLE: &str = "member";

/// May the actor do this there, now?
pub(crate) fn decide(
    index: &Index,
    policies: &Policies,
    actor: &Actor,
    (verb, at): (Verb, &Located),
    now: Timestamp,
) -> Said {
    if refusal(index, actor, verb, at.node).is_some() {
        return Said { allowed: false, policies: Vec::new() };
    }
    let names = roles_at(index, actor, at.node, now);
    ask(index, policies, actor, (verb, at), &mut names.into_iter())
}

/// The roles that count for the actor at a node.
fn roles_at<'i>(index: &'i Index, actor: &Actor, node: NodeId, now: Timestamp) -> Vec<&'i str> {
    let held = index.held(actor.id, node, now);
    let mut names: Vec<&str> = held.iter().filter_map(|(_, _, held)| role_name(index, held.role)).collect();
    if !matches!(actor.id, crate::ActorId::System(_)) {
        names.push(MEMBER_ROLE);
    }
    names
}

fn ask(
    index: &Index,
    policies: &Policies,
    actor: &Actor,
    (verb, at): (Verb, &Located),
    roles: &mut dyn Iterator<Item = &str>,
) -> Said {
    let production = is_production(index, at.node);
    let resource = Resource { id: &at.id, kind: &at.kind, owner: at.owner.clone(), production };
    policies.ask((&actor.id.to_string(), actor.id.kind()), roles, verb, &resource)
}

fn is_production(index: &Index, node: NodeId) -> bool {
    index.trail(node).any(|at| index.nodes.get(&at).is_some_and(|row| row.production))
}

fn role_name(index: &Index, role: u16) -> Option<&str> {
    index.roles.get(usize::from(role)).map(String::as_str)
}

/// Whether the actor knows of the object at all: it is its own, belongs to the tenant as a whole, or hangs where
/// the actor holds something. What an actor does not know of, does not exist for it.
pub(crate) fn sees(index: &Index, actor: &Actor, at: &Located, now: Timestamp) -> bool {
    at.owner.as_deref() == Some(actor.id.to_string().as_str())
        || index.tenants.get(&actor.tenant).is_some_and(|(_, root)| *root == at.node)
        || !index.held(actor.id, at.node, now).is_empty()
}

/// What forbids before any policy is asked.
fn refusal(index: &Index, actor: &Actor, verb: Verb, node: NodeId) -> Option<&'static str> {
    if actor.limits.as_ref().is_some_and(|limits| !limits.reach(verb)) {
        return Some("the token does not reach this verb");
    }
    unreachable(index, actor, node)
}

/// What forbids everything at a node.
fn unreachable(index: &Index, actor: &Actor, node: NodeId) -> Option<&'static str> {
    let same_tenant = index.nodes.get(&node).is_some_and(|row| row.tenant == actor.tenant);
    if !same_tenant {
        return Some("the object does not exist for this actor");
    }
    if !matches!(actor.id, crate::ActorId::System(_)) {
        let known = index.known.get(&Holder::Actor(actor.id));
        if known.is_none_or(|known| known.tenant != actor.tenant) {
            return Some("the actor does not exist");
        }
        if known.is_some_and(|known| !known.active) {
            return Some("the actor is disabled");
        }
    }
    let outside = |limits: &crate::TokenLimits| !index.trail(node).any(|at| at == limits.node);
    actor.limits.as_ref().is_some_and(outside).then_some("the token does not reach this node")
}

/// Whether the derived table of trails is what the nodes say: whoever adds rows to it by hand would see more.
pub(crate) fn check_trails(rows: &[Row], index: &Index) -> Result<(), DbError> {
    let tampered = |row: String| DbError::Tampered { table: "node_trail", row };
    for row in rows {
        let (node, above): (NodeId, NodeId) = (row.get(0)?, row.get(1)?);
        if !index.trail(node).any(|at| at == above) {
            return Err(tampered(format!("{node}/{above}")));
        }
    }
    let expected: usize = index.nodes.keys().map(|node| index.trail(*node).count()).sum();
    if expected == rows.len() { Ok(()) } else { Err(tampered("a row is missing".into())) }
}

/// The nodes below which the actor may do this: the roots of what a read shows.
pub(crate) fn roots(
    index: &Index,
    policies: &Policies,
    actor: &Actor,
    verb: Verb,
    now: Timestamp,
) -> Vec<NodeId> {
    let Some((_, root)) = index.tenants.get(&actor.tenant) else { return Vec::new() };
    let held =
        index.holders(actor.id).flat_map(|holder| index.places.get(&holder).into_iter().flatten().copied());
    let mut places: Vec<NodeId> = std::iter::once(*root).chain(held).collect();
    // A token of a node sees no more than the node; what it holds above counts there.
    if let Some(limits) = &actor.limits {
        places.push(limits.node);
    }
    places.sort_unstable();
    places.dedup();
    places.retain(|node| {
        let at = Located { kind: "node".into(), id: node.to_string(), node: *node, owner: None };
        decide(index, policies, actor, (verb, &at), now).allowed
    });
    if places.contains(root) { vec![*root] } else { places }
}

/// Why a decision is what it is.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Explanation {
    /// The answer.
    pub allowed: bool,
    /// In one sentence.
    pub why: String,
    /// The policies that decided.
    pub policies: Vec<String>,
    /// The grants that count there.
    pub grants: Vec<ExplainedGrant>,
    /// Roles of which one, granted at the node or above, would be enough; only where it is not allowed.
    pub would_suffice: Vec<String>,
    /// The slots that others must fill before it is done.
    pub approvals: Vec<Slot>,
}

/// A grant in an explanation.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ExplainedGrant {
    /// Its id.
    pub grant: GrantId,
    /// The role.
    pub role: String,
    /// Who holds it: the actor, or a group.
    pub holder: Holder,
    /// Where it stands.
    pub node: NodeId,
    /// The node's path.
    pub path: String,
    /// Until when.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub until: Option<Timestamp>,
}

/// Tells which grant and policy decide, or what is missing.
pub(crate) fn explain(
    index: &Index,
    policies: &Policies,
    actor: &Actor,
    (verb, at): (Verb, &Located),
    now: Timestamp,
) -> Explanation {
    let said = decide(index, policies, actor, (verb, at), now);
    let held = index.held(actor.id, at.node, now);
    let grants: Vec<ExplainedGrant> = held
        .iter()
        .map(|(node, holder, held)| ExplainedGrant {
            grant: held.id,
            role: role_name(index, held.role).unwrap_or_default().to_owned(),
            holder: *holder,
            node: *node,
            path: index.path(*node),
            until: held.until,
        })
        .collect();
    let refused = refusal(index, actor, verb, at.node);
    let would_suffice: Vec<String> = if said.allowed || refused.is_some() || !said.policies.is_empty() {
        Vec::new()
    } else {
        let alone = |role: &&String| {
            let mut roles =
                grants.iter().map(|grant| grant.role.as_str()).chain([role.as_str(), MEMBER_ROLE]);
            ask(index, policies, actor, (verb, at), &mut roles).allowed
        };
        policies.roles.iter().filter(alone).cloned().collect()
    };
    let why = match (&refused, said.allowed) {
        (Some(refused), _) => (*refused).to_owned(),
        (None, true) => "a policy allows it, and none forbids it".to_owned(),
        (None, false) if !said.policies.is_empty() => "a policy forbids it; forbidding wins".to_owned(),
        (None, false) if would_suffice.is_empty() => "no policy allows it to any role".to_owned(),
        (None, false) => format!(
            "no grant at {} or above gives one of the roles that allow it: {}",
            index.path(at.node),
            would_suffice.join(", ")
        ),
    };
    let approvals =
        if said.allowed { index.rule(at.node, verb).unwrap_or_default().to_vec() } else { Vec::new() };
    Explanation { allowed: said.allowed, why, policies: said.policies, grants, would_suffice, approvals }
}
