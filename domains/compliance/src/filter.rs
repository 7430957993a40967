//! The filter language of logs, asked of records.

use garrison_base::Timestamp;
use garrison_search::{Op, Pattern, Query, Ready, Test, matches_text};
use serde_json::Value as Json;

/// The fields that a record has, beside those of what was asked for (`content.NAME`).
const FIELDS: [&str; 23] = [
    "log_id",
    "seq",
    "received",
    "tenant",
    "node",
    "stream",
    "tag",
    "actor.id",
    "actor.name",
    "actor.groups",
    "actor.kind",
    "source.ip",
    "source.port",
    "source.sender",
    "operation",
    "method",
    "object.kind",
    "object.id",
    "object.component",
    "result",
    "reason",
    "session",
    "request",
];

/// What people call them.
const CALLED: [(&str, &[&str]); 8] = [
    ("time", &["received"]),
    ("verb", &["operation"]),
    ("actor", &["actor.name", "actor.id"]),
    ("user", &["actor.name", "actor.id"]),
    ("group", &["actor.groups"]),
    ("ip", &["source.ip"]),
    ("object", &["object.id"]),
    ("approvals", &["approvals"]),
];

/// A filter that is ready to be asked of many records.
#[derive(Debug)]
pub(crate) enum Filter {
    All,
    Every(Vec<Filter>),
    Any(Vec<Filter>),
    Not(Box<Filter>),
    Text(Pattern),
    Field(Vec<String>, Wanted),
}

/// What a field must be.
#[derive(Debug)]
pub(crate) enum Wanted {
    Test(Ready),
    Time(Op, Timestamp),
}

impl Filter {
    /// Reads a filter. The error tells what is wrong, and where.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let query =
            garrison_search::parse(text).map_err(|error| format!("{error}\n{}", error.pointed(text)))?;
        Self::of(&query)
    }

    /// Nested no deeper than the parser lets a query be.
    fn of(query: &Query) -> Result<Self, String> {
        let all = |parts: &[Query]| parts.iter().map(Self::of).collect::<Result<Vec<_>, _>>();
        Ok(match query {
            Query::All => Self::All,
            Query::And(parts) => Self::Every(all(parts)?),
            Query::Or(parts) => Self::Any(all(parts)?),
            Query::Not(inner) => Self::Not(Box::new(Self::of(inner)?)),
            Query::Text(pattern) => Self::Text(pattern.clone()),
            Query::Field { name, test } => {
                let names = names(name)?;
                let is_time = names.iter().any(|name| name == "received");
                Self::Field(names, Wanted::of(test, is_time)?)
            }
        })
    }

    /// Whether a record passes; the bytes are those of its JSON.
    pub(crate) fn holds(&self, record: &[u8]) -> bool {
        if matches!(self, Self::All) {
            return true;
        }
        let mut fields = Vec::new();
        if let Ok(record) = serde_json::from_slice(record) {
            tell("", &record, &mut fields);
        }
        self.judge(&String::from_utf8_lossy(record), &fields)
    }

    fn judge(&self, text: &str, fields: &[(String, String)]) -> bool {
        match self {
            Self::All => true,
            Self::Every(parts) => parts.iter().all(|part| part.judge(text, fields)),
            Self::Any(parts) => parts.iter().any(|part| part.judge(text, fields)),
            Self::Not(inner) => !inner.judge(text, fields),
            Self::Text(pattern) => matches_text(pattern, text),
            Self::Field(names, wanted) => fields.iter().any(|(name, value)| {
                names.iter().any(|one| one.eq_ignore_ascii_case(name)) && wanted.holds(value)
            }),
        }
    }
}

impl Wanted {
    fn of(test: &Test, is_time: bool) -> Result<Self, String> {
        match test {
            // What is asked must mean the same whenever the pack is read.
            Test::Compare(op, text) if is_time => {
                let bad = |_| format!("`{text}` is no time here: write it out, such as 2026-11-22T10:00:00Z");
                text.parse().map(|at| Self::Time(*op, at)).map_err(bad)
            }
            test => Ready::new(test).map(Self::Test).map_err(|error| error.to_string()),
        }
    }

    fn holds(&self, value: &str) -> bool {
        match self {
            Self::Time(op, at) => value.parse::<Timestamp>().is_ok_and(|value| op.holds(value.cmp(at))),
            Self::Test(ready) => ready.holds(value),
        }
    }
}

/// The fields that a name means. A name that none has would find nothing, and nobody would know why.
fn names(name: &str) -> Result<Vec<String>, String> {
    let wanted = name.to_ascii_lowercase();
    if let Some((_, fields)) = CALLED.iter().find(|(called, _)| *called == wanted) {
        return Ok(fields.iter().map(|field| (*field).to_owned()).collect());
    }
    if FIELDS.contains(&wanted.as_str()) || wanted.starts_with("content.") {
        return Ok(vec![wanted]);
    }
    let called = CALLED.iter().map(|(called, _)| *called);
    let known: Vec<_> = FIELDS.into_iter().chain(called).collect();
    Err(format!("a record has no field `{name}`; it has content.NAME, {}", known.join(", ")))
}

/// The values of a record, each with the way to it.
fn tell(path: &str, value: &Json, fields: &mut Vec<(String, String)>) {
    match value {
        Json::Object(members) => {
            for (name, value) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                tell(&path, value, fields);
            }
        }
        Json::Array(items) => items.iter().for_each(|item| tell(path, item, fields)),
        Json::Null => {}
        Json::String(text) => fields.push((path.to_owned(), text.clone())),
        Json::Bool(_) | Json::Number(_) => fields.push((path.to_owned(), value.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str = r#"{"log_id":"acts","seq":42,"received":"2026-11-22T10:00:00.5Z","node":"node_1","actor":
        {"id":"per_1","name":"olga","groups":["everyone","auditors"],"kind":"person"},"source":{"ip":"192.0.2.7",
        "port":4012,"sender":"garrison/0.1.0"},"operation":"grant:create","object":{"kind":"grant","id":"grt_1"},
        "content":{"holder":"per_2","Role":"auditor","until":null,"days":90},"result":"success","reason":"granted"}"#;

    #[test]
    fn records_are_asked_in_the_language_of_logs() {
        for (query, expected) in [
            ("", true),
            ("olga", true),
            ("olg", false),
            ("operation:grant:create", true),
            ("operation:\"grant:create\"", true),
            ("verb:grant* result:success", true),
            ("verb:node* or actor:OLGA", true),
            ("actor:per_1 and not result:denied", true),
            ("not actor:olga", false),
            ("result!=success", false),
            ("group:auditors", true),
            ("seq>=42 seq<43", true),
            ("seq>x", false),
            ("ip:192.0.2.0/24", true),
            ("source.ip:198.51.100.0/24", false),
            ("reason:/^gr.*d$/", true),
            ("content.role:auditor content.days>30", true),
            ("content.until:*", false),
            ("time>2026-11-22T10:00:00Z time<\"2026-11-22T10:00:01Z\"", true),
            ("received:2026-11-22*", true),
            ("object:(grt_1 or grt_2)", true),
        ] {
            let filter = Filter::parse(query).unwrap_or_else(|error| panic!("{query}: {error}"));
            assert_eq!(filter.holds(RECORD.as_bytes()), expected, "{query}");
        }
    }

    #[test]
    fn what_would_find_nothing_for_a_reason_is_refused() {
        for (query, why) in [
            ("verb:(grant*", "\n"),
            ("acter:olga", "no field `acter`"),
            ("time>now-15m", "no time here"),
            ("reason:/(/", "regex"),
        ] {
            let refused = Filter::parse(query).unwrap_err();
            assert!(refused.contains(why), "{query}: {refused}");
        }
        assert!(!Filter::parse("x").unwrap().holds(b"not JSON"));
    }
}
