//! Rules: what a Sigma document says, checked.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use foldhash::HashMap;

use crate::condition;
use crate::expr::{Expr, Predicate, Test};
use crate::modifiers;
use crate::yaml::{self, Kind, Node, Scalar};

/// Values for `%placeholders%`, by name.
pub type Placeholders = HashMap<String, Vec<String>>;

/// A detection rule, ready to be compiled.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The rule's id, a UUID by convention. A rule without one is known by its file.
    pub id: String,
    /// What the rule finds, in a few words.
    pub title: String,
    /// The rule's maturity: `stable`, `test`, `experimental` and so on.
    pub status: Option<String>,
    /// How bad it is when the rule matches.
    pub level: Level,
    /// The explanation.
    pub description: Option<String>,
    /// Who wrote it.
    pub author: Option<String>,
    /// When it was written, as the file says.
    pub date: Option<String>,
    /// Where to read more.
    pub references: Vec<String>,
    /// Tags such as `attack.t1110.001`.
    pub tags: Vec<String>,
    /// What else could cause a match.
    pub falsepositives: Vec<String>,
    /// Which logs the rule is about.
    pub logsource: LogSource,
    /// What the rule demands of an event.
    pub expr: Expr,
    /// The file it came from, as the loader named it.
    pub file: Arc<str>,
    /// The line on which its document begins.
    pub line: usize,
    /// The document as it was read.
    pub source: String,
}

impl Rule {
    /// The rule's ATT&CK technique ids, such as `T1110.001`.
    pub fn techniques(&self) -> Vec<String> {
        let technique = |tag: &String| {
            let id = tag.strip_prefix("attack.")?;
            let digits = id.strip_prefix(['t', 'T'])?;
            digits.starts_with(|first: char| first.is_ascii_digit()).then(|| id.to_ascii_uppercase())
        };
        self.tags.iter().filter_map(technique).collect()
    }

    /// The rule's ATT&CK tactics, such as `credential-access`.
    pub fn tactics(&self) -> Vec<String> {
        let tactic = |tag: &String| {
            // Older rules join the words by underscores. Techniques, groups and software have numbers.
            let name = tag.strip_prefix("attack.")?.to_ascii_lowercase().replace('_', "-");
            let is_words = name.starts_with(|first: char| first.is_ascii_lowercase())
                && name.chars().all(|char| char.is_ascii_lowercase() || char == '-');
            is_words.then_some(name)
        };
        self.tags.iter().filter_map(tactic).collect()
    }

    /// The names of the placeholders that have no value, for which a part of the rule cannot match.
    pub fn open_placeholders(&self) -> Vec<String> {
        let names = |predicate: &Predicate| match &predicate.test {
            Test::Text(pattern) => pattern.placeholders().map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        self.expr.predicates().into_iter().flat_map(names).collect()
    }
}

/// How bad a match is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// For the record; also where a rule does not say.
    Informational,
    /// Notable, rarely an attack by itself.
    Low,
    /// Worth a look.
    Medium,
    /// Needs a look soon.
    High,
    /// Needs a look now.
    Critical,
}

impl Level {
    /// All levels, the worst last.
    pub const ALL: [Self; 5] = [Self::Informational, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The level's name in rule files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|level| level.name() == text);
        known.ok_or_else(|| format!("`{text}` is not a level: informational, low, medium, high or critical"))
    }
}

/// Which logs a rule is about. An absent part means any.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct LogSource {
    /// Such as `windows`, `linux`, `aws`.
    pub product: Option<String>,
    /// Such as `process_creation`, `webserver`.
    pub category: Option<String>,
    /// Such as `security`, `sshd`, `cloudtrail`.
    pub service: Option<String>,
}

impl fmt::Display for LogSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [&self.product, &self.service, &self.category];
        let named: Vec<&str> = parts.into_iter().filter_map(Option::as_deref).collect();
        f.write_str(if named.is_empty() { "any" } else { "" })?;
        f.write_str(&named.join("/"))
    }
}

/// Why a document is not a rule that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {reason}")]
pub struct Refused {
    /// The file, as the loader named it.
    pub file: Arc<str>,
    /// The line the reason is about, from 1.
    pub line: usize,
    /// What is wrong, and where it helps what to do.
    pub reason: String,
}

/// Reads the rules of one file. Each document stands for itself: one that is refused hides no other.
pub fn read(file: &str, text: &str, placeholders: &Placeholders) -> Vec<Result<Rule, Refused>> {
    let file: Arc<str> = Arc::from(file);
    let refuse = |(line, reason)| Refused { file: Arc::clone(&file), line, reason };
    match yaml::parse(text) {
        Err(error) => vec![Err(refuse((error.line, error.reason)))],
        Ok(documents) if documents.is_empty() => {
            vec![Err(refuse((1, "the file holds no document".to_owned())))]
        }
        Ok(documents) => {
            let ends = documents.iter().skip(1).map(|next| next.line).chain([usize::MAX]);
            let read = |(place, (document, end)): (usize, (&Node, usize))| {
                // What stands before the first document belongs to it.
                let begin = if place == 0 { 1 } else { document.line };
                let source = part_of(text, begin, end);
                rule(document, (&file, source), placeholders).map_err(refuse)
            };
            documents.iter().zip(ends).enumerate().map(read).collect()
        }
    }
}

/// The lines of a document: from its first to the one before the next document's, without the mark between them.
fn part_of(text: &str, begin: usize, end: usize) -> String {
    let lines: Vec<&str> =
        text.lines().skip(begin.saturating_sub(1)).take(end.saturating_sub(begin)).collect();
    let is_rule = |line: &&str| !matches!(line.trim(), "" | "---" | "...");
    let kept = lines.iter().rposition(is_rule).map_or(0, |last| last + 1);
    lines.iter().take(kept).flat_map(|line| [*line, "\n"]).collect()
}

/// A line and what is wrong there.
type Fault = (usize, String);

fn rule(
    document: &Node,
    (file, source): (&Arc<str>, String),
    placeholders: &Placeholders,
) -> Result<Rule, Fault> {
    let fault = |reason: &str| (document.line, reason.to_owned());
    if !matches!(document.kind, Kind::Map(_)) {
        return Err(fault("a rule is a mapping with `title`, `logsource` and `detection`"));
    }
    for (key, what) in
        [("correlation", "correlation rules"), ("filter", "filters"), ("action", "rule collections")]
    {
        if let Some(node) = document.get(key) {
            return Err((node.line, format!("{what} are not supported yet")));
        }
    }
    let title = document.get("title").ok_or_else(|| fault("`title` is missing"))?;
    let title = title.text().ok_or((title.line, "`title` wants text".to_owned()))?.to_owned();
    let logsource = document.get("logsource").ok_or_else(|| fault("`logsource` is missing"))?;
    let detection = document.get("detection").ok_or_else(|| fault("`detection` is missing"))?;
    let level = match document.get("level") {
        None => Level::Informational,
        Some(node) => node.texts().join(", ").parse().map_err(|reason| (node.line, reason))?,
    };
    let text = |key: &str| label(document, key);
    let texts = |key: &str| labels(document, key);
    Ok(Rule {
        id: text("id")?.unwrap_or_else(|| file.to_string()),
        title,
        status: text("status")?,
        level,
        description: text("description")?,
        author: text("author")?,
        date: text("date")?,
        references: texts("references")?,
        tags: texts("tags")?,
        falsepositives: texts("falsepositives")?,
        logsource: log_source(logsource)?,
        expr: detections(detection, placeholders)?,
        file: Arc::clone(file),
        line: document.line,
        source,
    })
}

/// A label that is one value.
fn label(document: &Node, key: &str) -> Result<Option<String>, Fault> {
    match document.get(key) {
        None | Some(Node { kind: Kind::Scalar(Scalar::Null), .. }) => Ok(None),
        Some(Node { kind: Kind::Scalar(scalar), .. }) => Ok(Some(scalar.to_string())),
        Some(node) => Err((node.line, format!("`{key}` wants a single value"))),
    }
}

/// A label that is a list of texts.
fn labels(document: &Node, key: &str) -> Result<Vec<String>, Fault> {
    let Some(node) = document.get(key) else { return Ok(Vec::new()) };
    let text = |node: &Node| {
        node.text().map(str::to_owned).ok_or_else(|| (node.line, format!("`{key}` wants a list of texts")))
    };
    node.elements().iter().map(text).collect()
}

fn log_source(node: &Node) -> Result<LogSource, Fault> {
    const WANTED: &str = "`logsource` wants at least one of `product`, `category` and `service`, each a name";
    let fault = |line| (line, WANTED.to_owned());
    if !matches!(node.kind, Kind::Map(_)) {
        return Err(fault(node.line));
    }
    let part = |key: &str| match node.get(key) {
        None | Some(Node { kind: Kind::Scalar(Scalar::Null), .. }) => Ok(None),
        Some(part) => part.text().map(|text| Some(text.to_lowercase())).ok_or_else(|| fault(part.line)),
    };
    let source =
        LogSource { product: part("product")?, category: part("category")?, service: part("service")? };
    if source == LogSource::default() { Err(fault(node.line)) } else { Ok(source) }
}

fn detections(node: &Node, placeholders: &Placeholders) -> Result<Expr, Fault> {
    let Kind::Map(pairs) = &node.kind else {
        return Err((node.line, "`detection` wants a mapping of names and a `condition`".to_owned()));
    };
    let condition = node.get("condition").ok_or((node.line, "`condition` is missing".to_owned()))?;
    let mut named = Vec::with_capacity(pairs.len());
    for (key, value) in pairs {
        match key_text(key)?.as_str() {
            "condition" => {}
            "timeframe" => {
                return Err((key.line, "`timeframe` belongs to correlation rules in Sigma 2".to_owned()));
            }
            name => named.push((name.to_owned(), detection(value, placeholders)?)),
        }
    }
    let resolve = |node: &Node| {
        let text = node.text().ok_or((node.line, "`condition` wants text".to_owned()))?;
        condition::resolve(text, &named).map_err(|reason| (node.line, reason))
    };
    let mut conditions = condition.elements().iter().map(resolve).collect::<Result<Vec<_>, _>>()?;
    match conditions.len() {
        0 => Err((condition.line, "`condition` is empty".to_owned())),
        1 => Ok(conditions.remove(0)),
        _ => Ok(Expr::Any(conditions)),
    }
}

fn key_text(key: &Node) -> Result<String, Fault> {
    match &key.kind {
        Kind::Scalar(Scalar::Null) => Ok(String::new()),
        Kind::Scalar(scalar) => Ok(scalar.to_string()),
        Kind::List(_) | Kind::Map(_) => Err((key.line, "a name must be a single word".to_owned())),
    }
}

/// A mapping demands all of its items, a list any of its elements; plain values are keywords.
fn detection(node: &Node, placeholders: &Placeholders) -> Result<Expr, Fault> {
    let item = |line: usize, key: &str, values| {
        let named = |reason| if key.is_empty() { reason } else { format!("{key}: {reason}") };
        modifiers::item(key, values, placeholders).map_err(|reason| (line, named(reason)))
    };
    match &node.kind {
        Kind::Scalar(scalar) => item(node.line, "", vec![scalar.clone()]),
        Kind::Map(pairs) if pairs.is_empty() => Err((node.line, "the detection is empty".to_owned())),
        Kind::List(nodes) if nodes.is_empty() => Err((node.line, "the detection is empty".to_owned())),
        Kind::Map(pairs) => {
            let exprs = pairs.iter().map(|(key, value)| item(key.line, &key_text(key)?, scalars(value)?));
            Ok(single(exprs.collect::<Result<_, Fault>>()?, Expr::All))
        }
        Kind::List(nodes) if nodes.iter().all(|node| matches!(node.kind, Kind::Scalar(_))) => {
            item(node.line, "", scalars(node)?)
        }
        Kind::List(nodes) => {
            let exprs = nodes.iter().map(|node| detection(node, placeholders));
            Ok(single(exprs.collect::<Result<_, Fault>>()?, Expr::Any))
        }
    }
}

fn single(mut exprs: Vec<Expr>, link: fn(Vec<Expr>) -> Expr) -> Expr {
    if exprs.len() == 1 { exprs.remove(0) } else { link(exprs) }
}

fn scalars(node: &Node) -> Result<Vec<Scalar>, Fault> {
    let scalar = |node: &Node| match &node.kind {
        Kind::Scalar(scalar) => Ok(scalar.clone()),
        Kind::List(_) | Kind::Map(_) => {
            Err((node.line, "a field wants a value or a list of values".to_owned()))
        }
    };
    match &node.kind {
        Kind::List(nodes) => nodes.iter().map(scalar).collect(),
        _ => Ok(vec![scalar(node)?]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_one(text: &str) -> Result<Rule, String> {
        let mut rules = read("r.yml", text, &Placeholders::default());
        assert_eq!(rules.len(), 1);
        rules.remove(0).map_err(|refused| refused.to_string())
    }

    const RULE: &str = "title: t
id: 1b6a5a5c-0000-4000-8000-000000000001
tags: [attack.credential-access, attack.t1110.001]
logsource: {product: Linux, service: sshd}
level: high
detection:
  sel:
    user|contains:
      - root
      - 'adm*n'
    port: 22
  words: [failed, 7]
  condition: sel or words
";

    #[test]
    fn a_rule_is_read() {
        let rule = read_one(RULE).unwrap();
        assert_eq!(rule.techniques(), ["T1110.001"]);
        assert_eq!(rule.tactics(), ["credential-access"]);
        assert_eq!(rule.source, RULE);
        assert_eq!(rule.level, Level::High);
        assert_eq!(rule.logsource.to_string(), "linux/sshd");
        let shown: Vec<_> =
            rule.expr.predicates().iter().map(|predicate| predicate.test.to_string()).collect();
        assert_eq!(shown, ["contains \"root\"", "is like \"*adm*n*\"", "= 22", "= \"failed\"", "= 7"]);
    }

    #[test]
    fn refusals_name_file_line_and_reason() {
        let refusal = |from: &str, to: &str| read_one(&RULE.replace(from, to)).unwrap_err();
        assert_eq!(
            refusal("user|contains", "user|kontains"),
            "r.yml:8: user|kontains: unknown modifier `kontains`"
        );
        assert!(
            refusal("sel or words", "sel or word")
                .starts_with("r.yml:13: the detection `word` is not defined")
        );
        assert!(refusal("level: high", "level: hi").starts_with("r.yml:5: `hi` is not a level"));
        assert!(refusal("title: t\n", "").starts_with("r.yml:1: `title` is missing"));
        assert!(refusal("port: 22", "port: {a: b}").starts_with("r.yml:11: a field wants a value"));
        assert!(refusal("[failed, 7]", "[failed").starts_with("r.yml:13"));
        assert_eq!(
            read_one("title: c\ncorrelation:\n  type: event_count\n").unwrap_err(),
            "r.yml:3: correlation rules are not supported yet"
        );
    }

    #[test]
    fn one_bad_document_hides_no_other() {
        let rules = read("r.yml", &format!("title: x\n---\n{RULE}"), &Placeholders::default());
        assert!(rules[0].is_err());
        assert_eq!(rules[1].as_ref().unwrap().line, 3);
        assert_eq!(rules[1].as_ref().unwrap().source, RULE);
    }

    #[test]
    fn each_document_keeps_its_own_text() {
        let text = format!("# about both\n{RULE}\n---\n{RULE}");
        let rules = read("r.yml", &text, &Placeholders::default());
        let sources: Vec<_> = rules.into_iter().map(|rule| rule.unwrap().source).collect();
        assert_eq!(sources, [format!("# about both\n{RULE}"), RULE.to_owned()]);
    }

    #[test]
    fn tactics_are_words_and_nothing_else() {
        let tags = "[attack.t1110, attack.g0016, attack.Privilege_Escalation, attack.ta0006, cve.2021-1]";
        let rule = read_one(&RULE.replace("[attack.credential-access, attack.t1110.001]", tags)).unwrap();
        assert_eq!(rule.tactics(), ["privilege-escalation"]);
        let words: Vec<_> = rule.expr.predicates().into_iter().map(Predicate::question).collect();
        let wanted =
            ["contains \"root\"", "is like \"*adm*n*\"", "= 22", "contains \"failed\"", "contains 7"];
        assert_eq!(words, wanted);
    }
}
