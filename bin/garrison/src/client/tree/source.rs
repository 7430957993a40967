//! The nodes that a file names, each with its place in the file.

use std::io::Read as _;
use std::path::Path;

use anyhow::Context as _;
use garrison_base::PathName;
use garrison_kernel::NodeKind;
use serde::Deserialize;
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error as BadWord, StrDeserializer};
use serde_saphyr::{Spanned, options};

use super::refused;

/// How large a file may be, in bytes; read before it is parsed.
const FILE_BYTES: u64 = 256 << 20;

/// How deep a tree goes at most.
const DEPTH: usize = 25;

/// A node as it should be.
#[derive(Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its path from the root.
    pub path: String,
    /// Its kind.
    pub kind: NodeKind,
    /// Whether it is production.
    pub production: bool,
    /// Where the file says so.
    pub place: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    path: Spanned<String>,
    kind: NodeKind,
    #[serde(default)]
    production: bool,
}

type Read = Result<Vec<Wanted>, Vec<String>>;

/// Reads a YAML or JSON list.
pub fn file(path: &Path) -> anyhow::Result<Vec<Wanted>> {
    yaml(&text(path)?).map_err(|errors| refused(path, &errors).into())
}

/// Reads CSV with a head line.
pub fn csv(path: &Path) -> anyhow::Result<Vec<Wanted>> {
    records(&text(path)?).map_err(|errors| refused(path, &errors).into())
}

fn text(path: &Path) -> anyhow::Result<String> {
    let told = || format!("reading {}", path.display());
    if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin()
            .lock()
            .take(FILE_BYTES + 1)
            .read_to_string(&mut text)
            .context("reading standard input")?;
        anyhow::ensure!(text.len() as u64 <= FILE_BYTES, "standard input has more than {FILE_BYTES} bytes");
        return Ok(text);
    }
    let size = std::fs::metadata(path).with_context(told)?.len();
    anyhow::ensure!(size <= FILE_BYTES, "{} is larger than {FILE_BYTES} bytes", path.display());
    std::fs::read_to_string(path).with_context(told)
}

fn yaml(text: &str) -> Read {
    let budget = serde_saphyr::budget! { max_nodes: 20_000_000, max_events: 50_000_000 };
    let options = options! { budget: budget };
    let entries: Vec<Entry> = serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let words = error.without_snippet().to_string();
        vec![words.lines().next().unwrap_or("this is no list of nodes").to_owned()]
    })?;
    let mut errors = Vec::new();
    let mut wanted = Vec::with_capacity(entries.len());
    for Entry { path, kind, production } in entries {
        let place = format!("line {}, column {}", path.referenced.line(), path.referenced.column());
        match checked(&path.value) {
            Ok(()) => wanted.push(Wanted { path: path.value, kind, production, place }),
            Err(error) => errors.push(format!("{place}: {error}")),
        }
    }
    if errors.is_empty() { Ok(wanted) } else { Err(errors) }
}

/// Which column of the file holds what.
struct Head {
    path: usize,
    kind: usize,
    production: Option<usize>,
}

fn records(text: &str) -> Read {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let head = reader.headers().map_err(|error| vec![format!("line 1: {error}")])?;
    let head = head_line(head).map_err(|error| vec![format!("line 1: {error}")])?;
    let mut errors = Vec::new();
    let mut wanted = Vec::new();
    for record in reader.records() {
        let read = record.map_err(|error| unreadable(&error)).and_then(|record| {
            let line = record.position().map_or(0, csv::Position::line);
            node(&head, &record, line)
        });
        match read {
            Ok(node) => wanted.push(node),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(wanted) } else { Err(errors) }
}

fn unreadable(error: &csv::Error) -> String {
    match (error.position(), error.kind()) {
        (Some(at), csv::ErrorKind::UnequalLengths { expected_len, len, .. }) => {
            format!("line {}: {len} columns, where the head line has {expected_len}", at.line())
        }
        _ => error.to_string(),
    }
}

fn head_line(head: &csv::StringRecord) -> Result<Head, String> {
    let place = |name: &str| head.iter().position(|cell| cell.eq_ignore_ascii_case(name));
    let known =
        |cell: &&str| ["path", "kind", "production"].iter().any(|name| cell.eq_ignore_ascii_case(name));
    if let Some(other) = head.iter().find(|cell| !known(cell)) {
        return Err(format!("there is no column `{other}`; there are path, kind and production"));
    }
    let needed = |name: &str| place(name).ok_or_else(|| format!("the column `{name}` is missing"));
    Ok(Head { path: needed("path")?, kind: needed("kind")?, production: place("production") })
}

fn node(head: &Head, record: &csv::StringRecord, line: u64) -> Result<Wanted, String> {
    let at = |column: &str, error: &dyn std::fmt::Display| format!("line {line}, column {column}: {error}");
    let cell = |place: usize| record.get(place).unwrap_or_default();
    let path = cell(head.path);
    checked(path).map_err(|error| at("path", &error))?;
    let word: StrDeserializer<'_, BadWord> = cell(head.kind).into_deserializer();
    let kind = NodeKind::deserialize(word).map_err(|error| at("kind", &error))?;
    let production = match head.production.map(cell).unwrap_or_default().to_ascii_lowercase().as_str() {
        "" | "false" | "no" => false,
        "true" | "yes" => true,
        other => return Err(at("production", &format!("`{other}` is neither true nor false"))),
    };
    Ok(Wanted { path: path.to_owned(), kind, production, place: format!("line {line}") })
}

fn checked(path: &str) -> Result<(), String> {
    if path.split('/').count() > DEPTH {
        return Err(format!("a tree is at most {DEPTH} names deep"));
    }
    let bad = path.split('/').find_map(|name| name.parse::<PathName>().err().map(|error| (name, error)));
    bad.map_or(Ok(()), |(name, error)| Err(format!("`{name}`: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(path: &str, kind: NodeKind, production: bool, place: &str) -> Wanted {
        Wanted { path: path.into(), kind, production, place: place.into() }
    }

    #[test]
    fn a_list_in_yaml_or_json() {
        let text = "- path: acme/shop\n  kind: product\n- {path: acme/shop/live, kind: environment, production: true}\n";
        let read = yaml(text).unwrap();
        assert_eq!(read[0], wanted("acme/shop", NodeKind::Product, false, "line 1, column 9"));
        assert_eq!((read[1].path.as_str(), read[1].production), ("acme/shop/live", true));
        let read = yaml(r#"[{"path": "acme", "kind": "group"}]"#).unwrap();
        assert_eq!((read.len(), read[0].kind), (1, NodeKind::Group));
    }

    #[test]
    fn mistakes_in_yaml_have_a_place() {
        let refused = |text: &str| yaml(text).unwrap_err().join("\n");
        assert!(refused("- path: acme//x\n  kind: group\n").contains("line 1, column 9"));
        let kind = refused("- path: a\n  kind: group\n- path: b\n  kind: planet\n");
        assert!(kind.contains("planet") && kind.contains("line 4"), "{kind}");
        assert!(refused("- path: a\n  knd: group\n").contains("knd"));
        assert!(!refused("nothing").is_empty());
    }

    #[test]
    fn columns_in_any_order() {
        let read =
            records("kind,production,path\nproduct,,acme/shop\nenvironment,yes,\"acme/shop/live, eu\"\n")
                .unwrap();
        assert_eq!(read[0], wanted("acme/shop", NodeKind::Product, false, "line 2"));
        assert_eq!(read[1], wanted("acme/shop/live, eu", NodeKind::Environment, true, "line 3"));
        assert_eq!(records("PATH,KIND\n").unwrap(), []);
    }

    #[test]
    fn every_mistake_in_csv_is_told_with_line_and_column() {
        let text = "path,kind,production\nacme,group,maybe\nacme,planet,no\na//b,group,no\nacme,group\nacme,group,no\n";
        let errors = records(text).unwrap_err();
        let begins = [
            "line 2, column production: ",
            "line 3, column kind: ",
            "line 4, column path: ",
            "line 5: 2 columns",
        ];
        assert_eq!(errors.len(), begins.len(), "{errors:?}");
        for (error, begin) in errors.iter().zip(begins) {
            assert!(error.starts_with(begin), "{error}");
        }
        assert!(records("path\nacme\n").unwrap_err()[0].contains("`kind` is missing"));
        assert!(records("path,kind,size\n").unwrap_err()[0].contains("no column `size`"));
        assert!(records("").unwrap_err()[0].starts_with("line 1"));
    }
}
