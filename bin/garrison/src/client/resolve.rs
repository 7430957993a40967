//! From what people write, a name or a path, to ids.

use garrison_base::{AccountName, Exit};
use serde_json::Value as Json;

use crate::client::failure::{Failure, exit_of};
use crate::client::wire::encoded;
use crate::client::{Client, looking, text};

/// Whether a text has the form of an id: `node_` and 26 characters.
pub fn is_id(text: &str) -> bool {
    let parts = text.split_once('_');
    parts.is_some_and(|(prefix, rest)| {
        (3..=4).contains(&prefix.len())
            && prefix.bytes().all(|byte| byte.is_ascii_lowercase())
            && rest.len() == 26
            && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

fn is_id_of(text: &str, prefixes: &[&str]) -> bool {
    is_id(text) && prefixes.iter().any(|prefix| text.split('_').next() == Some(prefix))
}

impl Client {
    /// A node, by id or path.
    pub(super) fn node_view(&self, text: &str) -> anyhow::Result<Json> {
        looking(self.get("node-at", &[("path", text)]), "node", text)
    }

    /// The id of a node, by id or path.
    pub(super) fn node(&self, named: &str) -> anyhow::Result<String> {
        if is_id_of(named, &["node"]) {
            return Ok(named.to_owned());
        }
        text(&self.node_view(named)?, "/id")
    }

    /// A person, by id or name; `me` is oneself.
    pub(super) fn person_view(&self, who: &str) -> anyhow::Result<Json> {
        let who = if who == "me" { self.me()? } else { who.to_owned() };
        if !is_id(&who) && who.parse::<AccountName>().is_err() {
            return Err(Failure::new(Exit::NotFound, format!("`{who}` is neither a name nor an id")).into());
        }
        looking(self.get(&format!("person/{}", encoded(&who)), &[]), "person", who)
    }

    /// The id of a person, by id or name; `me` is oneself.
    pub(super) fn person(&self, who: &str) -> anyhow::Result<String> {
        if is_id_of(who, &["per"]) {
            return Ok(who.to_owned());
        }
        text(&self.person_view(who)?, "/id")
    }

    /// The id of a service account, by id or name.
    pub(super) fn service(&self, named: &str) -> anyhow::Result<String> {
        self.listed(named, ("svc", "service", "service account"))
    }

    /// The id of a group, by id or name.
    pub(super) fn group(&self, named: &str) -> anyhow::Result<String> {
        self.listed(named, ("grp", "group", "group"))
    }

    /// The id of a source of logs, by id or name.
    pub(super) fn source(&self, named: &str) -> anyhow::Result<String> {
        self.listed(named, ("src", "source", "source"))
    }

    /// The id of a saved search, by id or name.
    pub(super) fn search(&self, named: &str) -> anyhow::Result<String> {
        self.listed(named, ("sch", "search", "saved search"))
    }

    /// The id of a person or service account; `me` is oneself.
    pub(super) fn actor(&self, who: &str) -> anyhow::Result<String> {
        match who {
            "me" => self.me(),
            _ if is_id_of(who, &["per", "svc"]) || who.starts_with("sys_") => Ok(who.to_owned()),
            _ => or(self.person(who), || self.service(who), who, "a person or service account"),
        }
    }

    /// The id of whoever may hold a grant: a person, a service account, a group; `me` is oneself.
    pub(super) fn holder(&self, who: &str) -> anyhow::Result<String> {
        if is_id_of(who, &["grp"]) {
            return Ok(who.to_owned());
        }
        or(self.actor(who), || self.group(who), who, "a person, service account or group")
    }

    /// The id of an object, or of the node at a path.
    pub(super) fn object(&self, named: &str) -> anyhow::Result<String> {
        if is_id(named) { Ok(named.to_owned()) } else { self.node(named) }
    }

    /// One's own id.
    pub(super) fn me(&self) -> anyhow::Result<String> {
        text(&self.get("whoami", &[])?, "/id")
    }

    fn listed(&self, named: &str, (prefix, path, kind): (&str, &str, &str)) -> anyhow::Result<String> {
        if is_id_of(named, &[prefix]) {
            return Ok(named.to_owned());
        }
        let mut found = None;
        self.pages(path, &[], 0, |item| {
            if item.get("name").and_then(Json::as_str) == Some(named) {
                found = Some(text(&item, "/id")?);
            }
            Ok(())
        })?;
        let missing =
            || Failure::new(Exit::NotFound, format!("there is no {kind} `{named}`, or you may not see it"));
        Ok(found.ok_or_else(missing)?)
    }
}

/// The first, or where it is not found, the second.
fn or(
    first: anyhow::Result<String>,
    second: impl FnOnce() -> anyhow::Result<String>,
    who: &str,
    kinds: &str,
) -> anyhow::Result<String> {
    let absent = |tried: &anyhow::Result<String>| {
        tried.as_ref().is_err_and(|error| exit_of(error) == Some(Exit::NotFound))
    };
    if !absent(&first) {
        return first;
    }
    let second = second();
    if !absent(&second) {
        return second;
    }
    Err(Failure::new(Exit::NotFound, format!("there is no `{who}`, {kinds}, that you may see")).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_a_form_that_names_do_not() {
        assert!(
            is_id("node_01JDG4Q4ZK8V3T6W0R2Y5X7B9C") && is_id_of("per_01JDG4Q4ZK8V3T6W0R2Y5X7B9C", &["per"])
        );
        for name in ["anna", "node_1", "acme/shop", "web_server", "per_01JDG4Q4ZK8V3T6W0R2Y5X7B9/"] {
            assert!(!is_id(name), "{name}");
        }
    }
}
