//! `garrison rule list`.

use garrison_base::Exit;
use garrison_sigma::Rule;
use serde::Serialize;

use super::load;
use crate::cli::RuleListArgs;
use crate::output::{Column, Printer, Row, counted};
use crate::say;

/// One rule in a list.
#[derive(Serialize)]
struct Listed {
    level: &'static str,
    id: String,
    title: String,
    logsource: String,
    status: Option<String>,
    attack: Vec<String>,
    file: String,
}

impl From<&Rule> for Listed {
    fn from(rule: &Rule) -> Self {
        Self {
            level: rule.level.name(),
            id: rule.id.clone(),
            title: rule.title.clone(),
            logsource: rule.logsource.to_string(),
            status: rule.status.clone(),
            attack: rule.techniques(),
            file: rule.file.to_string(),
        }
    }
}

impl Row for Listed {
    const COLUMNS: &'static [Column] = &[
        Column::new("LEVEL", 13),
        Column::new("ID", 36),
        Column::new("TITLE", 60),
        Column::new("LOGSOURCE", 26),
        Column::new("ATTACK", 20),
        Column::new("FILE", 1),
    ];

    fn cells(&self) -> Vec<String> {
        let Self { level, id, title, logsource, attack, file, .. } = self;
        vec![
            (*level).to_owned(),
            id.clone(),
            title.clone(),
            logsource.clone(),
            attack.join(","),
            file.clone(),
        ]
    }
}

pub fn run(args: &RuleListArgs) -> anyhow::Result<Exit> {
    let loaded = load::load(&args.rules)?;
    let mut printer = Printer::stdout(args.output.output);
    let wanted: Vec<&Rule> = loaded.rules.iter().filter(|rule| rule.level >= args.level).collect();
    for rule in &wanted {
        printer.row(&Listed::from(*rule))?;
    }
    printer.finish::<Listed>()?;
    let refused = match loaded.refused.len() {
        0 => String::new(),
        count => format!("; {count} refused, `garrison rule lint` tells why"),
    };
    say!("{}{refused}", counted(wanted.len() as u64, "rule"));
    Ok(Exit::Ok)
}
