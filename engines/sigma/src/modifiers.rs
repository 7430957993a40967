//! Value modifiers: from `Field|contains|windash: value` to an expression.
//!
//! Sigma specification v2.1, appendix "Modifiers"; where it is silent, what pySigma 2 does.

use std::convert::Infallible;
use std::net::IpAddr;
use std::str::FromStr as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use garrison_base::limits;
use ipnet::IpNet;

use crate::expr::{Bound, Comparison, Expr, FieldRef, Predicate, SourceRegex, Test};
use crate::pattern::{Part, Pattern};
use crate::regex_syntax::from_python;
use crate::rule::Placeholders;
use crate::yaml::Scalar;

/// A value on its way through the modifiers.
#[derive(Clone)]
enum Draft {
    Text(Pattern),
    Number(Scalar),
    Bool(bool),
    Null,
    Regex {
        source: String,
        flags: String,
    },
    Cidr(IpNet),
    Compare(Comparison, Bound),
    Exists(bool),
    FieldRef(FieldRef),
    /// Alternatives that one value became. They stay alternatives under `all`.
    Either(Vec<Draft>),
}

/// Builds the expression of one `field|modifiers: values` item. No values means null.
pub(crate) fn item(key: &str, values: Vec<Scalar>, placeholders: &Placeholders) -> Result<Expr, String> {
    let mut names = key.split('|');
    let field = names.next().filter(|field| !field.is_empty()).map(Arc::from);
    let names: Vec<&str> = names.collect();
    let regex = names.contains(&"re");
    let mut drafts: Vec<Draft> = values.into_iter().map(|value| draft(value, regex)).collect();
    let (mut all, mut negated, mut utf16) = (false, false, false);
    for (place, name) in names.iter().enumerate() {
        match *name {
            "all" => all = true,
            "neq" => negated = true,
            name => {
                let step = Step { name, first: place == 0, utf16, keyword: field.is_none() };
                drafts = drafts.into_iter().map(|draft| step.apply(draft)).collect::<Result<_, _>>()?;
            }
        }
        utf16 |= *name == "utf16";
    }
    if drafts.is_empty() {
        drafts.push(Draft::Null);
    }
    let exprs = drafts
        .into_iter()
        .map(|draft| finish(draft, field.as_ref(), placeholders))
        .collect::<Result<Vec<_>, _>>()?;
    let linked = link(exprs, all);
    Ok(if negated { Expr::Not(Box::new(linked)) } else { linked })
}

fn link(mut exprs: Vec<Expr>, all: bool) -> Expr {
    match exprs.len() {
        1 => exprs.remove(0),
        _ if all => Expr::All(exprs),
        _ => Expr::Any(exprs),
    }
}

/// Regular expressions keep their text as it is; every other text has wildcards and escapes.
fn draft(value: Scalar, regex: bool) -> Draft {
    match value {
        Scalar::Text(text) if regex => Draft::Text(Pattern::literal(text)),
        Scalar::Text(text) => Draft::Text(Pattern::parse(&text)),
        number @ (Scalar::Int(_) | Scalar::Float(_)) if regex => {
            Draft::Text(Pattern::literal(number.to_string()))
        }
        number @ (Scalar::Int(_) | Scalar::Float(_)) => Draft::Number(number),
        Scalar::Bool(truth) => Draft::Bool(truth),
        Scalar::Null => Draft::Null,
    }
}

/// One modifier of a chain, and what it must know of its place in it.
struct Step<'n> {
    name: &'n str,
    first: bool,
    utf16: bool,
    keyword: bool,
}

impl Step<'_> {
    fn apply(&self, draft: Draft) -> Result<Draft, String> {
        if let Draft::Either(drafts) = draft {
            let drafts = drafts.into_iter().map(|draft| self.apply(draft)).collect::<Result<_, _>>()?;
            return Ok(Draft::Either(drafts));
        }
        match self.name {
            "contains" | "startswith" | "endswith" => self.open_ends(draft),
            "cased" => self.text(draft).map(|pattern| Draft::Text(pattern.cased())),
            "re" | "cidr" | "exists" if !self.first => {
                Err(format!("`{}` must be the first modifier", self.name))
            }
            "re" => self.regex(draft),
            "i" | "ignorecase" => self.flag(draft, 'i'),
            "m" | "multiline" => self.flag(draft, 'm'),
            "s" | "dotall" => self.flag(draft, 's'),
            "cidr" => self.text(draft).and_then(|pattern| network(&pattern.to_string())),
            "lt" => self.compare(&draft, Comparison::Lt),
            "lte" => self.compare(&draft, Comparison::Lte),
            "gt" => self.compare(&draft, Comparison::Gt),
            "gte" => self.compare(&draft, Comparison::Gte),
            "exists" => self.exists(&draft),
            "fieldref" => self.field_ref(draft),
            "expand" => self.expand(draft),
            "windash" => self.text(draft).and_then(windash),
            "wide" => self.encode(draft, &|text| wide(&text, u16::to_le_bytes)),
            "utf16be" => self.encode(draft, &|text| wide(&text, u16::to_be_bytes)),
            "utf16" => self.utf16(draft),
            "base64" => self.base64(draft),
            "base64offset" => self.base64_offset(draft),
            "minute" | "hour" | "day" | "week" | "month" | "year" => {
                Err(format!("the time modifier `{}` is not supported yet", self.name))
            }
            _ => Err(format!("unknown modifier `{}`", self.name)),
        }
    }

    fn text(&self, draft: Draft) -> Result<Pattern, String> {
        match draft {
            Draft::Text(pattern) => Ok(pattern),
            _ => Err(self.wants("text: put the value in quotes")),
        }
    }

    fn wants(&self, what: &str) -> String {
        format!("the modifier `{}` wants {what}", self.name)
    }

    fn open_ends(&self, draft: Draft) -> Result<Draft, String> {
        let (start, end) = (self.name != "startswith", self.name != "endswith");
        match draft {
            Draft::Text(mut pattern) => {
                if start {
                    pattern = pattern.open_start();
                }
                if end {
                    pattern = pattern.open_end();
                }
                Ok(Draft::Text(pattern))
            }
            // A search is open at both ends already.
            Draft::Regex { .. } => Ok(draft),
            Draft::FieldRef(field) => {
                let (starts, ends) = (self.name != "endswith", self.name != "startswith");
                Ok(Draft::FieldRef(FieldRef {
                    starts: field.starts || starts,
                    ends: field.ends || ends,
                    ..field
                }))
            }
            _ => Err(self.wants("text: put the value in quotes")),
        }
    }

    fn regex(&self, draft: Draft) -> Result<Draft, String> {
        let pattern = self.text(draft)?;
        Ok(Draft::Regex { source: pattern.plain().unwrap_or_default(), flags: String::new() })
    }

    fn flag(&self, draft: Draft, flag: char) -> Result<Draft, String> {
        match draft {
            Draft::Regex { source, flags } => Ok(Draft::Regex { source, flags: format!("{flags}{flag}") }),
            _ => Err(format!("the flag `{}` belongs behind `re`", self.name)),
        }
    }

    fn compare(&self, draft: &Draft, comparison: Comparison) -> Result<Draft, String> {
        match draft {
            Draft::Number(number) => Ok(Draft::Compare(comparison, Bound(number_value(number)))),
            _ => Err(self.wants("a number, without quotes")),
        }
    }

    fn exists(&self, draft: &Draft) -> Result<Draft, String> {
        match draft {
            _ if self.keyword => Err(self.wants("a field name before it")),
            Draft::Bool(truth) => Ok(Draft::Exists(*truth)),
            _ => Err(self.wants("true or false")),
        }
    }

    fn field_ref(&self, draft: Draft) -> Result<Draft, String> {
        let pattern = self.text(draft)?;
        let other = pattern.plain().ok_or_else(|| self.wants("a field name without wildcards"))?;
        Ok(Draft::FieldRef(FieldRef { other: Arc::from(other), starts: false, ends: false }))
    }

    fn expand(&self, draft: Draft) -> Result<Draft, String> {
        match draft {
            Draft::Text(pattern) => Ok(Draft::Text(pattern.split_literals(split_placeholders))),
            Draft::Regex { .. } => Err("placeholders in regular expressions are not supported".to_owned()),
            _ => Err(self.wants("text with a %placeholder%")),
        }
    }

    fn encode(&self, draft: Draft, encode: &dyn Fn(String) -> Option<String>) -> Result<Draft, String> {
        let pattern = self.text(draft)?;
        let encoded = pattern.try_map_literals(|text| encode(text).ok_or(()));
        encoded.map(Draft::Text).map_err(|()| self.wants("ASCII text"))
    }

    /// UTF-16 with its byte order mark before the first character.
    fn utf16(&self, draft: Draft) -> Result<Draft, String> {
        let Draft::Text(pattern) = self.encode(draft, &|text| wide(&text, u16::to_le_bytes))? else {
            return Err(self.wants("text"));
        };
        let mut first = true;
        let marked = pattern.try_map_literals(|text| {
            let mark = if std::mem::take(&mut first) { "\u{feff}" } else { "" };
            Ok::<_, Infallible>(format!("{mark}{text}"))
        });
        match marked {
            Ok(pattern) => Ok(Draft::Text(pattern)),
        }
    }

    fn base64(&self, draft: Draft) -> Result<Draft, String> {
        let bytes = self.bytes(draft)?;
        Ok(Draft::Text(Pattern::literal(BASE64.encode(bytes))))
    }

    /// The three forms that a text can take inside longer Base64 text, without the characters at the ends
    /// that depend on its neighbours.
    fn base64_offset(&self, draft: Draft) -> Result<Draft, String> {
        let bytes = self.bytes(draft)?;
        // Blanks shift the text; as many characters at the start depend on them.
        let forms = [("", 0), (" ", 2), ("  ", 3)].map(|(shift, start)| {
            let shifted = [shift.as_bytes(), &bytes].concat();
            let encoded = BASE64.encode(&shifted);
            let end = encoded.len()
                - match shifted.len() % 3 {
                    0 => 0,
                    1 => 3,
                    _ => 2,
                };
            Draft::Text(Pattern::literal(encoded.get(start..end).unwrap_or_default()))
        });
        Ok(Draft::Either(forms.to_vec()))
    }

    fn bytes(&self, draft: Draft) -> Result<Vec<u8>, String> {
        let text = self.text(draft)?.plain().ok_or_else(|| self.wants("text without wildcards"))?;
        Ok(match text.strip_prefix('\u{feff}') {
            Some(rest) if self.utf16 => [b"\xff\xfe", rest.as_bytes()].concat(),
            _ => text.into_bytes(),
        })
    }
}

/// Each character as two bytes; the result is read as text again, so only ASCII can be told.
fn wide(text: &str, bytes: fn(u16) -> [u8; 2]) -> Option<String> {
    let encoded: Vec<u8> = text.encode_utf16().flat_map(bytes).collect();
    text.is_ascii().then(|| String::from_utf8(encoded).ok()).flatten()
}

fn network(text: &str) -> Result<Draft, String> {
    let net =
        IpNet::from_str(text).or_else(|error| IpAddr::from_str(text).map(IpNet::from).map_err(|_| error));
    match net {
        Ok(net) if net.trunc() == net => Ok(Draft::Cidr(net)),
        Ok(net) => Err(format!("{text} has bits set behind its prefix: write {}", net.trunc())),
        Err(_) => Err(format!("{text} is not a network such as 10.0.0.0/8 or fe80::/10")),
    }
}

/// The five characters that Windows programs take for the dash before a parameter.
const DASHES: [&str; 5] = ["-", "/", "\u{2013}", "\u{2014}", "\u{2015}"];

/// Replaces each dash or slash that begins a parameter (none of a word before it, a word after it).
fn windash(pattern: Pattern) -> Result<Draft, String> {
    const NAME: &str = "\0windash";
    let marked = pattern.split_literals(|text| {
        let mut parts = Vec::new();
        let (mut start, mut before) = (0, None);
        for (place, char) in text.char_indices() {
            let after = text.get(place + 1..).and_then(|rest| rest.chars().next());
            if matches!(char, '-' | '/') && !before.is_some_and(is_word) && after.is_some_and(is_word) {
                parts.extend(literal(&text[start..place]));
                parts.push(Part::Placeholder(NAME.to_owned()));
                start = place + 1;
            }
            before = Some(char);
        }
        parts.extend(literal(&text[start..]));
        parts
    });
    let dashes = || DASHES.map(str::to_owned).to_vec();
    let forms = marked.expand(limits::EXPANSION, &|name| (name == NAME).then(dashes));
    let forms = forms.ok_or("`windash` expands at most three dashes of a value: split it")?;
    Ok(Draft::Either(forms.into_iter().map(Draft::Text).collect()))
}

fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

fn literal(text: &str) -> Option<Part> {
    (!text.is_empty()).then(|| Part::Literal(text.to_owned()))
}

/// Finds `%name%`; a name is not empty and has no backslash. A lone `%` is itself.
fn split_placeholders(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let (mut start, mut from) = (0, 0);
    while let Some(open) = text[from..].find('%').map(|place| from + place) {
        let name = text[open + 1..].split_once('%').map(|(name, _)| name);
        match name.filter(|name| !name.is_empty() && !name.contains('\\')) {
            Some(name) => {
                parts.extend(literal(&text[start..open]));
                parts.push(Part::Placeholder(name.to_owned()));
                start = open + name.len() + 2;
                from = start;
            }
            None => from = open + 1,
        }
    }
    parts.extend(literal(&text[start..]));
    parts
}

fn number_value(number: &Scalar) -> f64 {
    match number {
        #[expect(clippy::cast_precision_loss, reason = "comparison above 2^53 is approximate")]
        Scalar::Int(number) => *number as f64,
        Scalar::Float(number) => *number,
        Scalar::Text(_) | Scalar::Bool(_) | Scalar::Null => f64::NAN,
    }
}

fn finish(draft: Draft, field: Option<&Arc<str>>, placeholders: &Placeholders) -> Result<Expr, String> {
    let test = match draft {
        Draft::Text(pattern) => return text(&pattern, field, placeholders),
        Draft::Number(Scalar::Float(number)) if number.fract() == 0.0 => Test::Number(format!("{number:.0}")),
        Draft::Number(number) => Test::Number(number.to_string()),
        Draft::Bool(truth) => Test::Text(Pattern::literal(truth.to_string())),
        Draft::Null => Test::Null,
        Draft::Regex { source, flags } => {
            let multiline = flags.contains('m') || source.starts_with("(?m");
            let flags = if flags.is_empty() { String::new() } else { format!("(?{flags})") };
            Test::Regex(SourceRegex::new(&format!("{flags}{}", from_python(&source, multiline)))?)
        }
        Draft::Cidr(net) => Test::Cidr(net),
        Draft::Compare(comparison, bound) => Test::Compare(comparison, bound),
        Draft::Exists(truth) => Test::Exists(truth),
        Draft::FieldRef(field) => Test::FieldRef(field),
        Draft::Either(drafts) => {
            let exprs = drafts.into_iter().map(|draft| finish(draft, field, placeholders));
            return Ok(link(exprs.collect::<Result<_, _>>()?, false));
        }
    };
    Ok(Expr::Is(Predicate { field: field.cloned(), test }))
}

fn text(pattern: &Pattern, field: Option<&Arc<str>>, placeholders: &Placeholders) -> Result<Expr, String> {
    let expanded = pattern.expand(limits::EXPANSION, &|name| placeholders.get(name).cloned());
    let expanded = expanded
        .ok_or_else(|| format!("its placeholders expand to more than {} values", limits::EXPANSION))?;
    let is =
        |pattern: Pattern| Expr::Is(Predicate { field: field.cloned(), test: Test::Text(pattern.folded()) });
    Ok(link(expanded.into_iter().map(is).collect(), false))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(key: &str, value: &str) -> Vec<String> {
        let expr = item(key, vec![Scalar::Text(value.into())], &Placeholders::default()).unwrap();
        expr.predicates().iter().map(|predicate| predicate.test.to_string()).collect()
    }

    fn refusal(key: &str, value: Scalar) -> String {
        item(key, vec![value], &Placeholders::default()).unwrap_err()
    }

    #[test]
    fn windash_has_five_forms_and_leaves_words_alone() {
        let forms = texts("x|contains|windash", " -enc-all");
        assert_eq!(forms.len(), 5);
        assert!(forms.contains(&"contains \" \u{2015}enc-all\"".to_owned()));
        assert_eq!(texts("x|windash", "a - b"), ["= \"a - b\""]);
        assert!(refusal("x|windash", Scalar::Text("-a -b -c -d".into())).contains("three"));
    }

    #[test]
    fn base64_offset_leaves_out_what_neighbours_change() {
        // "foobar" is ZGVm... inside other text at three offsets; checked with coreutils base64.
        assert_eq!(texts("x|base64offset|contains", "foobar").len(), 3);
        assert_eq!(texts("x|base64", "foobar"), ["= \"zm9vymfy\""]);
        assert_eq!(texts("x|base64offset", "ab")[0], "= \"yw\"");
    }

    #[test]
    fn placeholders_take_their_values() {
        let mut placeholders = Placeholders::default();
        placeholders.insert("admins".into(), vec!["root".into(), "toor".into()]);
        let expr = item("user|expand", vec![Scalar::Text("%admins%@%host%".into())], &placeholders).unwrap();
        let shown: Vec<_> = expr.predicates().iter().map(|predicate| predicate.test.to_string()).collect();
        assert_eq!(shown, ["is like \"root@%host%\"", "is like \"toor@%host%\""]);
    }

    #[test]
    fn misuse_is_refused_with_advice() {
        assert!(refusal("x|contains", Scalar::Int(5)).contains("quotes"));
        assert!(refusal("x|cidr", Scalar::Text("10.0.0.1/8".into())).contains("10.0.0.0/8"));
        assert!(refusal("x|contains|re", Scalar::Text("a".into())).contains("first"));
        assert!(refusal("x|like", Scalar::Text("a".into())).contains("unknown modifier `like`"));
        assert!(refusal("x|re", Scalar::Text("(?=a)".into())).contains("look-around"));
        assert!(refusal("x|gt", Scalar::Text("5".into())).contains("number"));
        assert!(refusal("x|hour", Scalar::Int(5)).contains("not supported yet"));
    }
}
