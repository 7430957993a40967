//! Tables of policies: who may do what, said once more in a form that a person can check at a glance.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;

use garrison_base::{PersonId, ServiceId, Timestamp};
use garrison_kernel::{ActorId, Asked, Module, PolicyTable, System, Verb};

use crate::SeededEntropy;

/// Who and what a line of [`exceptions`] is about.
#[derive(Debug, Clone, Copy)]
pub struct Exception {
    /// What it says, for the message of a failure.
    pub says: &'static str,
    /// `person`, `service`, or the name of a system actor.
    pub actor: &'static str,
    /// The roles that the actor's grants give.
    pub roles: &'static [&'static str],
    /// The operation.
    pub verb: &'static str,
    /// What kind of thing it is done to.
    pub object: &'static str,
    /// Whether that is the actor's own.
    pub own: bool,
    /// What policy must answer.
    pub allowed: bool,
}

/// Checks a table: a line for each operation of the module, with the operation and all who may do it to a node
/// that is not their own: roles by their names, system actors as `sys_...`, `member` for everybody. The table must
/// be complete, and whoever is not in a line is refused.
///
/// Each role is asked about alone; what several together allow or forbid is said by [`exceptions`].
pub fn check(module: Module, table: &str) {
    let policies = PolicyTable::of(&[module]).unwrap();
    let wanted: BTreeMap<&str, BTreeSet<&str>> = table
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            let mut words = line.split_whitespace();
            (words.next().unwrap(), words.collect())
        })
        .collect();
    let verbs: Vec<&str> = policies.verbs().iter().copied().map(Verb::as_str).collect();
    assert_eq!(wanted.keys().copied().collect::<Vec<_>>(), verbs, "the table names other operations");

    let systems: Vec<String> =
        System::ALL.iter().map(|system| ActorId::System(*system).to_string()).collect();
    for verb in policies.verbs() {
        let asked = |name: &str, roles: &[&str]| {
            let actor = actor(name);
            policies.allows(&Asked {
                actor,
                roles,
                verb: *verb,
                object: "node",
                own: false,
                production: false,
            })
        };
        let roles = policies.roles().iter().map(String::as_str);
        let mut may: BTreeSet<&str> = roles.filter(|role| asked("person", &[role])).collect();
        if asked("person", &[]) {
            may = BTreeSet::from(["member"]);
        }
        may.extend(systems.iter().map(String::as_str).filter(|system| asked(system, &[])));
        assert_eq!(Some(&may), wanted.get(verb.as_str()), "who may do {verb}");
    }
}

/// Checks what the table does not say.
pub fn exceptions(module: Module, lines: &[Exception]) {
    let policies = PolicyTable::of(&[module]).unwrap();
    for line in lines {
        let verb = policies.verbs().iter().find(|verb| verb.as_str() == line.verb).copied();
        let asked = Asked {
            actor: actor(line.actor),
            roles: line.roles,
            verb: verb.unwrap_or_else(|| panic!("{} is no operation of this module", line.verb)),
            object: line.object,
            own: line.own,
            production: false,
        };
        assert_eq!(policies.allows(&asked), line.allowed, "{}", line.says);
    }
}

fn actor(name: &str) -> ActorId {
    let entropy = SeededEntropy::new(3);
    match name {
        "person" => ActorId::Person(PersonId::new(Timestamp::UNIX_EPOCH, &entropy)),
        "service" => ActorId::Service(ServiceId::new(Timestamp::UNIX_EPOCH, &entropy)),
        system => ActorId::from_str(system).unwrap(),
    }
}
