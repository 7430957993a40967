//! YAML as Sigma tools read it: a tree that remembers its lines.
//!
//! Syntax comes from `saphyr-parser`; plain scalars are resolved as YAML 1.1 does (<https://yaml.org/type/>),
//! because rules are written for tools that use it: `yes` is a truth, `0x10` and `010` are numbers.
//! Size, depth and the growth by aliases are bounded.

use std::fmt;

use foldhash::{HashMap, HashMapExt as _};
use garrison_base::limits;
use saphyr_parser::{Event, Parser, ScalarStyle};

/// One node of a document and the line (from 1) on which it begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The line of the node's first character, from 1.
    pub line: usize,
    /// What stands there.
    pub kind: Kind,
}

/// What a node holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// A single value.
    Scalar(Scalar),
    /// A list.
    List(Vec<Node>),
    /// A mapping in the order of the file.
    Map(Vec<(Node, Node)>),
}

/// A resolved scalar.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// Text: everything quoted, and every plain scalar that is nothing else.
    Text(String),
    /// A whole number.
    Int(i64),
    /// A number with a fraction or an exponent.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// Nothing: `~`, `null`, or an empty place.
    Null,
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Int(number) => write!(f, "{number}"),
            Self::Float(number) => write!(f, "{number:?}"),
            Self::Bool(truth) => write!(f, "{truth}"),
            Self::Null => f.write_str("null"),
        }
    }
}

/// Why a text is not usable YAML, and where.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct YamlError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub reason: String,
}

impl Node {
    /// The value under a key of a mapping.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Kind::Map(pairs) = &self.kind else { return None };
        pairs.iter().find_map(|(name, value)| (name.text() == Some(key)).then_some(value))
    }

    /// The node's text, if it is a text scalar.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(Scalar::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The node's elements: those of a list, the node itself if it is anything else, none if it is null.
    pub fn elements(&self) -> &[Self] {
        match &self.kind {
            Kind::List(nodes) => nodes,
            Kind::Scalar(Scalar::Null) => &[],
            _ => std::slice::from_ref(self),
        }
    }

    /// The scalars of [`Node::elements`] as text.
    pub fn texts(&self) -> Vec<String> {
        let scalar = |node: &Self| match &node.kind {
            Kind::Scalar(scalar) => Some(scalar.to_string()),
            Kind::List(_) | Kind::Map(_) => None,
        };
        self.elements().iter().filter_map(scalar).collect()
    }
}

/// Reads all documents of a text; empty documents are left out.
pub fn parse(text: &str) -> Result<Vec<Node>, YamlError> {
    if text.len() > limits::RULE_BYTES {
        let reason = format!("larger than {} bytes: split the file", limits::RULE_BYTES);
        return Err(YamlError { line: 1, reason });
    }
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event
            .map_err(|error| YamlError { line: error.marker().line(), reason: error.info().to_owned() })?;
        let line = span.start.line();
        builder.take(event, line).map_err(|reason| YamlError { line, reason })?;
    }
    Ok(builder.documents)
}

/// Builds the tree from the parser's events without recursion, so that depth costs no stack.
#[derive(Default)]
struct Builder {
    documents: Vec<Node>,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
}

/// A list or mapping whose end has not come yet.
struct Open {
    anchor: usize,
    node: Node,
    key: Option<Node>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, line: usize) -> Result<(), String> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && tag.is_none_or(|tag| tag.suffix != "str");
                let scalar = if plain { resolve(&text) } else { Scalar::Text(text.into_owned()) };
                self.close(Node { line, kind: Kind::Scalar(scalar) }, anchor)
            }
            Event::SequenceStart(anchor, _) => self.begin(anchor, line, Kind::List(Vec::new())),
            Event::MappingStart(anchor, _) => self.begin(anchor, line, Kind::Map(Vec::new())),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => self.close(open.node, open.anchor),
                None => Ok(()),
            },
            Event::Alias(anchor) => {
                let node =
                    self.anchors.get(&anchor).cloned().ok_or("alias of an anchor that is not complete")?;
                self.nodes += count(&node);
                self.close(node, 0)
            }
            Event::DocumentStart(_) => {
                self.anchors = HashMap::new();
                Ok(())
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    fn begin(&mut self, anchor: usize, line: usize, kind: Kind) -> Result<(), String> {
        if self.open.len() >= limits::DEPTH {
            return Err(format!("nested deeper than {} levels", limits::DEPTH));
        }
        self.open.push(Open { anchor, node: Node { line, kind }, key: None });
        Ok(())
    }

    /// Puts a complete node where it belongs.
    fn close(&mut self, node: Node, anchor: usize) -> Result<(), String> {
        self.nodes += 1;
        if self.nodes > limits::YAML_NODES {
            return Err(format!("more than {} values after aliases are expanded", limits::YAML_NODES));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            if node.kind != Kind::Scalar(Scalar::Null) {
                self.documents.push(node);
            }
            return Ok(());
        };
        match &mut open.node.kind {
            Kind::List(nodes) => nodes.push(node),
            Kind::Map(pairs) => match open.key.take() {
                None => open.key = Some(node),
                Some(key) => {
                    if pairs.iter().any(|(earlier, _)| earlier.kind == key.kind) {
                        return Err(format!("the key `{}` stands here twice", key.text().unwrap_or("?")));
                    }
                    pairs.push((key, node));
                }
            },
            Kind::Scalar(_) => {}
        }
        Ok(())
    }
}

fn count(node: &Node) -> usize {
    match &node.kind {
        Kind::Scalar(_) => 1,
        Kind::List(nodes) => 1 + nodes.iter().map(count).sum::<usize>(),
        Kind::Map(pairs) => 1 + pairs.iter().map(|(key, value)| count(key) + count(value)).sum::<usize>(),
    }
}

/// Resolves a plain scalar by YAML 1.1.
fn resolve(text: &str) -> Scalar {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => return Scalar::Bool(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => {
            return Scalar::Bool(false);
        }
        _ => {}
    }
    let looks_numeric =
        text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '-' | '.'));
    if !looks_numeric {
        return Scalar::Text(text.to_owned());
    }
    let digits = text.replace('_', "");
    integer(&digits)
        .map(Scalar::Int)
        .or_else(|| float(&digits).map(Scalar::Float))
        .unwrap_or_else(|| Scalar::Text(text.to_owned()))
}

fn integer(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (digits, radix) = if let Some(hex) = digits.strip_prefix("0x") {
        (hex, 16)
    } else if let Some(binary) = digits.strip_prefix("0b") {
        (binary, 2)
    } else if digits.len() > 1 && digits.starts_with('0') {
        (digits, 8)
    } else {
        (digits, 10)
    };
    if !digits.starts_with(|first: char| first.is_digit(radix)) {
        return None;
    }
    let magnitude = i128::from_str_radix(digits, radix).ok()?;
    i64::try_from(if negative { -magnitude } else { magnitude }).ok()
}

/// A float must have a point in YAML 1.1, a sign only before a digit, and a sign in its exponent: `1e5`,
/// `-.5` and `1.5e3` are text there.
fn float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.')?;
    let (fraction, exponent) = match fraction.split_once(['e', 'E']) {
        Some((fraction, exponent)) => (fraction, Some(exponent)),
        None => (fraction, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let signed = |exponent: &str| {
        exponent.strip_prefix(['+', '-']).is_some_and(|rest| !rest.is_empty() && digits(rest))
    };
    let starts =
        if whole.is_empty() { unsigned.len() == text.len() && !fraction.is_empty() } else { digits(whole) };
    if !starts || !digits(fraction) || !exponent.is_none_or(signed) {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Scalar {
        match parse(text).unwrap().remove(0).kind {
            Kind::Scalar(scalar) => scalar,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn plain_scalars_follow_yaml_1_1() {
        assert_eq!(one("yes"), Scalar::Bool(true));
        assert_eq!(one("0x1F"), Scalar::Int(31));
        assert_eq!(one("0777"), Scalar::Int(511));
        assert_eq!(one("-1_000"), Scalar::Int(-1000));
        assert_eq!(one("1.5"), Scalar::Float(1.5));
        assert_eq!(one("1.5e+3"), Scalar::Float(1500.0));
        assert_eq!(one(".5"), Scalar::Float(0.5));
        assert_eq!(one("!!str 5"), Scalar::Text("5".into()));
        for text in ["1e5", "1.5e3", "-.5", "1.2.3", "10.0.0.1", "."] {
            assert_eq!(one(text), Scalar::Text(text.into()));
        }
        assert_eq!(one("10.0.0.0/8"), Scalar::Text("10.0.0.0/8".into()));
        assert_eq!(one("089"), Scalar::Text("089".into()));
        assert_eq!(one("'4624'"), Scalar::Text("4624".into()));
        assert_eq!(one("0x"), Scalar::Text("0x".into()));
    }

    #[test]
    fn lines_are_those_of_the_file() {
        let documents = parse("title: a\n\ndetection:\n  x:\n    - 1\n    - 2\n---\ntitle: b\n").unwrap();
        assert_eq!(documents.len(), 2);
        let list = documents[0].get("detection").unwrap().get("x").unwrap();
        assert_eq!(list.elements()[1].line, 6);
        assert_eq!(documents[1].get("title").unwrap().line, 8);
    }

    #[test]
    fn bad_text_is_refused_with_its_line() {
        assert_eq!(parse("a: 1\nb: [1, 2\nc: 3\n").unwrap_err().line, 3);
        assert!(parse("a: 1\na: 2\n").unwrap_err().reason.contains("twice"));
        assert!(parse(&"[".repeat(100)).unwrap_err().reason.contains("deeper"));
    }

    #[test]
    fn billion_laughs_are_refused() {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..9 {
            let alias = format!("*a{}", level - 1);
            text += &format!("a{level}: &a{level} [{}]\n", [alias.as_str(); 10].join(", "));
        }
        assert!(parse(&text).unwrap_err().reason.contains("after aliases"));
    }
}
