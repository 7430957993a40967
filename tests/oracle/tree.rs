//! Condition trees as `lower.py` writes them, read into types that the evaluator can walk.

use std::net::IpAddr;

use regex::Regex;
use serde_json::{Number, Value};

/// All rules, and the names of all fields that they ask for: trees refer to fields by position, so that an
/// event looks up each name once and not once for each rule.
pub struct Rules {
    pub rules: Vec<Rule>,
    pub fields: Vec<String>,
}

pub struct Rule {
    pub id: String,
    pub path: String,
    pub tree: Node,
}

pub enum Node {
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    Field(usize, Pattern),
    Keyword(Pattern),
}

pub enum Pattern {
    Text {
        parts: Vec<Part>,
        cased: bool,
    },
    /// A text with a placeholder, for which nobody gave a value.
    Unresolved,
    Number(Number),
    Bool(bool),
    Null,
    Exists(bool),
    Regex(Regex),
    Cidr {
        network: IpAddr,
        prefix: u32,
    },
    Compare {
        operator: Operator,
        number: f64,
    },
    FieldRef {
        field: usize,
        starts: bool,
        ends: bool,
    },
    AnyOf(Vec<Pattern>),
}

pub enum Part {
    Literal(Text),
    AnyRun,
    AnyOne,
}

/// A text as it is, and in lower case for comparing without regard to case.
pub struct Text {
    pub exact: String,
    pub lower: String,
}

impl Text {
    pub fn new(exact: String) -> Text {
        Text { lower: exact.to_lowercase(), exact }
    }

    pub fn in_case(&self, cased: bool) -> &str {
        if cased { &self.exact } else { &self.lower }
    }
}

pub enum Operator {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Rules {
    /// Reads the whole output of `lower.py`. A refused rule is an error: nothing may drop out unseen.
    pub fn read(lowered: &Value) -> Result<Rules, String> {
        let mut rules = Rules { rules: Vec::new(), fields: Vec::new() };
        for entry in lowered.as_array().ok_or("no array of rules")? {
            let rule = rules.read_rule(entry).map_err(|why| format!("{}: {why}", entry["path"]))?;
            rules.rules.push(rule);
        }
        Ok(rules)
    }

    fn read_rule(&mut self, entry: &Value) -> Result<Rule, String> {
        if let Some(why) = entry["refused"].as_str() {
            return Err(format!("pySigma refuses the rule: {why}"));
        }
        let tree = self.read_node(&entry["tree"])?;
        Ok(Rule { id: text_of(entry, "id")?, path: text_of(entry, "path")?, tree })
    }

    fn read_node(&mut self, node: &Value) -> Result<Node, String> {
        if let Some(children) = node["and"].as_array() {
            return Ok(Node::And(self.read_nodes(children)?));
        }
        if let Some(children) = node["or"].as_array() {
            return Ok(Node::Or(self.read_nodes(children)?));
        }
        if let Some(child) = node.get("not") {
            return Ok(Node::Not(Box::new(self.read_node(child)?)));
        }
        let pattern = self.read_pattern(&node["value"])?;
        match &node["field"] {
            Value::Null => Ok(Node::Keyword(anywhere(pattern))),
            Value::String(name) => Ok(Node::Field(self.position(name), pattern)),
            other => Err(format!("field {other} is no name")),
        }
    }

    fn read_nodes(&mut self, nodes: &[Value]) -> Result<Vec<Node>, String> {
        nodes.iter().map(|node| self.read_node(node)).collect()
    }

    /// Looks at `number` last: comparisons and timestamp parts have one too.
    fn read_pattern(&mut self, value: &Value) -> Result<Pattern, String> {
        let flag = |key: &str| value[key].as_bool();
        let word = |key: &str| value[key].as_str();
        if let Some(parts) = value["string"].as_array() {
            return read_text(parts, flag("cased") == Some(true));
        }
        if let Some(values) = value["expansion"].as_array() {
            let any = values.iter().map(|value| self.read_pattern(value));
            return Ok(Pattern::AnyOf(any.collect::<Result<_, _>>()?));
        }
        if let Some(regex) = word("regex") {
            return read_regex(regex, word("flags").unwrap_or_default());
        }
        if let Some(cidr) = word("cidr") {
            return read_cidr(cidr);
        }
        if let Some(operator) = word("compare") {
            let number = value["number"].as_f64().ok_or("compares with no number")?;
            return Ok(Pattern::Compare { operator: read_operator(operator)?, number });
        }
        if let Some(name) = word("fieldref") {
            let (starts, ends) = (flag("starts") == Some(true), flag("ends") == Some(true));
            return Ok(Pattern::FieldRef { field: self.position(name), starts, ends });
        }
        if word("timestamp_part").is_some() {
            return Err("timestamp parts are not part of this oracle".to_owned());
        }
        if flag("null").is_some() {
            return Ok(Pattern::Null);
        }
        let other = flag("bool").map(Pattern::Bool).or_else(|| flag("exists").map(Pattern::Exists));
        let other = other.or_else(|| value["number"].as_number().cloned().map(Pattern::Number));
        other.ok_or_else(|| format!("unknown value {value}"))
    }

    fn position(&mut self, name: &str) -> usize {
        if let Some(position) = self.fields.iter().position(|field| field == name) {
            return position;
        }
        self.fields.push(name.to_owned());
        self.fields.len() - 1
    }
}

fn text_of(entry: &Value, key: &str) -> Result<String, String> {
    entry[key].as_str().map(str::to_owned).ok_or_else(|| format!("no {key}"))
}

fn read_text(parts: &[Value], cased: bool) -> Result<Pattern, String> {
    if parts.iter().any(|part| part.get("placeholder").is_some()) {
        return Ok(Pattern::Unresolved);
    }
    let parts = parts.iter().map(read_part).collect::<Result<_, _>>()?;
    Ok(Pattern::Text { parts, cased })
}

fn read_part(part: &Value) -> Result<Part, String> {
    match part.as_str() {
        Some("*") => Ok(Part::AnyRun),
        Some("?") => Ok(Part::AnyOne),
        _ => text_of(part, "lit").map(|literal| Part::Literal(Text::new(literal))),
    }
}

/// Rules are written for Python's `re`, whose `$` is also before a last line feed. (The generator puts it
/// only at the end of an expression.)
fn read_regex(regex: &str, flags: &str) -> Result<Pattern, String> {
    let end = regex.strip_suffix('$').filter(|head| !head.ends_with('\\') && !flags.contains('m'));
    let regex = end.map_or_else(|| regex.to_owned(), |head| format!("{head}(?:\\n?\\z)"));
    let flagged = if flags.is_empty() { regex } else { format!("(?{flags}){regex}") };
    Regex::new(&flagged).map(Pattern::Regex).map_err(|error| error.to_string())
}

/// A keyword may stand anywhere in a value.
fn anywhere(pattern: Pattern) -> Pattern {
    match pattern {
        Pattern::Text { mut parts, cased } => {
            parts.insert(0, Part::AnyRun);
            parts.push(Part::AnyRun);
            Pattern::Text { parts, cased }
        }
        Pattern::AnyOf(patterns) => Pattern::AnyOf(patterns.into_iter().map(anywhere).collect()),
        other => other,
    }
}

/// A network without a prefix length is a single address.
fn read_cidr(cidr: &str) -> Result<Pattern, String> {
    let bad = || format!("{cidr} is no network");
    let (address, prefix) = cidr.split_once('/').map_or((cidr, None), |(a, p)| (a, Some(p)));
    let network: IpAddr = address.parse().map_err(|_| bad())?;
    let whole = if network.is_ipv4() { 32 } else { 128 };
    let prefix = prefix.map_or(Ok(whole), str::parse).map_err(|_| bad())?;
    if prefix > whole {
        return Err(bad());
    }
    Ok(Pattern::Cidr { network, prefix })
}

/// There is no `neq`: pySigma turns that modifier into a negation.
fn read_operator(operator: &str) -> Result<Operator, String> {
    match operator {
        "lt" => Ok(Operator::Less),
        "lte" => Ok(Operator::LessOrEqual),
        "gt" => Ok(Operator::Greater),
        "gte" => Ok(Operator::GreaterOrEqual),
        _ => Err(format!("unknown operator {operator}")),
    }
}
