//! The `garrison.toml` that `garrison init` writes.

use std::path::{Path, absolute};

use serde_json::Value as Json;

use super::Config;
use super::shape::{Shape, schema};

/// Where comments are broken.
const WIDTH: usize = 100;

/// A commented configuration file for the folder it will lie in.
///
/// What differs from the default is written out, and so are the paths of folders, relative to `folder`
/// where they are inside it: the file then means the same wherever the server is started. Every other key
/// is there as a comment. A secret is never written; it too is a comment with its default.
///
/// # Errors
/// A path that cannot be made absolute, because the current folder is gone.
pub fn starter(config: &Config, folder: &Path) -> anyhow::Result<String> {
    let schema = schema();
    let values = (serde_json::to_value(config)?, serde_json::to_value(Config::default())?);
    let mut text = String::from(
        "# The configuration of Garrison. What begins with `#` is a comment: a key in a comment has its\n\
         # default. `garrison config show --origin` tells what counts, and why.\n",
    );
    table(&mut text, Shape::new(&schema), (&values.0, &values.1), &Place { folder, name: String::new() })?;
    Ok(text)
}

struct Place<'a> {
    folder: &'a Path,
    name: String,
}

/// The keys of one table first, then the tables below it, as TOML demands.
fn table(
    text: &mut String,
    shape: Shape<'_>,
    values: (&Json, &Json),
    place: &Place<'_>,
) -> anyhow::Result<()> {
    let mut tables = Vec::new();
    let written = values.0.as_object().into_iter().flatten();
    for (name, value) in written {
        let Some(below) = shape.at([name.as_str()]) else { continue };
        let default = values.1.get(name).unwrap_or(&Json::Null);
        if below.keys().next().is_some() && value.is_object() {
            tables.push((name, below, (value, default)));
        } else {
            text.push('\n');
            comment(text, below);
            line(text, (name, below), (value, default), place)?;
        }
    }
    for (name, below, values) in tables {
        let full = if place.name.is_empty() { name.clone() } else { format!("{}.{name}", place.name) };
        text.push('\n');
        comment(text, below);
        text.push_str(&format!("[{full}]\n"));
        table(text, below, values, &Place { folder: place.folder, name: full })?;
    }
    Ok(())
}

fn line(
    text: &mut String,
    (name, shape): (&str, Shape<'_>),
    (value, default): (&Json, &Json),
    place: &Place<'_>,
) -> anyhow::Result<()> {
    let example = shape.said("examples").and_then(|examples| examples.get(0));
    let path = shape.said("format").is_some_and(|format| format == "path");
    match value {
        _ if shape.is_secret() => {
            let default = shape.said("default").unwrap_or(default);
            text.push_str(&format!("# {name} = {default}\n"));
        }
        Json::Null => match example {
            Some(example) => text.push_str(&format!("# {name} = {example}\n")),
            None => text.push_str(&format!("# {name} =\n")),
        },
        Json::String(value) if path => {
            let (value, folder) = (absolute(value)?, absolute(place.folder)?);
            let value = value.strip_prefix(folder).unwrap_or(&value);
            text.push_str(&format!("{name} = {}\n", Json::from(value.to_string_lossy())));
        }
        value if value == default => text.push_str(&format!("# {name} = {value}\n")),
        value => text.push_str(&format!("{name} = {value}\n")),
    }
    Ok(())
}

fn comment(text: &mut String, shape: Shape<'_>) {
    let description = shape.said("description").and_then(Json::as_str).unwrap_or_default();
    let mut line = String::from("#");
    for word in description.split_whitespace() {
        if line.len() + 1 + word.len() > WIDTH {
            text.push_str(&format!("{line}\n"));
            "#".clone_into(&mut line);
        }
        line.push(' ');
        line.push_str(word);
    }
    if line.len() > 1 {
        text.push_str(&format!("{line}\n"));
    }
}

#[cfg(test)]
mod tests {
    use figment::value::Dict;

    use super::super::{Data, Keys, Server, Sources, load};
    use super::*;

    fn uncommented(text: &str) -> String {
        let key = |line: &&str| line.contains(" = ") || line.starts_with('[');
        text.lines().map(|line| line.trim_start_matches("# ")).filter(key).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_starter_is_read_back_as_what_it_was_made_from() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config {
            server: Server { names: vec!["siem.example".into(), "a\"b".into()], ..Server::default() },
            data: Data { dir: folder.path().join("data") },
            keys: Keys { dir: "/var/lib/garrison/keys".into(), passphrase_file: None },
            ..Config::default()
        };
        let text = starter(&config, folder.path()).unwrap();
        assert!(text.contains("\ndir = \"data\"\n"), "{text}");
        assert!(text.contains("\ndir = \"/var/lib/garrison/keys\"\n"), "{text}");
        assert!(text.contains("\nnames = [\"siem.example\",\"a\\\"b\"]\n"), "{text}");
        assert!(text.contains("\n# listen = \"127.0.0.1:8443\"\n"), "{text}");
        assert!(text.contains("\n# url = \"sqlite\"\n"), "{text}");
        assert!(text.lines().all(|line| line.len() <= WIDTH), "{text}");
        let read: Dict = toml::from_str(&text).unwrap();
        assert_eq!(read.len(), 11);

        std::fs::write(folder.path().join("garrison.toml"), text.replace("a\\\"b", "b.example")).unwrap();
        let sources = Sources { folder: folder.path().into(), ..Sources::default() };
        let config = load(&sources).unwrap().config;
        assert_eq!(config.server.names, ["siem.example", "b.example"]);
        assert_eq!(config.data.dir, folder.path().join("data"));
    }

    #[test]
    fn every_commented_key_is_one_that_can_be_used() {
        let folder = tempfile::tempdir().unwrap();
        let text = starter(&Config::default(), folder.path()).unwrap();
        let text = uncommented(&text).replace("\"own-ca\"", "\"files\"");
        std::fs::write(folder.path().join("garrison.toml"), &text).unwrap();
        let sources = Sources { folder: folder.path().into(), ..Sources::default() };
        let loaded = load(&sources).unwrap_or_else(|error| panic!("{error:#}\n{text}"));
        // A table that may be missing as a whole has no line of its own.
        for setting in loaded.show(true).unwrap().into_iter().filter(|setting| setting.key != "notices.smtp")
        {
            assert_eq!(setting.origin.as_deref(), Some("garrison.toml"), "{setting:?}\n{text}");
        }
    }
}
