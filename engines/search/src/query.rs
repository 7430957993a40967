//! What a query asks for, and its canonical text.

use crate::pattern::{Pattern, is_plain, write_literal, write_quoted};
use ipnet::IpNet;
use std::cmp::Ordering;
use std::fmt::{self, Write};

/// A question to each event. Its text, by `Display`, is one that [`parse`](crate::parse()) reads as the same
/// query, as long as it is within the limits: it may be longer than what was typed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Query {
    /// Every event.
    All,
    /// Each of these. The parser gives two or more, none of them an `And`.
    And(Vec<Query>),
    /// At least one of these. The parser gives two or more, none of them an `Or`.
    Or(Vec<Query>),
    /// Not this.
    Not(Box<Query>),
    /// Free text: see [`matches_text`](crate::matches_text).
    Text(Pattern),
    /// A test of one field.
    Field {
        /// As typed; never empty.
        name: String,
        /// What its value must be.
        test: Test,
    },
}

/// What a field must be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Test {
    /// Matched whole: see [`matches_value`](crate::matches_value).
    Is(Pattern),
    /// The event has the field.
    Present,
    /// Stands in this order to a number, text or time; times may be relative, as in `now-15m`.
    Compare(Op, String),
    /// An address in this network; host bits are zero.
    Network(IpNet),
    /// A regular expression, unchecked: [`Ready`](crate::Ready) reads it.
    Matches(String),
}

/// An order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

impl Op {
    /// Whether a value that stands in this order to the one that is asked for passes.
    pub fn holds(self, order: Ordering) -> bool {
        match self {
            Op::Less => order.is_lt(),
            Op::AtMost => order.is_le(),
            Op::Greater => order.is_gt(),
            Op::AtLeast => order.is_ge(),
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Op::Less => "<",
            Op::AtMost => "<=",
            Op::Greater => ">",
            Op::AtLeast => ">=",
        })
    }
}

/// How close a query holds together: what binds looser than its surroundings needs parentheses.
#[derive(PartialEq, PartialOrd)]
enum Binding {
    Or,
    And,
    Unary,
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Query::All => f.write_char('*'),
            Query::And(parts) if parts.is_empty() => f.write_char('*'),
            Query::Or(parts) if parts.is_empty() => f.write_str("not *"),
            Query::And(parts) => write_joined(f, parts, " and ", &Binding::Unary),
            Query::Or(parts) => match list(parts) {
                Some(name) => write_list(f, name, parts),
                None => write_joined(f, parts, " or ", &Binding::And),
            },
            Query::Not(inner) => {
                f.write_str("not ")?;
                inner.write_within(f, &Binding::Unary)
            }
            Query::Text(pattern) => pattern.write_text(f),
            Query::Field { name, test } => {
                f.write_str(&written_name(name))?;
                match test {
                    Test::Compare(op, value) => {
                        write!(f, "{op}")?;
                        write_literal(f, value)
                    }
                    test => {
                        f.write_char(':')?;
                        test.write_value(f)
                    }
                }
            }
        }
    }
}

impl Query {
    fn write_within(&self, f: &mut fmt::Formatter<'_>, least: &Binding) -> fmt::Result {
        if self.binding() < *least { write!(f, "({self})") } else { write!(f, "{self}") }
    }

    fn binding(&self) -> Binding {
        match self {
            Query::And(_) => Binding::And,
            Query::Or(parts) if list(parts).is_none() => Binding::Or,
            _ => Binding::Unary,
        }
    }
}

fn write_joined(f: &mut fmt::Formatter<'_>, parts: &[Query], with: &str, least: &Binding) -> fmt::Result {
    for (place, part) in parts.iter().enumerate() {
        if place > 0 {
            f.write_str(with)?;
        }
        part.write_within(f, least)?;
    }
    Ok(())
}

/// The field's name, where the parts can be written as `name:(a or b)`.
fn list(parts: &[Query]) -> Option<&str> {
    let listed = |query: &Query, wanted: &str| matches!(query, Query::Field { name, test } if name == wanted && !matches!(test, Test::Compare(..)));
    match parts {
        [Query::Field { name, .. }, _, ..] => {
            parts.iter().all(|part| listed(part, name)).then_some(name.as_str())
        }
        _ => None,
    }
}

fn write_list(f: &mut fmt::Formatter<'_>, name: &str, parts: &[Query]) -> fmt::Result {
    write!(f, "{}:(", written_name(name))?;
    for (place, part) in parts.iter().enumerate() {
        if place > 0 {
            f.write_str(" or ")?;
        }
        if let Query::Field { test, .. } = part {
            test.write_value(f)?;
        }
    }
    f.write_char(')')
}

impl Test {
    fn write_value(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Test::Is(pattern) => pattern.write_value(f),
            Test::Present => f.write_char('*'),
            Test::Compare(_, value) => write_literal(f, value),
            Test::Network(network) => write!(f, "{network}"),
            Test::Matches(regex) => write_regex(f, regex),
        }
    }
}

/// Writes the expression between slashes. What a backslash stands before is the expression's own.
fn write_regex(f: &mut fmt::Formatter<'_>, regex: &str) -> fmt::Result {
    let mut escaped = false;
    f.write_char('/')?;
    for char in regex.chars() {
        if char == '/' && !escaped {
            f.write_char('\\')?;
        }
        f.write_char(char)?;
        escaped = char == '\\' && !escaped;
    }
    f.write_char('/')
}

/// Whether a field of this name can be written without backticks. A bare number cannot: `10:15` is more
/// often a time than a field.
pub(crate) fn is_plain_name(name: &str) -> bool {
    name.chars().all(is_plain) && name.chars().any(|char| !char.is_ascii_digit()) && !name.starts_with('-')
}

/// The name as it is written in a query.
pub(crate) fn written_name(name: &str) -> String {
    if is_plain_name(name) {
        return name.to_owned();
    }
    let mut written = String::new();
    // Writing to a `String` cannot fail.
    let _ = write_quoted(&mut written, name, '`');
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Part, parse};
    use proptest::prelude::*;

    #[test]
    fn canonical_text() {
        for (query, canonical) in [
            ("", "*"),
            ("a  B", "a and B"),
            ("a || b && !c", "a or b and not c"),
            ("(a or b) -c", "(a or b) and not c"),
            ("NOT (a b)", "not (a and b)"),
            ("((a) or (b or c))", "a or b or c"),
            ("user!=root", "not user:root"),
            ("user = root", "user:root"),
            ("user:(root, \"a b\" c*)", "user:(root or \"a b\" or c*)"),
            ("x user!=(a b)", "x and not user:(a or b)"),
            ("f:a or f:b", "f:(a or b)"),
            ("f:a or f>1", "f:a or f>1"),
            ("country:OR", "country:\"OR\""),
            ("`odd name`:1", "`odd name`:1"),
            ("time>=now-15m", "time>=now-15m"),
            ("ip:10.1.2.3/8", "ip:10.0.0.0/8"),
            ("ip:2001:db8::1/32", "ip:2001:db8::/32"),
            (r"f:/a\/b\\/", r"f:/a\/b\\/"),
            (r"C\:\Windows\*", r"C\:\\Windows\*"),
            ("--force", r"\--force"),
            ("fe80::1", r"fe80\:\:1"),
        ] {
            assert_eq!(parse(query).unwrap().to_string(), canonical, "{query}");
        }
    }

    /// Pieces that are likely to make sense when put side by side.
    fn soup() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "a",
            "word",
            "and",
            "or",
            "NOT",
            "&&",
            "||",
            "!",
            "-",
            "--",
            "(",
            ")",
            "\"",
            "\"b c\"",
            "`",
            "`x y`",
            "f:",
            "f>",
            "f<=",
            "f!=",
            "f=",
            ":",
            "=",
            "*",
            "?",
            "\\",
            "/",
            "/r e/",
            "/r\\/\\\\/",
            ",",
            "f:(",
            "g:(a or",
            " ",
            " ",
            " ",
            "é",
            "İ",
            "\u{a0}",
            "\n",
            "10.0.0.0/8",
            "fe80::1",
            "::1",
            "\\\"",
            "5",
            "_",
            "|",
            "&",
            "<",
            "'",
            "\u{2014}",
            "f:a",
            "f:b* ",
            "f:\"x\"",
            "x ",
            "not ",
            " or ",
            " and ",
        ]);
        prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
    }

    /// Patterns as the parser makes them; `*` and `?` in the text are wildcards, `+` is a star as text.
    fn pattern(text: &str) -> Pattern {
        let mut parts = Vec::new();
        for char in text.chars() {
            match (char, parts.last_mut()) {
                ('*', Some(Part::Any)) => {}
                ('*', _) => parts.push(Part::Any),
                ('?', _) => parts.push(Part::One),
                (char, last) => {
                    let char = if char == '+' { '*' } else { char };
                    match last {
                        Some(Part::Literal(text)) => text.push(char),
                        _ => parts.push(Part::Literal(char.to_string())),
                    }
                }
            }
        }
        Pattern { parts, phrase: false }
    }

    fn join(parts: Vec<Query>, is_and: bool) -> Query {
        let inner = parts.into_iter().flat_map(|part| match part {
            Query::And(inner) if is_and => inner,
            Query::Or(inner) if !is_and => inner,
            part => vec![part],
        });
        if is_and { Query::And(inner.collect()) } else { Query::Or(inner.collect()) }
    }

    fn queries() -> impl Strategy<Value = Query> {
        let odd = r#"[-ab*?+"\\:/ &|!<>=(),`é
]{1,5}"#;
        let name = prop::sample::select(vec!["f", "g", "not", "a b", "-x", "`\\", "1", "fe80"]);
        let test = prop_oneof![
            odd.prop_map(|text| match pattern(&text) {
                pattern if pattern.parts == [Part::Any] => Test::Present,
                pattern => Test::Is(pattern),
            }),
            "[-a1*\": ]{1,4}".prop_map(|value| Test::Compare(Op::AtMost, value)),
            any::<u32>().prop_map(|bits| {
                Test::Network(IpNet::from(ipnet::Ipv4Net::new_assert(bits.into(), 12).trunc()))
            }),
            r#"([a /]|\\[a\\.]){1,4}"#.prop_map(Test::Matches),
        ];
        let leaf = prop_oneof![
            odd.prop_map(|text| match pattern(&text) {
                pattern if pattern.parts == [Part::Any] => Query::All,
                pattern => Query::Text(pattern),
            }),
            odd.prop_map(|text| Query::Text(Pattern::exactly(text, true))),
            (name, test).prop_map(|(name, test)| Query::Field { name: name.to_owned(), test }),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                (prop::collection::vec(inner.clone(), 2..4), any::<bool>())
                    .prop_map(|(parts, and)| join(parts, and)),
                inner.prop_map(|query| Query::Not(Box::new(query))),
            ]
        })
    }

    fn check(query: &str) -> Result<(), TestCaseError> {
        match parse(query) {
            Ok(parsed) => {
                let text = parsed.to_string();
                let again = parse(&text);
                prop_assert_eq!(again.as_ref(), Ok(&parsed), "{} -> {}", query, text);
                prop_assert_eq!(again.map(|again| again.to_string()), Ok(text));
            }
            Err(error) => {
                prop_assert!(error.at <= query.len() && error.at + error.length <= query.len());
                prop_assert!(query.is_char_boundary(error.at), "{query:?} {error:?}");
                prop_assert!(query.is_char_boundary(error.at + error.length), "{query:?} {error:?}");
                prop_assert!(!error.message.chars().any(char::is_control));
                prop_assert_eq!(error.pointed(query).lines().count(), 2);
            }
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn any_text_is_read_or_refused(query in any::<String>()) {
            check(&query)?;
        }

        #[test]
        fn what_is_printed_is_read(query in queries()) {
            prop_assert_eq!(parse(&query.to_string()), Ok(query));
        }

        #[test]
        fn what_is_read_is_printed_and_read_again(query in soup()) {
            check(&query)?;
        }
    }
}
