//! `garrison rule test`: rules against the events beside them.

use std::collections::BTreeSet;

use garrison_base::{Exit, Fields};
use garrison_decode::{Decoder, Framer, Record};
use garrison_sigma::yaml::{self, Node};
use garrison_sigma::{Gate, Rule, RuleSet, Scratch};
use serde::Serialize;

use super::load::{self, Loaded, SourceFile};
use super::regression;
use crate::cli::RuleTestArgs;
use crate::output::{Column, Printer, Row};
use crate::say;

/// The outcome of one test.
#[derive(Serialize)]
pub struct Outcome {
    pub result: &'static str,
    pub rule: String,
    pub test: String,
    /// Why it failed.
    pub reason: Option<String>,
}

impl Outcome {
    /// A test that passed, or failed for a reason.
    pub fn new(rule: &str, test: &str, result: Result<(), String>) -> Self {
        let reason = result.err();
        let result = if reason.is_none() { "passed" } else { "failed" };
        Self { result, rule: rule.to_owned(), test: test.to_owned(), reason }
    }
}

impl Row for Outcome {
    const COLUMNS: &'static [Column] = &[
        Column::new("RESULT", 7),
        Column::new("RULE", 56),
        Column::new("TEST", 40),
        Column::new("REASON", 1),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.result.to_owned(),
            self.rule.clone(),
            self.test.clone(),
            self.reason.clone().unwrap_or_default(),
        ]
    }
}

pub fn run(args: &RuleTestArgs) -> anyhow::Result<Exit> {
    let outcomes = match &args.regression {
        Some(dir) => regression::outcomes(&args.rules, dir)?,
        None => outcomes(load::load(&args.rules)?)?,
    };
    let failed = outcomes.iter().filter(|outcome| outcome.reason.is_some()).count();
    let mut printer = Printer::stdout(args.output.output);
    outcomes.iter().try_for_each(|outcome| printer.row(outcome))?;
    printer.finish::<Outcome>()?;
    say!("{} passed, {failed} failed", outcomes.len() - failed);
    Ok(if failed > 0 { Exit::Found } else { Exit::Ok })
}

fn outcomes(loaded: Loaded) -> anyhow::Result<Vec<Outcome>> {
    let Loaded { rules, refused, tests } = loaded;
    let mut outcomes: Vec<Outcome> = refused
        .iter()
        .map(|refused| Outcome::new(&refused.file, "the rule can be used", Err(refused.to_string())))
        .collect();
    let bench = Bench::new(rules)?;
    let mut tested = BTreeSet::new();
    for file in &tests {
        if let Err(reason) = test_file(&bench, file, &mut tested, &mut outcomes) {
            outcomes.push(Outcome::new(&file.name, "the test file is read", Err(reason)));
        }
    }
    for rule in bench.set.rules().iter().filter(|rule| !tested.contains(&rule.id)) {
        say!("{} has no tests", rule.file);
    }
    Ok(outcomes)
}

fn test_file(
    bench: &Bench,
    file: &SourceFile,
    tested: &mut BTreeSet<String>,
    outcomes: &mut Vec<Outcome>,
) -> Result<(), String> {
    let documents = yaml::parse(&file.text).map_err(|error| error.to_string())?;
    for document in &documents {
        let id = document.get("rule").and_then(Node::text).ok_or("`rule` wants the id of a rule")?;
        let rule = bench.rule(id).ok_or_else(|| format!("there is no rule {id}"))?;
        tested.insert(id.to_owned());
        for (key, wanted) in [("positive", true), ("negative", false)] {
            for case in document.get(key).map(Node::elements).unwrap_or_default() {
                let text = |key: &str| case.get(key).and_then(Node::text);
                let name =
                    text("name").ok_or_else(|| format!("line {}: a test wants a `name`", case.line))?;
                let events =
                    text("events").ok_or_else(|| format!("line {}: a test wants `events`", case.line))?;
                let matched = bench.matches(&rule.id, events.as_bytes()) > 0;
                let result = match (matched, wanted) {
                    (false, true) => Err("no event matches".to_owned()),
                    (true, false) => Err("an event matches".to_owned()),
                    _ => Ok(()),
                };
                outcomes.push(Outcome::new(&rule.title, &format!("{key}: {name}"), result));
            }
        }
    }
    Ok(())
}

/// Judges events as a hunt does.
pub struct Bench {
    pub set: RuleSet,
}

impl Bench {
    pub fn new(rules: Vec<Rule>) -> anyhow::Result<Self> {
        Ok(Self { set: RuleSet::new(rules, load::taxonomy()?) })
    }

    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.set.rules().iter().find(|rule| rule.id == id)
    }

    /// How many events of a text match the rule.
    pub fn matches(&self, id: &str, text: &[u8]) -> usize {
        let mut count = Count { set: &self.set, id, scratch: Scratch::default(), matches: 0 };
        let mut decoder = Decoder::default();
        let mut framer = Framer::default();
        let mut emit = |record: &Record<'_>| count.take(record.kind.name(), &record.fields);
        framer.push(text, &mut |frame| decoder.decode(frame.bytes, frame.line, &mut emit));
        framer.finish(&mut |frame| decoder.decode(frame.bytes, frame.line, &mut emit));
        decoder.finish(&mut emit);
        count.matches
    }

    /// How many records of an event file match the rule; the first trouble with the file, if any.
    pub fn matches_evtx(&self, id: &str, bytes: &[u8]) -> (usize, Option<String>) {
        let mut count = Count { set: &self.set, id, scratch: Scratch::default(), matches: 0 };
        let mut decoder = Decoder::default();
        let mut trouble = None;
        let mut reader = garrison_decode::evtx::Reader::default();
        let mut take = |record: Result<(u64, String), garrison_decode::evtx::Unreadable>| match record {
            Ok((number, json)) => decoder
                .decode_evtx(&json, number, &mut |record| count.take(record.kind.name(), &record.fields)),
            Err(unreadable) => trouble = trouble.take().or(Some(unreadable.to_string())),
        };
        reader.push(bytes, &mut take);
        reader.finish(&mut take);
        (count.matches, trouble)
    }
}

struct Count<'c> {
    set: &'c RuleSet,
    id: &'c str,
    scratch: Scratch,
    matches: usize,
}

impl Count<'_> {
    fn take(&mut self, kind: &str, fields: &Fields<'_>) {
        let gate = Gate::Source(self.set.taxonomy().route(kind, fields));
        let Self { set, id, scratch, matches } = self;
        set.judge(gate, fields, scratch, |rule, _| *matches += usize::from(rule.id == *id));
    }
}
