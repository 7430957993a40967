//! `garrison rule lint`.

use foldhash::HashMap;
use garrison_base::Exit;
use garrison_sigma::{Rule, Taxonomy};
use serde::Serialize;

use super::load;
use crate::cli::RuleLintArgs;
use crate::output::{Column, Printer, Row, counted};
use crate::say;

/// One thing that is wrong with a rule.
#[derive(Serialize)]
struct Problem {
    severity: &'static str,
    file: String,
    line: usize,
    reason: String,
}

impl Row for Problem {
    const COLUMNS: &'static [Column] =
        &[Column::new("SEVERITY", 8), Column::whole("PLACE", 50), Column::new("REASON", 1)];

    fn cells(&self) -> Vec<String> {
        vec![self.severity.to_owned(), format!("{}:{}", self.file, self.line), self.reason.clone()]
    }
}

pub fn run(args: &RuleLintArgs) -> anyhow::Result<Exit> {
    let loaded = load::load(&args.rules)?;
    let errors = loaded.refused.iter().map(|refused| Problem {
        severity: "error",
        file: refused.file.to_string(),
        line: refused.line,
        reason: refused.reason.clone(),
    });
    let doubts = doubts(&loaded.rules, &load::taxonomy()?);
    let counts = (loaded.rules.len(), loaded.refused.len(), doubts.len());
    let mut printer = Printer::stdout(args.output.output);
    errors.chain(doubts).try_for_each(|problem| printer.row(&problem))?;
    printer.finish::<Problem>()?;
    let (rules, refused, doubtful) = counts;
    let (rules, doubts) = (counted(rules as u64, "rule"), counted(doubtful as u64, "doubt"));
    say!("{rules} can be used, {refused} refused, {doubts}");
    Ok(if refused > 0 || (args.strict && doubtful > 0) { Exit::Found } else { Exit::Ok })
}

/// What can be used, but hardly as it was meant.
fn doubts(rules: &[Rule], taxonomy: &Taxonomy) -> Vec<Problem> {
    let mut first: HashMap<&str, &Rule> = HashMap::default();
    let mut doubts = Vec::new();
    for rule in rules {
        let mut doubt = |reason: String| {
            doubts.push(Problem { severity: "doubt", file: rule.file.to_string(), line: rule.line, reason });
        };
        if rule.id == *rule.file {
            doubt("the rule has no `id`; findings name its file instead".to_owned());
        } else if let Some(other) = first.insert(&rule.id, rule) {
            doubt(format!("the id {} is also that of {}", rule.id, other.file));
        }
        if !taxonomy.feeds(&rule.logsource) {
            doubt(format!(
                "no log that Garrison knows is {}: only events of unknown origin reach the rule",
                rule.logsource
            ));
        }
        for name in rule.open_placeholders() {
            doubt(format!("%{name}% has no value, so this part never matches: give one by --placeholders"));
        }
    }
    doubts
}
