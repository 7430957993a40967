//! One pattern, looked for in many texts.

use aho_corasick::AhoCorasick;

use crate::matching::matches_text;
use crate::pattern::{Part, Pattern};

/// The sign for kelvin: the one character beyond ASCII whose lower case is ASCII, a `k`.
const KELVIN: char = '\u{212A}';

/// A pattern that is ready to be looked for in many texts. The answer is that of [`matches_text`]; but most texts do not
/// have the pattern's letters anywhere, and that is seen at the speed of a search for bytes.
#[derive(Clone, Debug)]
pub struct Finder {
    pattern: Pattern,
    needle: Option<Needle>,
}

/// The longest stretch of a pattern that can be looked for as bytes. It stands in every text that the pattern matches and
/// that has no [`KELVIN`].
#[derive(Clone, Debug)]
struct Needle {
    bytes: AhoCorasick,
    /// It is all of the pattern.
    whole: bool,
}

impl Finder {
    /// Makes a pattern ready.
    pub fn new(pattern: Pattern) -> Self {
        Self { needle: Needle::of(&pattern), pattern }
    }

    /// What is looked for.
    pub fn pattern(&self) -> &Pattern {
        &self.pattern
    }

    /// Whether [`matches_text`] finds the pattern in the text.
    pub fn matches(&self, text: &str) -> bool {
        match &self.needle {
            Some(needle) if text.is_ascii() || !text.contains(KELVIN) => {
                if needle.whole {
                    needle.stands_alone(text)
                } else {
                    needle.bytes.is_match(text) && matches_text(&self.pattern, text)
                }
            }
            _ => matches_text(&self.pattern, text),
        }
    }
}

impl Needle {
    fn of(pattern: &Pattern) -> Option<Self> {
        let literals = pattern.parts.iter().filter_map(|part| match part {
            Part::Literal(text) => Some(text.as_str()),
            Part::Any | Part::One => None,
        });
        let stretches = literals.flat_map(|text| text.split(|char: char| !is_found_as_bytes(char)));
        let longest = stretches.max_by_key(|stretch| stretch.len()).filter(|longest| !longest.is_empty())?;
        let whole = matches!(pattern.parts.as_slice(), [Part::Literal(text)] if text.len() == longest.len());
        let bytes = AhoCorasick::builder().ascii_case_insensitive(true).build([longest]).ok()?;
        Some(Self { bytes, whole })
    }

    /// Whether it stands somewhere from a word border to a word border.
    fn stands_alone(&self, text: &str) -> bool {
        // Those that overlap too: of `a a` in `xa a a` the second stands alone.
        let mut places = self.bytes.find_overlapping_iter(text);
        places.any(|place| is_border(text, place.start()) && is_border(text, place.end()))
    }
}

/// Whether no character is equal to this one in any case but itself and, for an ASCII letter, its other case and [`KELVIN`].
fn is_found_as_bytes(char: char) -> bool {
    char.is_ascii() || (char.to_lowercase().eq([char]) && char.to_uppercase().eq([char]))
}

/// Whether a place is anywhere but between two alphanumeric characters.
fn is_border(text: &str, place: usize) -> bool {
    let Some((before, after)) = text.split_at_checked(place) else { return false };
    let is_inside = before.chars().next_back().is_some_and(char::is_alphanumeric)
        && after.chars().next().is_some_and(char::is_alphanumeric);
    !is_inside
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Query, lower, parse};
    use proptest::prelude::*;

    fn finder(query: &str) -> Finder {
        match parse(query).unwrap() {
            Query::Text(pattern) => Finder::new(pattern),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn bytes_are_enough_where_nothing_else_is_equal() {
        for char in '\0'..=char::MAX {
            let lowered = lower(char);
            if lowered == char {
                continue;
            }
            let known = if char.is_ascii() { lowered.is_ascii() } else { char == KELVIN };
            assert!(known || !is_found_as_bytes(lowered), "{char:?} is equal to {lowered:?}");
            assert!(char.is_ascii() || !is_found_as_bytes(char), "{char:?} is equal to {lowered:?}");
        }
    }

    #[test]
    fn what_can_be_looked_for_as_bytes_is() {
        for (query, whole) in [
            ("nosuchwordx", Some(true)),
            ("\"Failed password\"", Some(true)),
            ("登录失败", Some(true)),
            ("fail*", Some(false)),
            ("/var/*/log", Some(false)),
            ("ÄNNE", Some(false)),
            ("ÄÖ", None),
        ] {
            assert_eq!(finder(query).needle.map(|needle| needle.whole), whole, "{query}");
        }
    }

    #[test]
    fn borders_count() {
        for (query, text, found) in [
            ("\"a a\"", "xa a a", true),
            ("\"a a\"", "xa a ay", false),
            ("fail", "failed to FAIL", true),
            ("fail", "failed, unfail", false),
            ("mask", "MAS\u{212A}", true),
            ("mask", "中mask", false),
            ("失败", "登录 失败", true),
            ("失败", "登录失败", false),
            ("größe", "GRÖßE", true),
            ("größe", "GRÖSSE", false),
            ("is", "i\u{17F}", false),
            ("İ", "i", false),
        ] {
            assert_eq!(finder(query).matches(text), found, "{query} in {text}");
        }
    }

    fn patterns() -> impl Strategy<Value = Pattern> {
        let part = prop_oneof![
            2 => "[aAkK\u{212A}sS\u{17F}iİıßẞ中 .]{1,3}".prop_map(Part::Literal),
            2 => "[aAk .]{1,3}".prop_map(Part::Literal),
            1 => Just(Part::Any),
            1 => Just(Part::One),
        ];
        prop::collection::vec(part, 0..4).prop_map(|parts| Pattern { parts, phrase: false })
    }

    /// Something that the pattern could match.
    fn fitting(pattern: &Pattern) -> String {
        let text = |part: &Part| match part {
            Part::Literal(text) => text.clone(),
            Part::Any => "k中".to_owned(),
            Part::One => "a".to_owned(),
        };
        pattern.parts.iter().map(text).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn answers_as_the_definition_does(
            pattern in patterns(),
            text in prop_oneof!["[aAkK\u{212A}sS\u{17F}iİıßẞ中ä .]{0,12}", "[aAkK .]{0,12}"],
        ) {
            prop_assert_eq!(Finder::new(pattern.clone()).matches(&text), matches_text(&pattern, &text));
        }

        #[test]
        fn answers_as_the_definition_does_where_something_fits(
            pattern in patterns(), before in "[ak中 .]{0,3}", after in "[ak中 .]{0,3}",
        ) {
            let fitting = fitting(&pattern);
            let finder = Finder::new(pattern.clone());
            let kelvin = fitting.replace(['k', 'K'], "\u{212A}");
            for inside in [fitting.to_uppercase(), fitting.to_lowercase(), kelvin, fitting] {
                let text = format!("{before}{inside}{after}");
                prop_assert_eq!(finder.matches(&text), matches_text(&pattern, &text), "{}", text);
            }
        }
    }
}
