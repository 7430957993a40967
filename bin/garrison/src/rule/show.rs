//! `garrison rule show`.

use garrison_base::Exit;
use garrison_sigma::Rule;
use garrison_sigma::expr::Expr;
use serde::Serialize;

use super::load;
use crate::cli::RuleShowArgs;
use crate::output::{Column, Format, Printer, Row};
use crate::say;

/// One rule in full.
#[derive(Serialize)]
struct Shown {
    id: String,
    title: String,
    level: &'static str,
    status: Option<String>,
    description: Option<String>,
    author: Option<String>,
    date: Option<String>,
    tags: Vec<String>,
    references: Vec<String>,
    falsepositives: Vec<String>,
    logsource: String,
    /// Whether a log that Garrison knows feeds the rule.
    fed: bool,
    fields: Vec<String>,
    /// What the rule demands, an indented line for each part.
    demands: Vec<String>,
    file: String,
    line: usize,
}

impl Row for Shown {
    const COLUMNS: &'static [Column] =
        &[Column::new("ID", 36), Column::new("LEVEL", 13), Column::new("TITLE", 1)];

    fn cells(&self) -> Vec<String> {
        vec![self.id.clone(), self.level.to_owned(), self.title.clone()]
    }
}

/// One line of the page that people see.
#[derive(Serialize)]
struct Line(&'static str, String);

impl Row for Line {
    const COLUMNS: &'static [Column] = &[Column::new("", 14), Column::new("", 1)];

    fn cells(&self) -> Vec<String> {
        vec![self.0.to_owned(), self.1.clone()]
    }
}

pub fn run(args: &RuleShowArgs) -> anyhow::Result<Exit> {
    let loaded = load::load(&args.rules)?;
    let wanted = args.name.to_lowercase();
    let is = |rule: &&Rule| rule.id.to_lowercase() == wanted || rule.title.to_lowercase().contains(&wanted);
    let found: Vec<&Rule> = loaded.rules.iter().filter(is).collect();
    if found.is_empty() {
        say!("no rule has the id or title `{}`; `garrison rule list` shows all", args.name);
        return Ok(Exit::NotFound);
    }
    let taxonomy = load::taxonomy()?;
    let mut printer = Printer::stdout(args.output.output);
    for rule in found {
        let shown = shown(rule, taxonomy.feeds(&rule.logsource));
        if args.output.output == Format::Table {
            page(&shown).iter().try_for_each(|line| printer.row(line))?;
        } else {
            printer.row(&shown)?;
        }
    }
    printer.finish::<Shown>()?;
    Ok(Exit::Ok)
}

fn shown(rule: &Rule, fed: bool) -> Shown {
    let mut fields: Vec<String> = Vec::new();
    for predicate in rule.expr.predicates() {
        let name = predicate.field.as_deref().unwrap_or("keywords");
        if !fields.iter().any(|known| known == name) {
            fields.push(name.to_owned());
        }
    }
    let mut demands = Vec::new();
    outline(&rule.expr, 0, &mut demands);
    Shown {
        id: rule.id.clone(),
        title: rule.title.clone(),
        level: rule.level.name(),
        status: rule.status.clone(),
        description: rule.description.clone(),
        author: rule.author.clone(),
        date: rule.date.clone(),
        tags: rule.tags.clone(),
        references: rule.references.clone(),
        falsepositives: rule.falsepositives.clone(),
        logsource: rule.logsource.to_string(),
        fed,
        fields,
        demands,
        file: rule.file.to_string(),
        line: rule.line,
    }
}

fn page(rule: &Shown) -> Vec<Line> {
    let mut lines = vec![
        Line("title", rule.title.clone()),
        Line("id", rule.id.clone()),
        Line("level", rule.level.to_owned()),
        Line("file", format!("{}:{}", rule.file, rule.line)),
    ];
    let once = [
        ("status", &rule.status),
        ("author", &rule.author),
        ("date", &rule.date),
        ("description", &rule.description),
    ];
    lines.extend(
        once.into_iter()
            .filter_map(|(name, text)| text.clone().map(|text| Line(name, text.trim().to_owned()))),
    );
    let fed = if rule.fed { "" } else { " (no log that Garrison knows feeds it)" };
    lines.push(Line("logsource", format!("{}{fed}", rule.logsource)));
    lines.push(Line("fields", rule.fields.join(", ")));
    lines.push(Line("tags", rule.tags.join(", ")));
    lines.extend(rule.references.iter().map(|text| Line("reference", text.clone())));
    lines.extend(rule.falsepositives.iter().map(|text| Line("also caused by", text.clone())));
    lines.extend(rule.demands.iter().map(|text| Line("", text.clone())));
    lines.push(Line("", String::new()));
    lines
}

fn outline(expr: &Expr, depth: usize, lines: &mut Vec<String>) {
    let indent = "  ".repeat(depth);
    let (head, parts): (String, &[Expr]) = match expr {
        Expr::All(parts) => ("all of".to_owned(), parts),
        Expr::Any(parts) => ("any of".to_owned(), parts),
        Expr::AtLeast(least, parts) => (format!("at least {least} of"), parts),
        Expr::Not(inner) => ("not".to_owned(), std::slice::from_ref(inner)),
        Expr::Named(_, inner) => return outline(inner, depth, lines),
        Expr::Is(predicate) => {
            (format!("{} {}", predicate.field.as_deref().unwrap_or("any field"), predicate.test), &[])
        }
    };
    lines.push(format!("{indent}{head}"));
    for part in parts {
        outline(part, depth + 1, lines);
    }
}
