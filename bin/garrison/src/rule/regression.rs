//! SigmaHQ's regression data: a folder for each rule, with `info.yml` and the events that must match.
//!
//! `info.yml` names the rule in `rule_metadata` and its files in `regression_tests_info`, with the least
//! number of matches. The same events in another format may lie beside a file under the same name; they
//! must match too.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use garrison_decode::evtx;
use garrison_sigma::yaml::{self, Kind, Node, Scalar};
use walkdir::WalkDir;

use super::load;
use super::test::{Bench, Outcome};
use crate::cli::RuleArgs;
use crate::say;

/// Tests the rules with the data in a folder.
pub fn outcomes(args: &RuleArgs, dir: &Path) -> anyhow::Result<Vec<Outcome>> {
    let rules = if args.rules.is_empty() { beside(dir)? } else { args.rules.clone() };
    let loaded = load::load(&RuleArgs { rules, placeholders: args.placeholders.clone() })?;
    for refused in &loaded.refused {
        say!("rule refused: {refused}");
    }
    let bench = Bench::new(loaded.rules)?;
    let mut outcomes = Vec::new();
    for entry in WalkDir::new(dir).sort_by_file_name() {
        let entry = entry.with_context(|| format!("reading {}", dir.display()))?;
        if entry.file_name() == "info.yml" {
            let tested = test(&bench, entry.path());
            let shown = entry.path().display().to_string();
            outcomes.extend(
                tested.unwrap_or_else(|reason| vec![Outcome::new(&shown, "info.yml is read", Err(reason))]),
            );
        }
    }
    Ok(outcomes)
}

/// The folders of rules that lie beside the data in SigmaHQ's layout.
fn beside(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let parent = dir.canonicalize().ok().and_then(|dir| dir.parent().map(Path::to_owned)).unwrap_or_default();
    let entries =
        std::fs::read_dir(&parent).with_context(|| format!("looking for rules in {}", parent.display()))?;
    let mut rules: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.is_dir() && path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("rules"))
        })
        .collect();
    rules.sort();
    Ok(rules)
}

fn test(bench: &Bench, info: &Path) -> Result<Vec<Outcome>, String> {
    let text = std::fs::read_to_string(info).map_err(|error| error.to_string())?;
    let documents = yaml::parse(&text).map_err(|error| error.to_string())?;
    let document = documents.first().ok_or("it is empty")?;
    let rules = document.get("rule_metadata").map(Node::elements).unwrap_or_default();
    let ids: Vec<&str> = rules.iter().filter_map(|rule| rule.get("id").and_then(Node::text)).collect();
    let folder = info.parent().unwrap_or(Path::new("."));
    let declared = document.get("regression_tests_info").map(Node::elements).unwrap_or_default();
    let mut outcomes = Vec::new();
    for id in &ids {
        let rule = bench.rule(id).ok_or_else(|| format!("there is no rule {id}"))?;
        let mut outcome = |name: &str, least, files: &[PathBuf]| {
            let result = files.iter().try_for_each(|file| at_least(bench, id, file, least));
            outcomes.push(Outcome::new(&rule.title, name, result));
        };
        for test in declared {
            let file = test.get("path").and_then(Node::text).ok_or("a test has no `path`")?;
            let name = test.get("name").and_then(Node::text).unwrap_or(file);
            let file = folder.join(Path::new(file).file_name().unwrap_or_default());
            outcome(name, least(test), &with_siblings(&file));
        }
        if declared.is_empty() {
            // No test is declared, but the events are there.
            let files = samples(folder, id);
            if files.is_empty() {
                return Err("no test is declared and no events are there".to_owned());
            }
            outcome("events of the rule", 1, &files);
        }
    }
    Ok(outcomes)
}

fn least(test: &Node) -> usize {
    match test.get("match_count").map(|node| &node.kind) {
        Some(Kind::Scalar(Scalar::Int(count))) => usize::try_from(*count).unwrap_or(1),
        _ => 1,
    }
}

/// The file, and its events in other formats.
fn with_siblings(file: &Path) -> Vec<PathBuf> {
    let mut files = vec![file.to_owned()];
    let json = file.with_extension("json");
    if json != file && json.exists() {
        files.push(json);
    }
    files
}

/// The files that are named by the rule's id.
fn samples(folder: &Path, id: &str) -> Vec<PathBuf> {
    ["evtx", "json", "raw", "log"]
        .iter()
        .map(|extension| folder.join(format!("{id}.{extension}")))
        .filter(|file| file.exists())
        .collect()
}

fn at_least(bench: &Bench, id: &str, file: &Path, least: usize) -> Result<(), String> {
    let shown = file.file_name().unwrap_or_default().to_string_lossy();
    let bytes = std::fs::read(file).map_err(|error| format!("{shown}: {error}"))?;
    let (matches, trouble) = if bytes.starts_with(evtx::MAGIC) {
        bench.matches_evtx(id, &bytes)
    } else {
        (bench.matches(id, &bytes), None)
    };
    if matches >= least {
        return Ok(());
    }
    let trouble = trouble.map(|trouble| format!(" ({trouble})")).unwrap_or_default();
    Err(format!("{shown}: {matches} events match, {least} must{trouble}"))
}
