//! The pieces of a query's text: words, quotes, operators.

use crate::error::{SyntaxError, shown};
use crate::pattern::{Part, can_escape, is_keyword};
use crate::query::Op;
use std::ops::Range;

/// A place in a query, and what can be read there. Each reader leaves the place behind what it read.
#[derive(Clone)]
pub(crate) struct Scanner<'q> {
    text: &'q str,
    /// In bytes, always between two characters.
    place: usize,
}

/// Where an unquoted piece ends, besides white space, parentheses, quotes, `&&` and `||`.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Stop {
    /// A free word or a field's name: before an operator.
    Word,
    /// A value: nowhere else, so that times and addresses need no quotes.
    Value,
    /// A value in a list: before a comma.
    Item,
}

/// An unquoted piece.
pub(crate) struct Bare<'q> {
    pub(crate) parts: Vec<Part>,
    /// As typed.
    pub(crate) raw: &'q str,
    /// Whether a backslash took away a character's meaning.
    pub(crate) escaped: bool,
}

/// How a field relates to its value.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Relation {
    Equal,
    Unequal,
    Ordered(Op),
}

/// Longest first, so that `>=` is not read as `>`.
const RELATIONS: [(&str, Relation); 8] = [
    ("!=", Relation::Unequal),
    (">=", Relation::Ordered(Op::AtLeast)),
    ("<=", Relation::Ordered(Op::AtMost)),
    ("==", Relation::Equal),
    ("=", Relation::Equal),
    (":", Relation::Equal),
    (">", Relation::Ordered(Op::Greater)),
    ("<", Relation::Ordered(Op::Less)),
];

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Keyword {
    And,
    Or,
    Not,
}

impl<'q> Scanner<'q> {
    pub(crate) fn new(text: &'q str) -> Self {
        Self { text, place: 0 }
    }

    pub(crate) fn place(&self) -> usize {
        self.place
    }

    pub(crate) fn rest(&self) -> &'q str {
        self.since(self.place)
    }

    fn since(&self, place: usize) -> &'q str {
        self.text.get(place..).unwrap_or("")
    }

    pub(crate) fn between(&self, range: Range<usize>) -> &'q str {
        self.text.get(range).unwrap_or("")
    }

    pub(crate) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(crate) fn bump(&mut self) -> Option<char> {
        let char = self.peek()?;
        self.place += char.len_utf8();
        Some(char)
    }

    pub(crate) fn eat(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        self.place += if found { text.len() } else { 0 };
        found
    }

    /// Whether there was any.
    pub(crate) fn skip_space(&mut self) -> bool {
        let rest = self.rest();
        let length = rest.len() - rest.trim_start().len();
        self.place += length;
        length > 0
    }

    /// The keyword that begins here and its length. `-` and `!` are `not`.
    pub(crate) fn keyword(&self) -> Option<(Keyword, usize)> {
        let rest = self.rest();
        let second = rest.chars().nth(1);
        match rest.chars().next()? {
            '&' if second == Some('&') => return Some((Keyword::And, 2)),
            '|' if second == Some('|') => return Some((Keyword::Or, 2)),
            '!' if second != Some('=') => return Some((Keyword::Not, 1)),
            // `--force` and a dash between words are text.
            '-' if second.is_some_and(|char| !char.is_whitespace() && !matches!(char, '-' | ')')) => {
                return Some((Keyword::Not, 1));
            }
            _ => {}
        }
        let length = rest.find(|char: char| !char.is_ascii_alphabetic()).unwrap_or(rest.len());
        let (word, after) = rest.split_at(length);
        if !is_keyword(word) || !(after.is_empty() || after.starts_with('"') || ends_piece(after)) {
            return None;
        }
        let keyword = match word.as_bytes().first()? {
            b'a' | b'A' => Keyword::And,
            b'o' | b'O' => Keyword::Or,
            _ => Keyword::Not,
        };
        Some((keyword, length))
    }

    /// The operator here, if any, is read.
    pub(crate) fn relation(&mut self) -> Option<Relation> {
        RELATIONS.iter().find_map(|(text, relation)| self.eat(text).then_some(*relation))
    }

    fn is_at_relation(&self) -> bool {
        RELATIONS.iter().any(|(text, _)| self.rest().starts_with(text))
    }

    /// An unquoted piece; empty where there is none.
    pub(crate) fn bare(&mut self, stop: Stop) -> Result<Bare<'q>, SyntaxError> {
        let start = self.place;
        let mut parts = Vec::new();
        let mut escaped = false;
        while let Some(char) = self.peek() {
            let stops = match stop {
                Stop::Word => self.is_at_relation(),
                Stop::Value => false,
                Stop::Item => char == ',',
            };
            if stops || char == '"' || ends_piece(self.rest()) {
                break;
            }
            self.bump();
            match (char, self.peek()) {
                ('*', _) if parts.last() == Some(&Part::Any) => {}
                ('*', _) => parts.push(Part::Any),
                ('?', _) => parts.push(Part::One),
                ('\\', Some(next)) if can_escape(next) => {
                    self.bump();
                    escaped = true;
                    push(&mut parts, next);
                }
                _ => push(&mut parts, char),
            }
        }
        if self.peek() == Some('"') {
            return Err(SyntaxError::new(
                "a quote begins in the middle of a word; put a space before it, put all of it in quotes, \
                 or write `\\\"` for a quote in the text",
                self.place..self.place + 1,
            ));
        }
        Ok(Bare { parts, raw: self.between(start..self.place), escaped })
    }

    /// Text in quotes of this kind, which begins here.
    pub(crate) fn quoted(&mut self, quote: char) -> Result<String, SyntaxError> {
        let start = self.place;
        let mut text = String::new();
        let mut hidden = false;
        self.bump();
        while let Some(char) = self.bump() {
            match (char, self.peek()) {
                (char, _) if char == quote => return Ok(text),
                ('\\', Some(next)) if can_escape(next) => {
                    hidden |= next == quote;
                    self.bump();
                    text.push(next);
                }
                _ => text.push(char),
            }
        }
        let name = if quote == '"' { "quote" } else { "backtick" };
        let advice = if hidden {
            format!("; `\\{quote}` does not close it, a backslash before the closing one is written `\\\\`")
        } else {
            format!("; add a `{quote}` at its end")
        };
        Err(SyntaxError::new(format!("this {name} is never closed{advice}"), start..start + 1))
    }

    /// A regular expression between slashes, which begins here.
    pub(crate) fn regex(&mut self) -> Result<String, SyntaxError> {
        let start = self.place;
        let mut regex = String::new();
        self.bump();
        while let Some(char) = self.bump() {
            match (char, self.peek()) {
                ('/', _) => return self.end_of_regex(start, regex),
                ('\\', Some(next)) => {
                    self.bump();
                    // The expression knows no escaped slash; every other escape is its own.
                    regex.extend((next != '/').then_some('\\'));
                    regex.push(next);
                }
                _ => regex.push(char),
            }
        }
        let whole = self.since(start).split_whitespace().next().unwrap_or("/");
        Err(SyntaxError::new(
            format!(
                "this regular expression has no closing `/`; add one, or put a path in quotes: `\"{}\"`",
                shown(whole)
            ),
            start..start + 1,
        ))
    }

    fn end_of_regex(&self, start: usize, regex: String) -> Result<String, SyntaxError> {
        let rest = self.rest();
        let message = if regex.is_empty() {
            "the regular expression between the slashes is empty; a text that begins with `/` goes in quotes"
        } else if rest.is_empty() || rest.starts_with(',') || ends_piece(rest) {
            return Ok(regex);
        } else {
            "text follows the closing `/` of a regular expression; write `\\/` for a slash within it, \
             and a path in quotes"
        };
        Err(SyntaxError::new(message, start..self.place))
    }

    /// Refuses text that follows closing quotes directly.
    pub(crate) fn end_of_quotes(&self) -> Result<(), SyntaxError> {
        let rest = self.rest();
        if rest.is_empty() || rest.starts_with(',') || ends_piece(rest) {
            return Ok(());
        }
        let message = if self.is_at_relation() {
            "quotes make text, not a field's name; write the name without quotes, or in backticks"
        } else {
            "text follows the closing quote directly; put a space between, or write `\\\"` for a quote in the text"
        };
        Err(SyntaxError::new(message, self.place..self.place + self.peek().map_or(0, char::len_utf8)))
    }
}

/// Whether no word, value or expression goes on into `rest`, which is not empty.
fn ends_piece(rest: &str) -> bool {
    rest.starts_with(|char: char| char.is_whitespace() || matches!(char, '(' | ')'))
        || rest.starts_with("&&")
        || rest.starts_with("||")
}

fn push(parts: &mut Vec<Part>, char: char) {
    if let Some(Part::Literal(text)) = parts.last_mut() {
        text.push(char);
    } else {
        parts.push(Part::Literal(char.to_string()));
    }
}
