//! What somebody may do somewhere: for whoever shows them what there is to open. Nothing rests on it (I4): whatever
//! is done is decided then, on the thing itself.

use std::collections::BTreeSet;

use garrison_base::{NodeId, Timestamp};

use super::{Index, Policies, Resource, Tells, is_production, roles_at, unreachable};
use crate::{Actor, Verb};

/// A kind that no policy names. One is as good as another, since a policy can only tell apart what it names.
const UNNAMED: &str = "other";

/// What a decision rests on, beside the verb and the thing itself: the roles that count at a node, and whether that is
/// production.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Situation {
    roles: BTreeSet<String>,
    production: bool,
}

/// Every verb that policy allows the actor at some node, to something: its own or another's, of any kind that the
/// verb's policies tell apart. Whether there is such a thing is not asked. It takes a while: the index is not needed.
pub(crate) fn may(policies: &Policies, actor: &Actor, situations: &BTreeSet<Situation>) -> Vec<Verb> {
    let verbs = reached(policies, actor);
    let somewhere = |(verb, tells): &(Verb, &Tells)| {
        situations.iter().any(|situation| allowed(policies, actor, (*verb, *tells), situation))
    };
    let mut found: Vec<Verb> = verbs.into_iter().filter(somewhere).map(|(verb, _)| verb).collect();
    found.sort_unstable();
    found
}

/// The verbs that can be allowed at all: of a token only its own.
fn reached<'p>(policies: &'p Policies, actor: &Actor) -> Vec<(Verb, &'p Tells)> {
    let reached = |verb: Verb| actor.limits.as_ref().is_none_or(|limits| limits.reach(verb));
    policies.verbs().filter(|(verb, _)| reached(*verb)).collect()
}

/// Everything that decisions of the actor can rest on, wherever it acts.
///
/// Down the tree, roles are added only where the actor holds something, and production begins only at a node that is
/// marked. So these nodes and the root stand for all others.
pub(crate) fn situations(
    index: &Index,
    policies: &Policies,
    actor: &Actor,
    now: Timestamp,
) -> BTreeSet<Situation> {
    // Whether a policy looks at that.
    let production = reached(policies, actor).iter().any(|(_, tells)| tells.production);
    let root = index.tenants.get(&actor.tenant).map(|(_, root)| *root);
    let held = index.holders(actor.id).filter_map(|holder| index.places.get(&holder)).flatten().copied();
    let mut nodes: BTreeSet<NodeId> = root.into_iter().chain(held).collect();
    // Of a token only its node and what is below it counts, with what the actor holds above.
    nodes.extend(actor.limits.iter().map(|limits| limits.node));
    if production {
        nodes.extend(index.nodes.iter().filter(|(_, row)| row.production).map(|(node, _)| *node));
    }
    nodes.retain(|node| unreachable(index, actor, *node).is_none());
    let at = |node| Situation {
        roles: roles_at(index, actor, node, now).into_iter().map(str::to_owned).collect(),
        production: production && is_production(index, node),
    };
    nodes.into_iter().map(at).collect()
}

/// Whether it is allowed on a thing of one of the kinds that are told apart, or of a kind that none names.
fn allowed(policies: &Policies, actor: &Actor, (verb, tells): (Verb, &Tells), situation: &Situation) -> bool {
    let id = actor.id.to_string();
    let ask = |kind: &str, own: bool| {
        let owner = own.then(|| id.clone());
        let resource = Resource { id: "something", kind, owner, production: situation.production };
        let roles = &mut situation.roles.iter().map(String::as_str);
        policies.ask((&id, actor.id.kind()), roles, verb, &resource).allowed
    };
    let mut kinds = std::iter::once(UNNAMED).chain(tells.kinds.iter().map(String::as_str));
    kinds.any(|kind| ask(kind, false) || (tells.owner && ask(kind, true)))
}
