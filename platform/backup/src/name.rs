use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What an object is called: where it came from, and where it goes. A path of a fixed grammar, because whoever restores
/// makes files of it: up to eight parts of letters, digits, `.`, `_` and `-`, none of which is `.` or `..`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ObjectName(String);

/// Text that is no name of an object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the name of an object of a backup")]
pub struct BadName(String);

impl ObjectName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first part, which tells what kind of thing it is, and the rest.
    pub fn kind(&self) -> (&str, &str) {
        self.0.split_once('/').unwrap_or((&self.0, ""))
    }
}

impl TryFrom<String> for ObjectName {
    type Error = BadName;

    fn try_from(text: String) -> Result<Self, BadName> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let part = |part: &str| {
            (1..=200).contains(&part.len()) && !matches!(part, "." | "..") && part.bytes().all(plain)
        };
        let parts = text.split('/').count();
        if (2..=8).contains(&parts) && text.split('/').all(part) {
            Ok(Self(text))
        } else {
            Err(BadName(text))
        }
    }
}

impl FromStr for ObjectName {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        text.to_owned().try_into()
    }
}

impl From<ObjectName> for String {
    fn from(name: ObjectName) -> Self {
        name.0
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_to_no_other_place() {
        for name in ["keys/root.key", "lake/ten_01J/auth/2026-11-22/10-ab.parquet.words.sealed", "a/..b"] {
            assert_eq!(name.parse::<ObjectName>().unwrap().as_str(), name);
        }
        assert_eq!("keys/tls/ca.pem".parse::<ObjectName>().unwrap().kind(), ("keys", "tls/ca.pem"));
        let long = format!("a/{}", "x".repeat(201));
        for name in [
            "",
            "keys",
            "/etc/passwd",
            "keys/",
            "keys//x",
            "keys/../x",
            "../x",
            "keys/./x",
            "keys/a b",
            "keys/é",
            "keys/a\0",
            "keys\\x/y",
            "1/2/3/4/5/6/7/8/9",
            &long,
        ] {
            assert!(name.parse::<ObjectName>().is_err(), "{name}");
        }
    }
}
