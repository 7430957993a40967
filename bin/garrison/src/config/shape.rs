//! What the schema says of a key: so that a text from the environment becomes what the key takes, a
//! relative path becomes one from the right folder, and a secret is not printed.

use std::path::Path;

use figment::value::{Dict, Tag, Value};
use schemars::JsonSchema as _;
use schemars::generate::SchemaSettings;
use serde_json::Value as Json;

use super::Config;

/// The JSON Schema (draft 2020-12) of the configuration.
pub fn schema() -> Json {
    let settings = SchemaSettings::draft2020_12();
    let mut schema = settings.into_generator().into_root_schema_for::<Config>();
    schema.insert("title".to_owned(), Config::schema_name().into());
    schema.to_value()
}

/// The part of a schema that speaks of one key.
#[derive(Clone, Copy)]
pub struct Shape<'a> {
    root: &'a Json,
    node: &'a Json,
}

impl<'a> Shape<'a> {
    /// The shape of the whole.
    pub fn new(root: &'a Json) -> Self {
        Self { root, node: root }
    }

    /// The shape of a key below, from the names that lead to it; a number leads into a list.
    pub fn at<'k>(self, names: impl IntoIterator<Item = &'k str>) -> Option<Self> {
        names.into_iter().try_fold(self, Self::below)
    }

    /// The keys of a table, sorted.
    pub fn keys(self) -> impl Iterator<Item = &'a str> {
        let keys = self.followed().node.get("properties").and_then(Json::as_object);
        keys.into_iter().flat_map(|keys| keys.keys().map(String::as_str))
    }

    /// What the schema says of this very place: its description, default, format.
    pub fn said(self, what: &str) -> Option<&'a Json> {
        self.node.get(what).or_else(|| self.followed().node.get(what))
    }

    /// Whether the value must not be printed.
    pub fn is_secret(self) -> bool {
        self.said("writeOnly").and_then(Json::as_bool).unwrap_or(false)
    }

    /// The value that a text stands for. A list may be given as in TOML, or with commas between its
    /// items. What the key does not take stays a text, for the error message to show.
    pub fn value(self, text: &str) -> Value {
        let shape = self.followed();
        if shape.takes("string") {
            return Value::from(text);
        }
        let toml = toml::from_str::<Dict>(&format!("value = {text}")).ok();
        if let Some(value) = toml.filter(|dict| dict.len() == 1).and_then(|mut dict| dict.remove("value")) {
            return value;
        }
        match shape.below("0") {
            Some(item) if shape.takes("array") => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                Value::Array(Tag::Default, items.map(|text| item.value(text)).collect())
            }
            _ => Value::from(text),
        }
    }

    /// Makes the relative paths in a value start from `folder`.
    pub fn root_paths(self, value: &mut Value, folder: &Path) {
        match value {
            Value::Dict(_, dict) => {
                for (name, value) in dict {
                    if let Some(shape) = self.below(name) {
                        shape.root_paths(value, folder);
                    }
                }
            }
            Value::Array(_, items) => {
                if let Some(shape) = self.below("0") {
                    for item in items {
                        shape.root_paths(item, folder);
                    }
                }
            }
            Value::String(_, text) => match self.said("format").and_then(Json::as_str) {
                Some("path") => *text = rooted(text, folder),
                Some("database-url") => {
                    if let Some(path) = text.strip_prefix("sqlite:").filter(|path| !path.is_empty()) {
                        *text = format!("sqlite:{}", rooted(path, folder));
                    }
                }
                _ => {}
            },
            _ => {}
        }
    }

    fn below(self, name: &str) -> Option<Self> {
        let shape = self.followed();
        let property = shape.node.get("properties").and_then(|keys| keys.get(name));
        // A map with names that its user chooses says so with a schema, not with `false`.
        let free = || shape.node.get("additionalProperties").filter(|any| any.is_object());
        let item = || shape.node.get("items").filter(|_| name.parse::<usize>().is_ok());
        property.or_else(free).or_else(item).map(|node| Self { node, ..self })
    }

    /// Behind `$ref`, and behind the choice between something and nothing that `Option` makes.
    fn followed(self) -> Self {
        let pointer = self.node.get("$ref").and_then(Json::as_str).and_then(|path| path.strip_prefix('#'));
        if let Some(node) = pointer.and_then(|pointer| self.root.pointer(pointer)) {
            return Self { node, ..self }.followed();
        }
        let some = |node: &&Json| node.get("type").and_then(Json::as_str) != Some("null");
        let choices = self.node.get("anyOf").and_then(Json::as_array);
        let mut choices = choices.into_iter().flatten().filter(some);
        match (choices.next(), choices.next()) {
            (Some(node), None) => Self { node, ..self }.followed(),
            _ => self,
        }
    }

    fn takes(self, kind: &str) -> bool {
        let is = |node: &Json| match node.get("type") {
            Some(Json::String(one)) => one == kind,
            Some(Json::Array(many)) => many.iter().any(|one| one == kind),
            _ => false,
        };
        let each = self.node.get("oneOf").and_then(Json::as_array);
        is(self.node) || each.is_some_and(|each| each.iter().all(is))
    }
}

/// The path without `.` in it, from `folder` on if it is relative.
fn rooted(path: &str, folder: &Path) -> String {
    let path: std::path::PathBuf = folder.join(path).components().collect();
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(key: &str, text: &str) -> Value {
        let schema = schema();
        Shape::new(&schema).at(key.split('.')).unwrap().value(text)
    }

    #[test]
    fn a_text_becomes_what_the_key_takes() {
        assert_eq!(value("server.shutdown_seconds", "5"), Value::from(5));
        assert_eq!(value("server.shutdown_seconds", "5\nx = 1"), Value::from("5\nx = 1"));
        assert_eq!(value("server.public_url", "true"), Value::from("true"));
        assert_eq!(value("server.tls", "off"), Value::from("off"));
        assert_eq!(value("database.url", "12"), Value::from("12"));
        let names = Value::from(vec!["a.example", "10"]);
        assert_eq!(value("server.names", "a.example, 10,"), names);
        assert_eq!(value("server.names", r#"["a.example", "10"]"#), names);
        assert_eq!(value("server.names", ""), Value::from(Vec::<String>::new()));
    }

    #[test]
    fn paths_start_from_the_folder_of_the_file() {
        let schema = schema();
        let text =
            "[data]\ndir = './d'\n[server]\nkey = '/k'\nnames = ['n']\n[database]\nurl = 'sqlite:g.db'";
        let mut dict = Value::from(toml::from_str::<Dict>(text).unwrap());
        Shape::new(&schema).root_paths(&mut dict, Path::new("/etc/garrison"));
        let at = |key| dict.find_ref(key).unwrap();
        assert_eq!(at("data.dir"), &Value::from("/etc/garrison/d"));
        assert_eq!(at("server.key"), &Value::from("/k"));
        assert_eq!(at("server.names"), &Value::from(vec!["n"]));
        assert_eq!(at("database.url"), &Value::from("sqlite:/etc/garrison/g.db"));
    }

    #[test]
    fn every_key_is_described_and_closed() {
        fn walk(shape: Shape<'_>, path: &str) {
            for key in shape.keys() {
                let below = shape.below(key).unwrap();
                let path = format!("{path}.{key}");
                assert!(below.said("description").is_some(), "{path} has no doc comment");
                if below.keys().next().is_some() {
                    assert_eq!(below.said("additionalProperties"), Some(&Json::Bool(false)), "{path}");
                }
                walk(below, &path);
            }
        }
        let schema = schema();
        walk(Shape::new(&schema), "");
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["$defs"]["Database"]["properties"]["url"]["default"], "sqlite");
    }
}
