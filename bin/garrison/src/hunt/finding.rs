//! A finding: a rule that matched an event, and what to know about it.

use std::collections::BTreeMap;
use std::sync::Arc;

use garrison_base::Fields;
use garrison_decode::time::Guess;
use garrison_decode::{Record, column};
use garrison_sigma::Rule;
use garrison_sigma::shard::Hit;
use jiff::Timestamp;
use serde::Serialize;

use crate::output::{Column, Row};

/// What is printed for a finding.
#[derive(Debug, Serialize)]
pub struct Finding {
    /// The time that the event claims.
    pub time: Option<Timestamp>,
    /// The parts of the time that the event does not say and that were guessed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub time_guessed: Vec<&'static str>,
    pub level: &'static str,
    pub rule: RuleName,
    pub host: Option<String>,
    pub user: Option<String>,
    /// The address that the event came from.
    pub address: Option<String>,
    /// The fields that made the rule match.
    pub matched: Fields<'static>,
    pub file: Arc<str>,
    /// The line on which the event begins, or its record number.
    pub line: u64,
    pub format: &'static str,
    pub kind: &'static str,
    /// The promoted columns, by their OCSF names.
    pub columns: BTreeMap<&'static str, String>,
    /// Every field.
    pub event: Fields<'static>,
    /// The event as it came; bytes that are not UTF-8 are replaced.
    pub raw: String,
}

/// What names a rule.
#[derive(Debug, Serialize)]
pub struct RuleName {
    pub id: String,
    pub title: String,
    /// ATT&CK techniques.
    pub attack: Vec<String>,
    pub tags: Vec<String>,
    pub file: Arc<str>,
}

impl Finding {
    pub fn new(
        rule: &Rule,
        mut hit: Hit<'_, '_, '_>,
        record: &Record<'_>,
        file: &Arc<str>,
        guess: &Guess,
    ) -> Self {
        let claimed = record.claimed(guess);
        let guessed = |which: bool, name: &'static str| which.then_some(name);
        let told = |column| record.column(column);
        Self {
            time: claimed.map(|claimed| claimed.at),
            time_guessed: claimed
                .into_iter()
                .flat_map(|claimed| {
                    [guessed(claimed.guessed_year, "year"), guessed(claimed.guessed_zone, "zone")]
                })
                .flatten()
                .collect(),
            level: rule.level.name(),
            rule: RuleName {
                id: rule.id.clone(),
                title: rule.title.clone(),
                attack: rule.techniques(),
                tags: rule.tags.clone(),
                file: Arc::clone(&rule.file),
            },
            host: told(column::HOST),
            user: told(column::USER),
            address: told(column::SRC_IP),
            matched: hit.matched(),
            file: Arc::clone(file),
            line: record.line,
            format: record.format.name(),
            kind: record.kind.name(),
            columns: column::ALL.iter().filter_map(|&column| Some((column.ocsf, told(column)?))).collect(),
            event: record.fields.to_owned_fields(),
            raw: String::from_utf8_lossy(&record.raw).into_owned(),
        }
    }
}

impl Row for Finding {
    const COLUMNS: &'static [Column] = &[
        Column::new("TIME", 21),
        Column::new("LEVEL", 13),
        Column::new("RULE", 50),
        Column::new("HOST", 16),
        Column::new("USER", 12),
        Column::new("ADDRESS", 15),
        Column::new("ATTACK", 15),
        Column::new("MATCHED", 40),
        Column::new("ID", 36),
        Column::new("PLACE", 1),
    ];

    fn cells(&self) -> Vec<String> {
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let marked = if self.time_guessed.is_empty() { "" } else { "~" };
        let time = self.time.map_or_else(|| "-".to_owned(), |time| format!("{marked}{time:.0}"));
        let matched =
            self.matched.iter().map(|(name, value)| format!("{name}={}", short(&value.to_text(), 40)));
        vec![
            time,
            self.level.to_owned(),
            self.rule.title.clone(),
            text(&self.host),
            text(&self.user),
            text(&self.address),
            if self.rule.attack.is_empty() { "-".to_owned() } else { self.rule.attack.join(",") },
            short(&matched.collect::<Vec<_>>().join(" "), 80),
            self.rule.id.clone(),
            format!("{}:{}", self.file, self.line),
        ]
    }
}

fn short(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or(text)),
        None => text.to_owned(),
    }
}
