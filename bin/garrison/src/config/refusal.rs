//! What serde found wrong, in words that name the key, its origin and what to do.

use anyhow::anyhow;
use figment::Error;
use figment::error::Kind;

use super::load::{COMMAND_LINE, DEFAULT};
use super::shape::Shape;

/// `server.listen` in garrison.toml.
pub fn told(key: &str, origin: &str) -> String {
    match origin {
        DEFAULT => format!("`{key}` by default"),
        COMMAND_LINE => format!("`{key}` on the command line"),
        origin => format!("`{key}` in {origin}"),
    }
}

/// Tells what serde found wrong.
pub fn refusal(error: &Error, shape: Shape<'_>) -> anyhow::Error {
    let key = error.path.join(".");
    let told = told(&key, error.metadata.as_ref().map_or(DEFAULT, |metadata| &metadata.name));
    let shape = shape.at(error.path.iter().map(String::as_str));
    let hint = match shape.and_then(|shape| shape.said("default")) {
        Some(default) if !default.is_null() && !default.is_object() => format!(" (the default is {default})"),
        _ => String::new(),
    };
    // Whoever writes `database = "postgres://..."` has written a password too.
    let table = |expected: &String| expected.starts_with("struct ");
    let secret = shape.is_some_and(Shape::is_secret);
    match &error.kind {
        Kind::UnknownField(name, known) => anyhow!("unknown key {told}{}", meant(&error.path, name, known)),
        Kind::UnknownVariant(name, known) => {
            anyhow!("{told} is `{name}`, which is not known: write one of {}", known.join(", "))
        }
        Kind::InvalidType(_, expected) if table(expected) => anyhow!("{told}: expected a table"),
        Kind::InvalidType(_, expected) | Kind::InvalidValue(_, expected) if secret => {
            anyhow!("{told}: expected {expected}{hint}")
        }
        Kind::InvalidType(found, expected) | Kind::InvalidValue(found, expected) => {
            anyhow!("{told}: expected {expected}, found {found}{hint}")
        }
        _ if secret => anyhow!("{told}: this key does not take such a value{hint}"),
        kind => anyhow!("{told}: {kind}{hint}"),
    }
}

/// The nearest known key of the same table, else all of them.
fn meant(path: &[String], name: &str, known: &[&str]) -> String {
    let near = |known: &&&str| strsim::damerau_levenshtein(name, known);
    let key = |name: &str| match path.split_last() {
        Some((_, table)) if !table.is_empty() => format!("`{}.{name}`", table.join(".")),
        _ => format!("`{name}`"),
    };
    // Further away than a third of the word, a hint would be a guess.
    match known.iter().min_by_key(near) {
        Some(best) if near(&best) <= best.len().div_ceil(3) => format!(": did you mean {}?", key(best)),
        _ => format!(": the keys here are {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Sources, load};

    fn refused(file: &str, environment: &[(&str, &str)], set: &[(&str, &str)]) -> String {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("garrison.toml"), file).unwrap();
        let pairs = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        let (environment, set) = (pairs(environment), pairs(set));
        let sources = Sources { file: None, folder: folder.path().to_owned(), environment, set };
        format!("{:#}", load(&sources).unwrap_err())
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest_one() {
        let file = |text| refused(text, &[], &[]);
        let variable = |name| refused("", &[(name, "x")], &[]);
        assert_eq!(
            file("[server]\nlisen = 'x'"),
            "unknown key `server.lisen` in garrison.toml: did you mean `server.listen`?"
        );
        assert_eq!(
            variable("GARRISON__SEVER__LISTEN"),
            "unknown key `sever` in environment GARRISON__SEVER__LISTEN: did you mean `server`?"
        );
        assert_eq!(
            variable("GARRISON__KEYS__COLOUR_FILE"),
            "unknown key `keys.colour_file` in environment GARRISON__KEYS__COLOUR_FILE: the keys here are dir, \
             passphrase_file"
        );
        assert_eq!(
            refused("", &[], &[("logs", "x")]),
            "unknown key `logs` on the command line: did you mean `log`?"
        );
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_refused_with_its_origin() {
        let set = |key, value| refused("", &[], &[(key, value)]);
        assert_eq!(
            refused("", &[("GARRISON__SERVER__SHUTDOWN_SECONDS", "soon")], &[]),
            "`server.shutdown_seconds` in environment GARRISON__SERVER__SHUTDOWN_SECONDS: expected u32, found \
             string \"soon\" (the default is 20)"
        );
        assert_eq!(
            set("server.tls", "on"),
            "`server.tls` on the command line is `on`, which is not known: write one of own-ca, files, off"
        );
        assert!(
            set("server.listen", "8443").starts_with("`server.listen` on the command line: invalid socket")
        );
        assert!(set("server.trusted_proxies", "10.0.0.1/8").contains("behind its prefix: write 10.0.0.0/8"));
        assert!(set("server.trusted_proxies", "x").contains("x is not a network"));
    }

    #[test]
    fn no_refusal_shows_a_secret() {
        assert_eq!(
            refused("[database]\nurl = 4711", &[], &[]),
            "`database.url` in garrison.toml: expected a string (the default is \"sqlite\")"
        );
        assert_eq!(
            refused("database = 'postgres://g:hunter2@db'", &[], &[]),
            "`database` in garrison.toml: expected a table"
        );
        assert_eq!(
            refused("[database.url]\npassword = 'hunter2'", &[], &[]),
            "`database.url` in garrison.toml: expected a string (the default is \"sqlite\")"
        );
    }
}
