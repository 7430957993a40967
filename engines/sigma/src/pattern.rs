//! Text patterns: literals, `*`, `?` and placeholders.

use std::fmt;

/// One part of a [`Pattern`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Part {
    /// Text that must stand there.
    Literal(String),
    /// `*`: any run of characters, also none.
    Many,
    /// `?`: exactly one character.
    One,
    /// `%name%`: to be replaced by configured values; matches nothing until then.
    Placeholder(String),
}

/// A Sigma string value. It matches a whole text; `contains` and its kind are wildcards at its ends.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Pattern {
    parts: Vec<Part>,
    cased: bool,
}

impl Pattern {
    /// Reads the notation of rules: `*` and `?` are wildcards, a backslash before a wildcard or another
    /// backslash makes it literal, any other backslash is itself.
    pub fn parse(text: &str) -> Self {
        let mut pattern = Self::default();
        let mut chars = text.chars().peekable();
        while let Some(char) = chars.next() {
            match char {
                '\\' => {
                    let escaped = chars.next_if(|next| matches!(next, '*' | '?' | '\\'));
                    pattern.push_char(escaped.unwrap_or('\\'));
                }
                '*' => pattern.parts.push(Part::Many),
                '?' => pattern.parts.push(Part::One),
                other => pattern.push_char(other),
            }
        }
        pattern
    }

    /// A pattern that matches just this text.
    pub fn literal(text: impl Into<String>) -> Self {
        let text = text.into();
        let parts = if text.is_empty() { Vec::new() } else { vec![Part::Literal(text)] };
        Self { parts, cased: false }
    }

    fn push_char(&mut self, char: char) {
        match self.parts.last_mut() {
            Some(Part::Literal(text)) => text.push(char),
            _ => self.parts.push(Part::Literal(char.into())),
        }
    }

    /// The parts in order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Whether upper and lower case differ.
    pub fn is_cased(&self) -> bool {
        self.cased
    }

    /// The same pattern, with case.
    #[must_use]
    pub fn cased(self) -> Self {
        Self { cased: true, ..self }
    }

    /// The same pattern, free to go on before its first part.
    #[must_use]
    pub fn open_start(mut self) -> Self {
        if self.parts.first() != Some(&Part::Many) {
            self.parts.insert(0, Part::Many);
        }
        self
    }

    /// The same pattern, free to go on after its last part.
    #[must_use]
    pub fn open_end(mut self) -> Self {
        if self.parts.last() != Some(&Part::Many) {
            self.parts.push(Part::Many);
        }
        self
    }

    /// Whether it has `*` or `?`.
    pub fn has_wildcards(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Many | Part::One))
    }

    /// The names of the placeholders that have no value.
    pub fn placeholders(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Placeholder(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// The literal text without wildcards, where there are none.
    pub fn plain(&self) -> Option<String> {
        self.parts.iter().try_fold(String::new(), |text, part| match part {
            Part::Literal(literal) => Some(text + literal),
            _ => None,
        })
    }

    /// Passes each literal through `change`.
    pub fn try_map_literals<E>(self, mut change: impl FnMut(String) -> Result<String, E>) -> Result<Self, E> {
        let change = |part| match part {
            Part::Literal(text) => change(text).map(Part::Literal),
            other => Ok(other),
        };
        Ok(Self { parts: self.parts.into_iter().map(change).collect::<Result<_, E>>()?, cased: self.cased })
    }

    /// Replaces each literal by the parts that `split` makes of it.
    #[must_use]
    pub fn split_literals(self, split: impl Fn(&str) -> Vec<Part>) -> Self {
        let split = |part| match part {
            Part::Literal(text) => split(&text),
            other => vec![other],
        };
        Self { parts: self.parts.into_iter().flat_map(split).collect(), cased: self.cased }
    }

    /// Every way to replace the placeholders for which `values` knows values; `None` if there would be
    /// more than `most`.
    pub fn expand(&self, most: usize, values: &dyn Fn(&str) -> Option<Vec<String>>) -> Option<Vec<Self>> {
        let mut patterns = vec![Self { parts: Vec::new(), cased: self.cased }];
        for part in &self.parts {
            let choices = match part {
                Part::Placeholder(name) => {
                    values(name).map(|values| values.into_iter().map(Part::Literal).collect())
                }
                _ => None,
            };
            let choices: Vec<Part> = choices.unwrap_or_else(|| vec![part.clone()]);
            if patterns.len() * choices.len() > most {
                return None;
            }
            let longer =
                |pattern: &Self| choices.iter().map(|choice| pattern.with(choice)).collect::<Vec<_>>();
            patterns = patterns.iter().flat_map(longer).collect();
        }
        Some(patterns)
    }

    fn with(&self, part: &Part) -> Self {
        let mut longer = self.clone();
        match (longer.parts.last_mut(), part) {
            (Some(Part::Literal(text)), Part::Literal(more)) => text.push_str(more),
            _ => longer.parts.push(part.clone()),
        }
        longer
    }

    /// The pattern as the matcher compares it: folded unless cased (see [`fold`]).
    #[must_use]
    pub fn folded(self) -> Self {
        if self.cased {
            return self;
        }
        let folded = self.try_map_literals(|text| Ok::<_, std::convert::Infallible>(text.to_lowercase()));
        match folded {
            Ok(pattern) => pattern,
        }
    }

    /// Whether the pattern matches the whole of `text`. Both must be folded alike.
    pub fn matches(&self, text: &str) -> bool {
        // The classic greedy walk: on a mismatch, go back to the last `*` and let it take one character
        // more. Quadratic in the worst case, without recursion; both lengths are limited.
        let (mut part, mut rest) = (0, text);
        let mut last_many: Option<(usize, &str)> = None;
        loop {
            let next = match self.parts.get(part) {
                None if rest.is_empty() => return true,
                None => None,
                Some(Part::Many) if part + 1 == self.parts.len() => return true,
                Some(Part::Many) => {
                    last_many = Some((part, rest));
                    Some(rest)
                }
                Some(Part::Literal(literal)) => rest.strip_prefix(literal.as_str()),
                Some(Part::One) => skip_char(rest),
                Some(Part::Placeholder(_)) => return false,
            };
            if let Some(after) = next {
                (part, rest) = (part + 1, after);
            } else {
                let Some((many, from)) = last_many else { return false };
                let Some(later) = skip_char(from) else { return false };
                // Behind a `*`, the next place of the literal is the only one worth a try.
                let later = match self.parts.get(many + 1) {
                    Some(Part::Literal(literal)) => match later.find(literal.as_str()) {
                        Some(place) => later.get(place..).unwrap_or_default(),
                        None => return false,
                    },
                    _ => later,
                };
                last_many = Some((many, later));
                (part, rest) = (many + 1, later);
            }
        }
    }
}

fn skip_char(text: &str) -> Option<&str> {
    let mut chars = text.chars();
    chars.next().map(|_| chars.as_str())
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                Part::Literal(text) => f.write_str(text)?,
                Part::Many => f.write_str("*")?,
                Part::One => f.write_str("?")?,
                Part::Placeholder(name) => write!(f, "%{name}%")?,
            }
        }
        Ok(())
    }
}

/// Folds `text` for comparison without case: full Unicode lower case, as pySigma's `lower()` does.
/// The result is in `scratch`, or `text` itself where nothing changes.
pub fn fold<'t>(text: &'t str, scratch: &'t mut String) -> &'t str {
    scratch.clear();
    if text.is_ascii() {
        scratch.push_str(text);
        scratch.make_ascii_lowercase();
    } else {
        scratch.push_str(&text.to_lowercase());
    }
    scratch
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::parse(pattern).folded().matches(fold(text, &mut String::new()))
    }

    #[test]
    fn wildcards_and_escapes() {
        assert!(matches("*\\powershell.exe", "C:\\Windows\\PowerShell.EXE"));
        assert!(matches("a*b*c", "aXXbYYbZZc"));
        assert!(!matches("a*b*c", "aXXbYYbZZ"));
        assert!(matches("a?c", "aéc"));
        assert!(!matches("a?c", "ac"));
        assert!(matches("a\\*c", "a*c"));
        assert!(!matches("a\\*c", "abc"));
        assert!(matches("c:\\\\*", "c:\\anything"), "a doubled backslash is one, then a wildcard");
        assert!(matches("end\\", "end\\"));
        assert!(matches("*", ""));
        assert!(!matches("", "x"));
        assert!(matches("one*two", "one\ntwo"), "a wildcard crosses lines");
    }

    #[test]
    fn folding_is_unicode() {
        assert!(matches("ÉCOLE", "école"));
        assert!(!matches("strasse", "straße"), "lower case, not case folding");
    }

    #[test]
    fn a_hard_pattern_ends() {
        let text = "a".repeat(2000);
        assert!(!matches("*a*a*a*a*a*a*a*a*b", &text));
    }

    #[test]
    fn expansion_is_bounded_and_keeps_unknown_names() {
        let pattern = Pattern {
            parts: vec![Part::Placeholder("a".into()), Part::Placeholder("b".into())],
            cased: false,
        };
        let values = |name: &str| (name == "a").then(|| vec!["1".to_owned(), "2".to_owned()]);
        assert_eq!(pattern.expand(10, &values).unwrap().len(), 2);
        assert_eq!(pattern.expand(1, &values), None);
    }
}
