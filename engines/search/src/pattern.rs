//! Words, and patterns over them.

use std::fmt::{self, Write};

/// Text with wildcards.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Pattern {
    /// In order. The parser never puts two literals or two `Any` side by side.
    pub parts: Vec<Part>,
    /// Whether free text stood in quotes; false in values, where quotes only protect.
    pub phrase: bool,
}

/// A piece of a [`Pattern`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// These characters, in any case.
    Literal(String),
    /// `*`: any number of characters.
    Any,
    /// `?`: one character.
    One,
}

/// The words of a text: maximal runs of alphanumeric characters. `_` is not part of a word, so that
/// `sshd` finds `sshd_config`.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|char: char| !char.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// The lower case that "any case" means here; an index must use it too.
///
/// One character always gives one: `str::to_lowercase` makes two of `İ`, the second no letter, and writes a
/// final sigma otherwise, so that the words of a lowered text would not be the lowered words of the text.
pub fn lower(char: char) -> char {
    let mut lowered = char.to_lowercase();
    match (lowered.next(), lowered.next()) {
        (Some(one), None) => one,
        _ => char,
    }
}

impl Pattern {
    /// The pattern that is this text and nothing else.
    pub(crate) fn exactly(text: String, phrase: bool) -> Self {
        let parts = if text.is_empty() { Vec::new() } else { vec![Part::Literal(text)] };
        Self { parts, phrase }
    }

    /// The text, where there are no wildcards.
    pub fn literal(&self) -> Option<String> {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Literal(text) => Some(text.as_str()),
                Part::Any | Part::One => None,
            })
            .collect()
    }

    /// Words, in [`lower`] case, that stand whole in every text this matches.
    ///
    /// A word that touches a wildcard may be longer in the text and is left out.
    pub fn words(&self) -> Vec<String> {
        // A wildcard becomes a character that is no letter, with a mark on the words beside it.
        let mut found = Vec::new();
        let mut word = String::new();
        let mut whole = true;
        let mut end = |word: &mut String, whole: bool| {
            if whole && !word.is_empty() {
                found.push(std::mem::take(word));
            }
            word.clear();
        };
        for part in &self.parts {
            let Part::Literal(text) = part else {
                end(&mut word, false);
                whole = false;
                continue;
            };
            for char in text.chars() {
                if char.is_alphanumeric() {
                    word.push(lower(char));
                } else {
                    end(&mut word, whole);
                    whole = true;
                }
            }
        }
        end(&mut word, whole);
        found
    }

    /// Writes the pattern as free text.
    pub(crate) fn write_text(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.literal() {
            Some(text) if self.phrase || is_keyword(&text) => write_quoted(f, &text, '"'),
            _ => self.write_bare(f),
        }
    }

    /// Writes the pattern as a value behind `field:`.
    pub(crate) fn write_value(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.literal() {
            Some(text) => write_literal(f, &text),
            None => self.write_bare(f),
        }
    }

    fn write_bare(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, part) in self.parts.iter().enumerate() {
            match part {
                Part::Any => f.write_char('*')?,
                Part::One => f.write_char('?')?,
                Part::Literal(text) => {
                    for (at, char) in text.char_indices() {
                        let negates = place == 0 && at == 0 && char == '-';
                        if negates || (can_escape(char) && !is_plain(char)) {
                            f.write_char('\\')?;
                        }
                        f.write_char(char)?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Whether a backslash before the character takes away its meaning. Before any other character the
/// backslash stays text, so that `C:\Windows` need not be doubled.
pub(crate) fn can_escape(char: char) -> bool {
    char.is_ascii_punctuation() || char.is_whitespace()
}

/// Whether the character never has a meaning within names and values.
pub(crate) fn is_plain(char: char) -> bool {
    char.is_alphanumeric() || matches!(char, '_' | '.' | '@' | '-')
}

pub(crate) fn is_keyword(text: &str) -> bool {
    ["and", "or", "not"].iter().any(|keyword| text.eq_ignore_ascii_case(keyword))
}

/// Writes a text without wildcards as a value, in quotes where it needs them.
pub(crate) fn write_literal(f: &mut impl Write, text: &str) -> fmt::Result {
    if !text.is_empty() && text.chars().all(is_plain) && !is_keyword(text) {
        f.write_str(text)
    } else {
        write_quoted(f, text, '"')
    }
}

pub(crate) fn write_quoted(f: &mut impl Write, text: &str, quote: char) -> fmt::Result {
    f.write_char(quote)?;
    for char in text.chars() {
        if char == quote || char == '\\' {
            f.write_char('\\')?;
        }
        f.write_char(char)?;
    }
    f.write_char(quote)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(parts: &[&str]) -> Pattern {
        let part = |part: &&str| match *part {
            "*" => Part::Any,
            "?" => Part::One,
            text => Part::Literal(text.to_owned()),
        };
        Pattern { parts: parts.iter().map(part).collect(), phrase: false }
    }

    #[test]
    fn words_are_alphanumeric_runs() {
        let found: Vec<&str> = words("sshd[42]: user_name=Änne-1 ()").collect();
        assert_eq!(found, ["sshd", "42", "user", "name", "Änne", "1"]);
        assert_eq!(words("").count(), 0);
    }

    #[test]
    fn lowering_keeps_what_is_a_word() {
        for char in '\0'..=char::MAX {
            let lowered = lower(char);
            assert_eq!(lowered.is_alphanumeric(), char.is_alphanumeric(), "{char:?}");
            assert_eq!(lower(lowered), lowered, "{char:?}");
        }
    }

    #[test]
    fn only_whole_words_are_promised() {
        for (parts, whole) in [
            (&["Failed"][..], &["failed"][..]),
            (&["fail", "*"], &[]),
            (&["*", "fail"], &[]),
            (&["*", "a.b.c", "?"], &["b"]),
            (&["/var/", "*", "/log"], &["var", "log"]),
            (&["a", "*", "b c"], &["c"]),
            (&["a b", "?", "c"], &["a"]),
            (&["*"], &[]),
            (&["..."], &[]),
            (&[], &[]),
        ] {
            assert_eq!(pattern(parts).words(), whole, "{parts:?}");
        }
    }

    #[test]
    fn literals_have_no_wildcards() {
        assert_eq!(pattern(&["a", "b"]).literal().as_deref(), Some("ab"));
        assert_eq!(pattern(&[]).literal().as_deref(), Some(""));
        assert_eq!(pattern(&["a", "?"]).literal(), None);
    }
}
