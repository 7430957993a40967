//! What a rule demands, as a tree of predicates.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::IpAddr;
use std::str::FromStr as _;
use std::sync::Arc;

use garrison_base::Value;
use ipnet::IpNet;
use regex::Regex;

use crate::pattern::{Part, Pattern, fold};

/// A Boolean expression over predicates.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// All of these.
    All(Vec<Expr>),
    /// At least one of these.
    Any(Vec<Expr>),
    /// At least so many of these.
    AtLeast(usize, Vec<Expr>),
    /// Not this.
    Not(Box<Expr>),
    /// This detection, by the name that the rule gives it.
    Named(Arc<str>, Box<Expr>),
    /// This predicate.
    Is(Predicate),
}

impl Expr {
    /// Every predicate of the expression, from left to right.
    pub fn predicates(&self) -> Vec<&Predicate> {
        match self {
            Self::All(parts) | Self::Any(parts) | Self::AtLeast(_, parts) => {
                parts.iter().flat_map(Self::predicates).collect()
            }
            Self::Not(inner) | Self::Named(_, inner) => inner.predicates(),
            Self::Is(predicate) => vec![predicate],
        }
    }
}

/// One question about one field.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Predicate {
    /// The field, by its Sigma name; `None` asks every value of the event (a keyword).
    pub field: Option<Arc<str>>,
    /// The question.
    pub test: Test,
}

impl Predicate {
    /// The question in words, without the field. What a keyword asks may stand anywhere in a value.
    pub fn question(&self) -> String {
        match (&self.field, &self.test) {
            (None, Test::Text(pattern)) => Test::Text(pattern.clone().open_start().open_end()).to_string(),
            (None, Test::Number(number)) => format!("contains {number}"),
            (_, test) => test.to_string(),
        }
    }
}

/// A question about the values of a field. It is answered yes if one value answers it yes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Test {
    /// The value's text matches the pattern.
    Text(Pattern),
    /// The value is this number, or text that spells it so. Whole numbers have no point.
    Number(String),
    /// The expression is found somewhere in the value's text.
    Regex(SourceRegex),
    /// The value is an address inside the network.
    Cidr(IpNet),
    /// The value is a number, and compares so with the bound.
    Compare(Comparison, Bound),
    /// The field is absent or null.
    Null,
    /// The field is present (null counts), or is not.
    Exists(bool),
    /// A value of the field relates so to a value of the other field, without case.
    FieldRef(FieldRef),
}

/// A reference to another field.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FieldRef {
    /// The other field.
    pub other: Arc<str>,
    /// It suffices that the value starts with the other's.
    pub starts: bool,
    /// It suffices that the value ends with the other's; with `starts`, that it contains it.
    pub ends: bool,
}

impl FieldRef {
    /// Whether `value` relates to `other` as demanded. Both must be folded.
    pub fn relates(&self, value: &str, other: &str) -> bool {
        match (self.starts, self.ends) {
            (false, false) => value == other,
            (true, false) => value.starts_with(other),
            (false, true) => value.ends_with(other),
            (true, true) => value.contains(other),
        }
    }
}

/// How a number is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// Less than.
    Lt,
    /// Less than or equal to.
    Lte,
    /// Greater than.
    Gt,
    /// Greater than or equal to.
    Gte,
}

/// The bound of a comparison. Finite, so it can be compared and hashed by its bits.
#[derive(Debug, Clone, Copy)]
pub struct Bound(pub f64);

impl PartialEq for Bound {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Eq for Bound {}

impl Hash for Bound {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

/// A compiled regular expression that is compared by its source.
#[derive(Debug, Clone)]
pub struct SourceRegex(Regex);

impl SourceRegex {
    /// Compiles; the error names the place and what is not supported (look-around, back references).
    pub fn new(source: &str) -> Result<Self, String> {
        Regex::new(source).map(Self).map_err(|error| error.to_string())
    }
}

impl PartialEq for SourceRegex {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Eq for SourceRegex {}

impl Hash for SourceRegex {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.as_str().hash(state);
    }
}

impl Test {
    /// Whether one value answers yes. [`Test::Null`], [`Test::Exists`] and [`Test::FieldRef`] ask about
    /// more than one value and are answered where the whole event is known.
    ///
    /// This is the plain form of what the compiled matcher does for many tests at once; it judges the
    /// tests that the matcher does not index and explains a match.
    pub fn holds(&self, value: &Value<'_>, keyword: bool, scratch: &mut Scratch) -> bool {
        let Scratch { text: text_scratch, folded } = scratch;
        let text = value.text(text_scratch);
        match self {
            Self::Text(pattern) => text.is_some_and(|text| {
                let pattern = if keyword { &pattern.clone().open_start().open_end() } else { pattern };
                if pattern.is_cased() { pattern.matches(text) } else { pattern.matches(fold(text, folded)) }
            }),
            Self::Number(number) if keyword => text.is_some_and(|text| text.contains(number.as_str())),
            Self::Number(number) => {
                text == Some(number) || float_as_whole(value).is_some_and(|whole| whole == *number)
            }
            Self::Regex(regex) => text.is_some_and(|text| regex.0.is_match(text)),
            Self::Cidr(net) => {
                text.and_then(|text| IpAddr::from_str(text).ok()).is_some_and(|ip| net.contains(&ip))
            }
            Self::Compare(comparison, bound) => value.number().is_some_and(|number| match comparison {
                Comparison::Lt => number < bound.0,
                Comparison::Lte => number <= bound.0,
                Comparison::Gt => number > bound.0,
                Comparison::Gte => number >= bound.0,
            }),
            Self::Null | Self::Exists(_) | Self::FieldRef(_) => false,
        }
    }
}

/// A float without a fraction, spelled as a whole number.
pub(crate) fn float_as_whole(value: &Value<'_>) -> Option<String> {
    match value {
        Value::Float(number) if number.fract() == 0.0 => Some(format!("{number:.0}")),
        _ => None,
    }
}

/// Room for the text of values, kept from one question to the next.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(crate) text: String,
    pub(crate) folded: String,
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(pattern) => write!(f, "{}", Shown(pattern)),
            Self::Number(number) => write!(f, "= {number}"),
            Self::Regex(regex) => write!(f, "matches /{}/", regex.0.as_str()),
            Self::Cidr(net) => write!(f, "in {net}"),
            Self::Compare(comparison, bound) => {
                let sign = match comparison {
                    Comparison::Lt => "<",
                    Comparison::Lte => "<=",
                    Comparison::Gt => ">",
                    Comparison::Gte => ">=",
                };
                write!(f, "{sign} {}", bound.0)
            }
            Self::Null => f.write_str("is absent or null"),
            Self::Exists(true) => f.write_str("exists"),
            Self::Exists(false) => f.write_str("does not exist"),
            Self::FieldRef(field) => match (field.starts, field.ends) {
                (false, false) => write!(f, "= the field {}", field.other),
                (true, false) => write!(f, "starts with the field {}", field.other),
                (false, true) => write!(f, "ends with the field {}", field.other),
                (true, true) => write!(f, "contains the field {}", field.other),
            },
        }
    }
}

/// A pattern in words, where it is one of the usual forms.
struct Shown<'p>(&'p Pattern);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let case = if self.0.is_cased() { " (with case)" } else { "" };
        match self.0.parts() {
            [] => f.write_str("is empty"),
            [Part::Literal(text)] => write!(f, "= {text:?}{case}"),
            [Part::Many, Part::Literal(text), Part::Many] => write!(f, "contains {text:?}{case}"),
            [Part::Literal(text), Part::Many] => write!(f, "starts with {text:?}{case}"),
            [Part::Many, Part::Literal(text)] => write!(f, "ends with {text:?}{case}"),
            [Part::Many] => f.write_str("has any text"),
            _ => write!(f, "is like {:?}{case}", self.0.to_string()),
        }
    }
}
