//! Requests made from the API's own document: values that fit its schemas, with ids of things that exist.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// Makes requests.
pub struct Sampler<'d> {
    document: &'d Value,
    things: &'d BTreeMap<String, String>,
}

impl<'d> Sampler<'d> {
    /// From a document, with one id of each kind.
    pub fn new(document: &'d Value, things: &'d BTreeMap<String, String>) -> Self {
        Self { document, things }
    }

    /// The path with its parameters filled in, and those of the query that must be there.
    pub fn path(&self, path: &str, operation: &Value) -> String {
        let mut filled = path.to_owned();
        let mut query = Vec::new();
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap();
            match parameter["in"].as_str().unwrap() {
                "path" => filled = filled.replace(&format!("{{{name}}}"), &self.parameter(path, name)),
                "query" if parameter["required"] == json!(true) => {
                    query.push(format!("{name}={}", self.parameter(path, name)));
                }
                _ => {}
            }
        }
        if query.is_empty() { filled } else { format!("{filled}?{}", query.join("&")) }
    }

    fn parameter(&self, path: &str, name: &str) -> String {
        let kind = match name {
            "node" | "object" => "node",
            "person" => "per",
            "group" => "grp",
            "approval" => "req",
            "alert" => "alr",
            "review" => "rev",
            "source" => return "web".to_owned(),
            // A starter rule.
            "rule" => return "f88b7b85-23ae-4274-bf5c-50eb5d6e471b".to_owned(),
            "path" => return self.things["node"].clone(),
            "seq" => return "1".to_owned(),
            "verb" => return "node:create".to_owned(),
            other => panic!("{path} has a parameter `{other}` that the sampler does not know"),
        };
        self.things[kind].clone()
    }

    /// A body that fits, if the operation takes one.
    pub fn body(&self, operation: &Value) -> Option<Value> {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        (!schema.is_null()).then(|| self.value("", schema))
    }

    fn value(&self, name: &str, schema: &Value) -> Value {
        if let Some(known) = self.known(name) {
            return known;
        }
        if let Some(reference) = schema["$ref"].as_str() {
            return self
                .value(name, self.document.pointer(reference.trim_start_matches('#')).expect("a schema"));
        }
        if let Some(first) = schema["enum"].as_array().and_then(|all| all.first()) {
            return first.clone();
        }
        if let Some(first) = ["oneOf", "anyOf", "allOf"].iter().find_map(|word| schema[word].as_array()) {
            let there = first.iter().find(|one| one["type"] != "null").expect("a variant");
            return self.value(name, there);
        }
        if let Some(pattern) = schema["pattern"].as_str()
            && let Some(id) =
                self.things.iter().find(|(prefix, _)| pattern.starts_with(&format!("^{prefix}_")))
        {
            return json!(id.1);
        }
        match schema["type"].as_str() {
            Some("object") => {
                let mut object = Map::new();
                for required in schema["required"].as_array().into_iter().flatten() {
                    let field = required.as_str().unwrap();
                    object.insert(field.to_owned(), self.value(field, &schema["properties"][field]));
                }
                Value::Object(object)
            }
            Some("array") => json!([self.value(name, &schema["items"])]),
            Some("integer" | "number") => json!(1),
            Some("boolean") => json!(true),
            _ => json!(format!("sample-{name}")),
        }
    }

    /// Fields whose schema does not tell enough.
    fn known(&self, name: &str) -> Option<Value> {
        let thing = |prefix: &str| Some(json!(self.things[prefix]));
        match name {
            "holder" | "member" => thing("per"),
            "actor" => thing("svc"),
            "into" | "parent" | "node" => thing("node"),
            "role" => Some(json!("viewer")),
            "verb" => Some(json!("node:move")),
            "verbs" => Some(json!(["node:list"])),
            "email" => Some(json!("sample@example.org")),
            "digest" => Some(json!("0".repeat(64))),
            "class" => Some(json!("customer")),
            "field" => Some(json!("host")),
            "from_day" | "to_day" => Some(json!("2026-01-01")),
            "slots" => Some(json!([{ "name": "owner", "role": "owner" }])),
            "nodes" => Some(json!([{ "path": ["sampled"], "kind": "service" }])),
            _ => None,
        }
    }
}
