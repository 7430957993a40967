use std::borrow::Cow;
use std::fmt::Write as _;

use crate::limits;
use foldhash::{HashMap, HashMapExt as _};
use serde::ser::{Serialize, SerializeMap as _, SerializeSeq as _, Serializer};

/// One value of an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// Text as the sender wrote it.
    Text(Cow<'a, str>),
    /// A whole number.
    Int(i64),
    /// A whole number above [`i64::MAX`].
    Uint(u64),
    /// A number with a fraction or an exponent.
    Float(f64),
    /// True or false.
    Bool(bool),
    /// An explicit null.
    Null,
    /// An object or an empty list: the name is present, but it has no text of its own.
    Nested,
}

impl Value<'_> {
    /// The value as text, written into `scratch` where it is not text already.
    /// `None` for what has no text: null and nested values.
    pub fn text<'v>(&'v self, scratch: &'v mut String) -> Option<&'v str> {
        scratch.clear();
        // Writing to a `String` cannot fail.
        let _ = match self {
            Self::Text(text) => return Some(text),
            Self::Int(number) => write!(scratch, "{number}"),
            Self::Uint(number) => write!(scratch, "{number}"),
            Self::Float(number) => write!(scratch, "{number:?}"),
            Self::Bool(truth) => return Some(if *truth { "true" } else { "false" }),
            Self::Null | Self::Nested => return None,
        };
        Some(scratch)
    }

    /// The value as text of its own; empty for what has none.
    pub fn to_text(&self) -> String {
        self.text(&mut String::new()).map_or_else(String::new, str::to_owned)
    }

    /// The value as a number; text counts when all of it is one.
    #[expect(clippy::cast_precision_loss, reason = "comparison above 2^53 is approximate, as in JSON")]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Int(number) => Some(*number as f64),
            Self::Uint(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            Self::Text(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
            Self::Bool(_) | Self::Null | Self::Nested => None,
        }
    }

    /// The same value, borrowing nothing.
    pub fn to_owned_value(&self) -> Value<'static> {
        match self {
            Self::Text(text) => Value::Text(Cow::Owned(text.to_string())),
            Self::Int(number) => Value::Int(*number),
            Self::Uint(number) => Value::Uint(*number),
            Self::Float(number) => Value::Float(*number),
            Self::Bool(truth) => Value::Bool(*truth),
            Self::Null => Value::Null,
            Self::Nested => Value::Nested,
        }
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl<'a> From<Cow<'a, str>> for Value<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Int(number) => serializer.serialize_i64(*number),
            Self::Uint(number) => serializer.serialize_u64(*number),
            Self::Float(number) => serializer.serialize_f64(*number),
            Self::Bool(truth) => serializer.serialize_bool(*truth),
            Self::Null | Self::Nested => serializer.serialize_unit(),
        }
    }
}

/// The fields of one event: a bag of `(path, value)` pairs in the order of the source.
///
/// A path may occur several times (a list in the source, the records of one auditd event); a question
/// about a field is then answered by any of its values, which is how Sigma treats lists. Paths of nested
/// objects are joined by dots.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fields<'a> {
    pairs: Vec<(Cow<'a, str>, Value<'a>)>,
    cut: bool,
}

impl<'a> Fields<'a> {
    /// An empty bag with room for `capacity` pairs.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { pairs: Vec::with_capacity(capacity), cut: false }
    }

    /// Adds a pair at the end. Beyond [`limits::FIELDS`] pairs or [`limits::NAME_BYTES`] of a path it is
    /// left out instead, and the bag remembers that it was cut.
    pub fn push(&mut self, path: impl Into<Cow<'a, str>>, value: impl Into<Value<'a>>) {
        let path = path.into();
        if self.is_full() || path.len() > limits::NAME_BYTES {
            self.cut = true;
        } else {
            self.pairs.push((path, value.into()));
        }
    }

    /// Whether there is room for no further pair.
    pub fn is_full(&self) -> bool {
        self.pairs.len() >= limits::FIELDS
    }

    /// Whether pairs were left out.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// Notes that something was left out.
    pub fn mark_cut(&mut self) {
        self.cut = true;
    }

    /// The pairs in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value<'a>)> {
        self.pairs.iter().map(|(path, value)| (path.as_ref(), value))
    }

    /// The first value of a path.
    pub fn get(&self, path: &str) -> Option<&Value<'a>> {
        self.iter().find_map(|(name, value)| (name == path).then_some(value))
    }

    /// The first value of a path, where it is text.
    pub fn text(&self, path: &str) -> Option<&str> {
        match self.get(path)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether the path occurs.
    pub fn has(&self, path: &str) -> bool {
        self.get(path).is_some()
    }

    /// How many pairs there are.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// The value at a place in the order of [`Fields::iter`].
    pub fn value(&self, place: usize) -> Option<&Value<'a>> {
        self.pairs.get(place).map(|(_, value)| value)
    }

    /// Passes every pair through `change`; a pair for which it answers `None` is dropped.
    #[must_use]
    pub fn rewrite(
        self,
        mut change: impl FnMut(Cow<'a, str>, Value<'a>) -> Option<(Cow<'a, str>, Value<'a>)>,
    ) -> Self {
        let pairs = self.pairs.into_iter().filter_map(|(path, value)| change(path, value)).collect();
        Self { pairs, cut: self.cut }
    }

    /// The same fields, borrowing nothing.
    pub fn to_owned_fields(&self) -> Fields<'static> {
        let own = |(path, value): (&str, &Value<'a>)| (Cow::Owned(path.to_owned()), value.to_owned_value());
        Fields { pairs: self.iter().map(own).collect(), cut: self.cut }
    }

    /// Each path once, in order of its first occurrence, with all its values.
    fn grouped(&self) -> Vec<(&str, Vec<&Value<'a>>)> {
        let mut groups: Vec<(&str, Vec<&Value<'a>>)> = Vec::with_capacity(self.len());
        let mut places: HashMap<&str, usize> = HashMap::with_capacity(self.len());
        for (path, value) in self.iter() {
            let place = *places.entry(path).or_insert(groups.len());
            match groups.get_mut(place) {
                Some((_, values)) => values.push(value),
                None => groups.push((path, vec![value])),
            }
        }
        groups
    }
}

/// An object; a path that occurs several times becomes a list.
impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let groups = self.grouped();
        let mut map = serializer.serialize_map(Some(groups.len()))?;
        for (path, values) in &groups {
            match values.as_slice() {
                [one] => map.serialize_entry(path, one)?,
                several => map.serialize_entry(path, &List(several))?,
            }
        }
        map.end()
    }
}

struct List<'v, 'a>(&'v [&'v Value<'a>]);

impl Serialize for List<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(self.0.len()))?;
        for value in self.0 {
            seq.serialize_element(value)?;
        }
        seq.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_paths_become_a_list_at_their_first_place() {
        let mut fields = Fields::default();
        fields.push("type", "SYSCALL");
        fields.push("pid", 7);
        fields.push("type", "EXECVE");
        assert_eq!(serde_json::to_string(&fields).unwrap(), r#"{"type":["SYSCALL","EXECVE"],"pid":7}"#);
        assert_eq!(fields.text("type"), Some("SYSCALL"));
    }

    #[test]
    fn text_of_every_kind_of_value() {
        let text = |value: Value<'_>| value.text(&mut String::new()).map(str::to_owned);
        assert_eq!(text(Value::Int(-4)).as_deref(), Some("-4"));
        assert_eq!(text(Value::Uint(u64::MAX)).as_deref(), Some("18446744073709551615"));
        assert_eq!(text(Value::Float(1.0)).as_deref(), Some("1.0"));
        assert_eq!(text(Value::Bool(true)).as_deref(), Some("true"));
        assert_eq!(text(Value::Nested), None);
    }
}
