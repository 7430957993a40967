//! What is wrong with a query, and where.

use std::ops::Range;

/// A query that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SyntaxError {
    /// What is wrong and what to do; free of control characters, whatever the query holds.
    pub message: String,
    /// The byte of the query where the trouble begins; its length where something is missing at the end.
    pub at: usize,
    /// Bytes that the trouble spans; 0 where something is missing.
    pub length: usize,
}

/// Characters of the query that [`SyntaxError::pointed`] shows: with a margin, a terminal's 80 columns.
const SHOWN: usize = 72;

impl SyntaxError {
    pub(crate) fn new(message: impl Into<String>, place: Range<usize>) -> Self {
        Self { message: message.into(), at: place.start, length: place.end.saturating_sub(place.start) }
    }

    /// The query, and below it a line with `^` under the place; two lines without a line break at the end.
    ///
    /// A long query is cut around the place. Each character takes one column, and those that could steer
    /// a terminal or hide text are replaced.
    pub fn pointed(&self, query: &str) -> String {
        let total = query.chars().count();
        let column = |byte: usize| query.char_indices().take_while(|(at, _)| *at < byte).count();
        let start = column(self.at);
        let end = column(self.at.saturating_add(self.length)).max(start + 1);

        let from = if total <= SHOWN { 0 } else { start.saturating_sub(SHOWN / 2).min(total - SHOWN) };
        let to = total.min(from + SHOWN);
        let mut line: String = query.chars().skip(from).take(to - from).map(visible).collect();
        if from > 0 {
            line.insert(0, '…');
        }
        if to < total {
            line.push('…');
        }
        let indent = start - from + usize::from(from > 0);
        let carets = end.min(to).saturating_sub(start).max(1);
        format!("{line}\n{}{}", " ".repeat(indent), "^".repeat(carets))
    }
}

/// One harmless character for each, so that columns stay.
fn visible(char: char) -> char {
    match char {
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(char)).unwrap_or(char::REPLACEMENT_CHARACTER),
        '\u{7f}' => '\u{2421}',
        // Zero-width and direction marks could make a query look like another one.
        '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' => {
            char::REPLACEMENT_CHARACTER
        }
        '\u{2060}'..='\u{206f}' | '\u{feff}' => char::REPLACEMENT_CHARACTER,
        char if char.is_control() => char::REPLACEMENT_CHARACTER,
        char => char,
    }
}

/// A piece of the query for use in a message: short and harmless.
pub(crate) fn shown(text: &str) -> String {
    const MOST: usize = 40;
    let mut shown: String = text.chars().take(MOST).map(visible).collect();
    if text.chars().nth(MOST).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointed(query: &str, place: Range<usize>) -> String {
        SyntaxError::new("", place).pointed(query)
    }

    #[test]
    fn carets_stand_below_the_place() {
        assert_eq!(pointed("a or", 2..4), "a or\n  ^^");
        assert_eq!(pointed("a or", 4..4), "a or\n    ^");
        assert_eq!(pointed("ä \"b", 3..5), "ä \"b\n  ^^");
        assert_eq!(pointed("", 0..0), "\n^");
        assert_eq!(pointed("ab", 900..901), "ab\n  ^", "a place of another query");
    }

    #[test]
    fn terminals_are_safe() {
        assert_eq!(pointed("a\n\u{1b}[31m\u{202e}\u{9b}", 1..2), "a␊␛[31m\u{fffd}\u{fffd}\n ^");
        assert_eq!(shown("\u{7}\u{7f}"), "␇␡");
        assert_eq!(shown(&"x".repeat(41)), format!("{}…", "x".repeat(40)));
    }

    #[test]
    fn long_queries_are_cut_around_the_place() {
        let query = format!("{}!{}", "a".repeat(500), "b".repeat(500));
        let text = pointed(&query, 500..501);
        let (line, below) = text.split_once('\n').unwrap();
        assert_eq!(line.chars().count(), SHOWN + 2);
        assert_eq!(line.chars().nth(below.chars().count() - 1), Some('!'));
        assert!(pointed(&query, 0..1).ends_with("…\n^"));
        assert!(pointed(&query, 1001..1001).starts_with('…'));
        assert!(pointed(&query, 500..1001).ends_with('^'));
    }
}
