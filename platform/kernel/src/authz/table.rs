//! The policies of some domains, asked without a state: for the tables of their tests.

use std::collections::BTreeSet;

use super::{MEMBER_ROLE, Policies, Resource};
use crate::kernel::fold_policies;
use crate::{ActorId, Module, OpenError, Verb};

/// What may be asked of a domain's policies.
pub struct PolicyTable {
    verbs: Vec<Verb>,
    policies: Policies,
}

/// One question to policies. A person and a service account are members beside the roles that are named.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Who.
    pub actor: ActorId,
    /// The roles that the actor's grants give.
    pub roles: &'a [&'a str],
    /// The operation.
    pub verb: Verb,
    /// What kind of thing it is done to.
    pub object: &'a str,
    /// Whether that is the actor's own.
    pub own: bool,
    /// Whether it is production.
    pub production: bool,
}

impl PolicyTable {
    /// The policies of these domains.
    pub fn of(modules: &[Module]) -> Result<Self, OpenError> {
        let (verbs, policies) = fold_policies(modules)?;
        let verbs: BTreeSet<Verb> = verbs.into_values().map(|(verb, _)| verb).collect();
        Ok(Self { verbs: verbs.into_iter().collect(), policies })
    }

    /// All operations, in the order of their names.
    pub fn verbs(&self) -> &[Verb] {
        &self.verbs
    }

    /// All roles that a policy names.
    pub fn roles(&self) -> &[String] {
        &self.policies.roles
    }

    /// Whether policy allows it.
    pub fn allows(&self, asked: &Asked<'_>) -> bool {
        let actor = asked.actor.to_string();
        let member = (!matches!(asked.actor, ActorId::System(_))).then_some(MEMBER_ROLE);
        let resource = Resource {
            id: "asked",
            kind: asked.object,
            owner: asked.own.then(|| actor.clone()),
            production: asked.production,
        };
        let roles = &mut asked.roles.iter().copied().chain(member);
        self.policies.ask((&actor, asked.actor.kind()), roles, asked.verb, &resource).allowed
    }
}
