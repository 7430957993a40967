//! The Sigma engine against an oracle: pySigma parses the rules and `oracle/lower.py` writes down what they
//! mean, `oracle/naive.rs` judges each event by that, and the real binary must find exactly the same.
//!
//! pySigma runs as a program of its own; nothing of it is linked. `GARRISON_ORACLE_PYTHON` names another
//! interpreter than the one that `make test` prepares, `GARRISON_TEST_DATA` another folder of test data.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests fail loudly"
)]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use serde_json::Value;

use crate::tree::Rules;

#[path = "oracle/events.rs"]
mod events;
#[path = "oracle/naive.rs"]
mod naive;
#[path = "oracle/rules.rs"]
mod rules;
#[path = "oracle/tree.rs"]
mod tree;
#[path = "oracle/words.rs"]
mod words;

/// What the binary says when it found something.
const EXIT_FOUND: i32 = 3;
const DIFFERENCES_SHOWN: usize = 10;

/// A line of the events, counted from one, and the id of a rule that matches it.
type Pair = (usize, String);

#[test]
fn sigmahq_rules_over_windows_events() {
    let Some(python) = python() else { return };
    let data = std::env::var_os("GARRISON_TEST_DATA")
        .map_or_else(|| workspace_root().join("../shared/data"), PathBuf::from);
    if !data.is_dir() {
        println!("skipped: no test data");
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let packed = File::open(data.join("events/windows_100k.jsonl.zst")).unwrap();
    let unpacked = BufReader::new(zstd::stream::read::Decoder::new(packed).unwrap());
    let events: Vec<String> = unpacked.lines().take(10_000).map(Result::unwrap).collect();
    let directories = ["rules", "rules-emerging-threats", "rules-threat-hunting"];
    let directories = directories.map(|name| data.join("sigma").join(name));

    let trial = Trial::run(&python, scratch.path(), &directories, &events);
    assert_eq!(trial.rules.rules.len(), 3_754, "active rules of SigmaHQ in the test data");
    trial.assert_agreement(|rule, line| format!("line {line}, {rule}"));
}

#[test]
fn generated_rules_and_events_agree() {
    let Some(python) = python() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let directory = scratch.path().join("rules");
    fs::create_dir(&directory).unwrap();
    let mut events = Vec::new();
    for seed in 1..=8 {
        let mut random = fastrand::Rng::with_seed(seed);
        for number in 0..75 {
            let id = format!("{seed:08x}-0000-4000-8000-{number:012x}");
            fs::write(directory.join(format!("{id}.yml")), rules::rule(&mut random, &id)).unwrap();
            events.push(events::event(&mut random).to_string());
        }
    }

    let trial = Trial::run(&python, scratch.path(), &[directory], &events);
    let (matched, possible) = (trial.expected.len(), trial.rules.rules.len() * events.len());
    assert!(
        (possible / 50..possible * 4 / 5).contains(&matched),
        "{matched} of {possible} pairs match: the generator tests too little"
    );
    trial.assert_agreement(|rule, line| {
        let yaml = fs::read_to_string(rule).unwrap();
        format!("line {line}: {}\n{yaml}", events[line - 1])
    });
}

/// The interpreter that has pySigma. Continuous integration must have one: there a silent skip would hide
/// that nothing is tested.
fn python() -> Option<PathBuf> {
    let prepared = || workspace_root().join("target/oracle-venv/bin/python");
    let python = std::env::var_os("GARRISON_ORACLE_PYTHON").map_or_else(prepared, PathBuf::from);
    if python.exists() {
        return Some(python);
    }
    assert!(std::env::var_os("CI").is_none(), "no pySigma at {}", python.display());
    println!("skipped: no pySigma (run make test)");
    None
}

fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The same rules and events, judged twice.
struct Trial {
    rules: Rules,
    expected: BTreeSet<Pair>,
    found: BTreeSet<Pair>,
}

impl Trial {
    fn run(python: &Path, scratch: &Path, directories: &[PathBuf], events: &[String]) -> Trial {
        let rules = lower(python, &scratch.join("lowered.json"), directories);
        let expected = judge(&rules, events);
        let file = scratch.join("events.ndjson");
        fs::write(&file, events.join("\n")).unwrap();
        let found = hunt(directories, &file);
        println!(
            "{} rules over {} events: {} matching pairs expected, {} found",
            rules.rules.len(),
            events.len(),
            expected.len(),
            found.len()
        );
        Trial { rules, expected, found }
    }

    /// Fails with the first differences, each described from the path of its rule and its line.
    fn assert_agreement(&self, describe: impl Fn(&str, usize) -> String) {
        let missed = self.expected.difference(&self.found).map(|pair| ("missed", pair));
        let invented = self.found.difference(&self.expected).map(|pair| ("invented", pair));
        let mut differences: Vec<(&str, &Pair)> = missed.chain(invented).collect();
        if differences.is_empty() {
            return;
        }
        differences.sort_by_key(|(_, pair)| *pair);
        let shown = differences.iter().take(DIFFERENCES_SHOWN).map(|(kind, (line, id))| {
            let rule = self.rules.rules.iter().find(|rule| rule.id == *id);
            let path =
                rule.map_or_else(|| panic!("found a rule that does not exist: {id}"), |rule| &rule.path);
            format!("{kind}: {}", describe(path, *line))
        });
        let (expected, found, differ) = (self.expected.len(), self.found.len(), differences.len());
        let shown = shown.collect::<Vec<_>>().join("\n");
        panic!("the oracle finds {expected} pairs, the binary {found}; {differ} differ:\n{shown}");
    }
}

fn lower(python: &Path, out: &Path, directories: &[PathBuf]) -> Rules {
    let script = workspace_root().join("tests/oracle/lower.py");
    let status = Command::new(python).arg(script).arg(out).args(directories).status().unwrap();
    assert!(status.success(), "lower.py: {status}");
    let lowered = serde_json::from_reader(BufReader::new(File::open(out).unwrap())).unwrap();
    Rules::read(&lowered).unwrap_or_else(|why| panic!("the oracle cannot judge every rule: {why}"))
}

/// Judges one half of the events on each of two threads.
fn judge(rules: &Rules, events: &[String]) -> BTreeSet<Pair> {
    let judge_one = |(line, event): (usize, &String)| -> Vec<Pair> {
        let event = serde_json::from_str(event).unwrap();
        let matching = naive::matching(rules, &event).into_iter();
        matching.map(|position| (line, rules.rules[position].id.clone())).collect()
    };
    let numbered: Vec<(usize, &String)> = (1..).zip(events).collect();
    thread::scope(|scope| {
        let halves: Vec<_> = numbered
            .chunks(events.len().div_ceil(2))
            .map(|half| scope.spawn(move || half.iter().copied().flat_map(judge_one).collect::<Vec<_>>()))
            .collect();
        halves.into_iter().flat_map(|half| half.join().unwrap()).collect()
    })
}

/// Every rule against every event under the event's own field names.
fn hunt(directories: &[PathBuf], events: &Path) -> BTreeSet<Pair> {
    let mut hunt = Command::new(env!("CARGO_BIN_EXE_garrison"));
    hunt.args(["hunt", "--ungated", "-o", "ndjson"]);
    for directory in directories {
        hunt.arg("--rules").arg(directory);
    }
    let output = hunt.arg(events).output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(EXIT_FOUND), "garrison hunt: {complaint}");
    let findings = std::str::from_utf8(&output.stdout).unwrap().lines();
    findings.map(|finding| pair_of(&serde_json::from_str(finding).unwrap())).collect()
}

fn pair_of(finding: &Value) -> Pair {
    let line = finding["line"].as_u64().unwrap_or_else(|| panic!("no line in {finding}"));
    let id = finding["rule"]["id"].as_str().unwrap_or_else(|| panic!("no rule id in {finding}"));
    (usize::try_from(line).unwrap(), id.to_owned())
}
