//! Policies: files of the domains in Cedar's language, checked against one schema, split by verb.

use std::collections::{BTreeSet, HashSet};
use std::str::FromStr as _;

use cedar_policy::{
    ActionConstraint, Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid,
    Policy, PolicyId, PolicySet, Request, RestrictedExpression, Schema, ValidationMode, Validator,
};
use foldhash::HashMap;
use serde_json::Value as Json;

use crate::Verb;

/// Policies that cannot be used; found when the program starts, and by every test that starts it.
#[derive(Debug, thiserror::Error)]
#[error("policies of {domain}: {problem}")]
pub struct PolicyError {
    domain: String,
    problem: String,
}

/// What a decision is asked of, beyond the actor's roles.
#[derive(Debug, Clone)]
pub(crate) struct Resource<'r> {
    pub(crate) id: &'r str,
    pub(crate) kind: &'r str,
    pub(crate) owner: Option<String>,
    pub(crate) production: bool,
}

/// What policy says, and which policies said it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) allowed: bool,
    pub(crate) policies: Vec<String>,
}

pub(crate) struct Policies {
    by_verb: HashMap<&'static str, OfVerb>,
    /// All roles that a policy names.
    pub(crate) roles: Vec<String>,
    authorizer: Authorizer,
    types: Types,
}

/// What is known of a verb.
struct OfVerb {
    verb: Verb,
    action: EntityUid,
    policies: PolicySet,
    tells: Tells,
}

/// What the policies of a verb tell apart in the thing that something is done to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tells {
    /// Every text that they compare with; the kinds are among them.
    pub(crate) kinds: BTreeSet<String>,
    /// Whether it matters whose the thing is.
    pub(crate) owner: bool,
    /// Whether it matters that the thing is production.
    pub(crate) production: bool,
}

struct Types {
    actor: EntityTypeName,
    role: EntityTypeName,
    object: EntityTypeName,
}

const ENTITIES: &str = "
entity Role;
entity Actor in [Role] { kind: String };
entity Object { kind: String, production: Bool, owner?: Actor };
";

impl Policies {
    /// Reads the policies of every domain.
    pub(crate) fn read(verbs: &[Verb], files: &[(&'static str, &'static str)]) -> Result<Self, PolicyError> {
        let schema = schema(verbs).map_err(|problem| PolicyError { domain: "kernel".into(), problem })?;
        let mut all: Vec<Policy> = Vec::new();
        for (domain, text) in files {
            let refuse = |problem: String| PolicyError { domain: (*domain).into(), problem };
            all.extend(read_file(domain, text, &schema).map_err(refuse)?);
        }
        let mut by_verb = HashMap::default();
        for verb in verbs {
            let action = uid("Action", verb.as_str());
            let of_verb = all.iter().filter(|policy| match policy.action_constraint() {
                ActionConstraint::Any => true,
                ActionConstraint::In(actions) => actions.contains(&action),
                ActionConstraint::Eq(one) => one == action,
            });
            let of_verb: Vec<Policy> = of_verb.cloned().collect();
            let refuse = |problem: String| PolicyError { domain: "kernel".into(), problem };
            let mut tells = Tells::default();
            for policy in &of_verb {
                tells.add(&policy.to_json().map_err(|error| refuse(error.to_string()))?);
            }
            let policies = PolicySet::from_policies(of_verb).map_err(|error| refuse(error.to_string()))?;
            by_verb.insert(verb.as_str(), OfVerb { verb: *verb, action, policies, tells });
        }
        let types = Types { actor: type_name("Actor"), role: type_name("Role"), object: type_name("Object") };
        Ok(Self { by_verb, roles: roles(&all), authorizer: Authorizer::new(), types })
    }

    /// What the verb's policies say of an actor with these roles. A verb that no domain declared is denied, as
    /// is whatever cannot be evaluated.
    pub(crate) fn ask(
        &self,
        (actor, kind): (&str, &str),
        roles: &mut dyn Iterator<Item = &str>,
        verb: Verb,
        resource: &Resource<'_>,
    ) -> Said {
        let denied = Said { allowed: false, policies: Vec::new() };
        let Some(OfVerb { action, policies, .. }) = self.by_verb.get(verb.as_str()) else { return denied };
        let principal = EntityUid::from_type_name_and_id(self.types.actor.clone(), EntityId::new(actor));
        let object = EntityUid::from_type_name_and_id(self.types.object.clone(), EntityId::new(resource.id));
        let Some(entities) = self.entities(&principal, kind, roles, &object, resource) else { return denied };
        let Ok(request) = Request::new(principal, action.clone(), object, Context::empty(), None) else {
            return denied;
        };
        let answer = self.authorizer.is_authorized(&request, policies, &entities);
        Said {
            // An error in one policy must not open a door that another holds shut.
            allowed: answer.decision() == Decision::Allow && answer.diagnostics().errors().next().is_none(),
            policies: answer.diagnostics().reason().map(ToString::to_string).collect(),
        }
    }

    /// All verbs, with what their policies tell apart.
    pub(crate) fn verbs(&self) -> impl Iterator<Item = (Verb, &Tells)> {
        self.by_verb.values().map(|known| (known.verb, &known.tells))
    }

    #[expect(clippy::too_many_arguments, reason = "what a request to Cedar consists of")]
    fn entities(
        &self,
        principal: &EntityUid,
        kind: &str,
        roles: &mut dyn Iterator<Item = &str>,
        object: &EntityUid,
        resource: &Resource<'_>,
    ) -> Option<Entities> {
        let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
        let parents: HashSet<EntityUid> = roles
            .map(|role| EntityUid::from_type_name_and_id(self.types.role.clone(), EntityId::new(role)))
            .collect();
        let actor =
            Entity::new(principal.clone(), [("kind".to_owned(), text(kind))].into_iter().collect(), parents)
                .ok()?;
        let mut attributes: std::collections::HashMap<String, RestrictedExpression> = [
            ("kind".to_owned(), text(resource.kind)),
            ("production".to_owned(), RestrictedExpression::new_bool(resource.production)),
        ]
        .into_iter()
        .collect();
        if let Some(owner) = &resource.owner {
            let owner = EntityUid::from_type_name_and_id(self.types.actor.clone(), EntityId::new(owner));
            attributes.insert("owner".to_owned(), RestrictedExpression::new_entity_uid(owner));
        }
        let object = Entity::new(object.clone(), attributes, HashSet::new()).ok()?;
        Entities::from_entities([actor, object], None).ok()
    }
}

impl Tells {
    /// With what a policy says, in Cedar's JSON form: texts that it compares with are `Value`s, and attributes that it
    /// looks at are `attr`s.
    fn add(&mut self, said: &Json) {
        match said {
            Json::Object(members) => {
                for (name, value) in members {
                    match (name.as_str(), value) {
                        ("Value", Json::String(text)) => {
                            self.kinds.insert(text.clone());
                        }
                        ("attr", Json::String(text)) => {
                            self.owner |= text == "owner";
                            self.production |= text == "production";
                        }
                        (_, inner) => self.add(inner),
                    }
                }
            }
            Json::Array(items) => items.iter().for_each(|item| self.add(item)),
            _ => {}
        }
    }
}

fn uid(kind: &str, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(type_name(kind), EntityId::new(id))
}

#[expect(clippy::expect_used, reason = "the names are literals of this file")]
fn type_name(name: &str) -> EntityTypeName {
    EntityTypeName::from_str(name).expect("a name")
}

fn schema(verbs: &[Verb]) -> Result<Schema, String> {
    let actions: String = verbs
        .iter()
        .map(|verb| format!("action \"{verb}\" appliesTo {{ principal: Actor, resource: Object }};\n"))
        .collect();
    Schema::from_cedarschema_str(&format!("{ENTITIES}{actions}"))
        .map(|(schema, _)| schema)
        .map_err(|error| error.to_string())
}

/// The policies of one file, each named by its `@id`, so that an explanation can name it.
fn read_file(domain: &str, text: &str, schema: &Schema) -> Result<Vec<Policy>, String> {
    let set = PolicySet::from_str(text).map_err(|error| format!("{error:?}"))?;
    let found = Validator::new(schema.clone()).validate(&set, ValidationMode::Strict);
    if let Some(error) = found.validation_errors().next() {
        return Err(error.to_string());
    }
    let mut policies = Vec::new();
    for policy in set.policies() {
        let id = policy.annotation("id").ok_or_else(|| format!("a policy has no @id: {policy}"))?;
        policies.push(policy.new_id(PolicyId::new(format!("{domain}.{id}"))));
    }
    Ok(policies)
}

/// Every role that a policy names: the roles there are.
fn roles(policies: &[Policy]) -> Vec<String> {
    let mut roles = BTreeSet::new();
    for literal in policies.iter().flat_map(Policy::entity_literals) {
        if literal.type_name().to_string() == "Role" {
            roles.insert(literal.id().unescaped().to_owned());
        }
    }
    roles.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_policies_tell_apart_is_found() {
        const ALL: [Verb; 3] = [Verb::new("note:read"), Verb::new("note:end"), Verb::new("note:move")];
        let text = r#"
            @id("a")
            permit (principal in Role::"reader", action == Action::"note:read", resource);
            @id("b")
            permit (principal, action == Action::"note:end", resource)
            when { ["leaf", "page"].contains(resource.kind) && resource has owner && resource.owner == principal };
            @id("c")
            permit (principal, action == Action::"note:move", resource);
            @id("d")
            forbid (principal, action == Action::"note:move", resource)
            when { resource.production } unless { resource.kind == "draft" };
        "#;
        let policies = Policies::read(&ALL, &[("notes", text)]).unwrap();
        let tells = |verb: Verb| policies.verbs().find(|(known, _)| *known == verb).unwrap().1;
        let kinds = |kinds: &[&str]| kinds.iter().map(|kind| (*kind).to_owned()).collect();
        assert_eq!(*tells(ALL[0]), Tells::default());
        assert_eq!(*tells(ALL[1]), Tells { kinds: kinds(&["leaf", "page"]), owner: true, production: false });
        assert_eq!(*tells(ALL[2]), Tells { kinds: kinds(&["draft"]), owner: false, production: true });
    }
}
