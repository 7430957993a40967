//! What a pattern matches.

use crate::pattern::{Part, Pattern, lower};

/// Whether free text stands somewhere in `text`: some stretch of it, from a word border to a word border,
/// is the pattern in any case. A wildcard does not reach over white space.
///
/// A border is any place but one between two alphanumeric characters. The time is at most the length of
/// the text times that of the pattern.
pub fn matches_text(pattern: &Pattern, text: &str) -> bool {
    let mut machine = Machine::new(pattern);
    let mut before: Option<char> = None;
    for after in text.chars() {
        let inside = after.is_alphanumeric() && before.is_some_and(char::is_alphanumeric);
        if !inside {
            machine.start();
            if machine.is_done() {
                return true;
            }
        }
        machine.feed(after, !after.is_whitespace());
        before = Some(after);
    }
    machine.start();
    machine.is_done()
}

/// Whether the pattern is the whole value in any case; a wildcard stands for every character.
///
/// The time is at most the length of the value times that of the pattern.
pub fn matches_value(pattern: &Pattern, value: &str) -> bool {
    let mut machine = Machine::new(pattern);
    machine.start();
    for char in value.chars() {
        machine.feed(char, true);
        if machine.active.is_empty() {
            return false;
        }
    }
    machine.is_done()
}

enum Step {
    Char(char),
    Any,
    One,
}

/// All ways through the pattern at once, so that no wildcard is ever tried again.
struct Machine {
    steps: Vec<Step>,
    /// Steps that the next character may take; the number of steps where the pattern is through.
    active: Vec<usize>,
    spare: Vec<usize>,
    /// The round in which a step was last made active: no step is active twice.
    seen: Vec<usize>,
    round: usize,
}

impl Machine {
    fn new(pattern: &Pattern) -> Self {
        let mut steps = Vec::new();
        for part in &pattern.parts {
            match part {
                Part::Literal(text) => steps.extend(text.chars().map(|char| Step::Char(lower(char)))),
                Part::Any => steps.push(Step::Any),
                Part::One => steps.push(Step::One),
            }
        }
        let seen = vec![0; steps.len() + 1];
        Self { steps, active: Vec::new(), spare: Vec::new(), seen, round: 1 }
    }

    fn start(&mut self) {
        self.activate(0);
    }

    fn is_done(&self) -> bool {
        self.seen.last() == Some(&self.round)
    }

    fn feed(&mut self, char: char, wild: bool) {
        let char = lower(char);
        let mut before = std::mem::replace(&mut self.active, std::mem::take(&mut self.spare));
        self.round += 1;
        for &step in &before {
            match self.steps.get(step) {
                Some(Step::Char(wanted)) if *wanted == char => self.activate(step + 1),
                Some(Step::One) if wild => self.activate(step + 1),
                Some(Step::Any) if wild => self.activate(step),
                _ => {}
            }
        }
        before.clear();
        self.spare = before;
    }

    /// Makes the step active, and those behind it that it may skip to.
    fn activate(&mut self, mut step: usize) {
        while let Some(seen) = self.seen.get_mut(step)
            && *seen != self.round
        {
            *seen = self.round;
            self.active.push(step);
            if !matches!(self.steps.get(step), Some(Step::Any)) {
                return;
            }
            step += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Query, Test, parse, words};
    use proptest::prelude::*;

    fn text(query: &str, text: &str) -> bool {
        match parse(query).unwrap() {
            Query::Text(pattern) => matches_text(&pattern, text),
            other => panic!("{other:?}"),
        }
    }

    fn value(query: &str, value: &str) -> bool {
        match parse(&format!("f:{query}")).unwrap() {
            Query::Field { test: Test::Is(pattern), .. } => matches_value(&pattern, value),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn free_text_finds_whole_words() {
        for (query, line, expected) in [
            ("fail", "login FAIL: root", true),
            ("fail", "login failed", false),
            ("fail*", "login failed", true),
            ("*ail*", "login failed", true),
            ("*ail", "login failed", false),
            ("f?iled", "login failed", true),
            ("faile?", "login failed", true),
            ("fail?", "login failed", false),
            ("sshd", "/etc/sshd_config", true),
            ("10.0.0.1", "from 10.0.0.1:22", true),
            ("10.0.0.1", "from 110.0.0.1", false),
            ("fe80::1", "from fe80::1 port", true),
            ("\"for root\"", "password FOR ROOT from", true),
            ("\"for root\"", "password for rootkit", false),
            ("\"for root\"", "password for  root", false),
            ("a*b", "a c b", false),
            ("/var/*/log", "read /var/x-y/log", true),
            ("ÄNNE", "änne", true),
            ("\\*", "a * b", true),
            ("\\*", "a b", false),
        ] {
            assert_eq!(text(query, line), expected, "{query} in {line}");
        }
    }

    #[test]
    fn values_are_matched_whole() {
        for (query, line, expected) in [
            ("root", "ROOT", true),
            ("root", "root2", false),
            ("root*", "root2", true),
            ("*.exe", "C:\\Program Files\\a.EXE", true),
            ("a*b", "a c b", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("\"\"", "", true),
            ("\"\"", "a", false),
            ("\"a*\"", "ab", false),
            ("\"a*\"", "A*", true),
        ] {
            assert_eq!(value(query, line), expected, "{query} is {line}");
        }
    }

    #[test]
    fn many_wildcards_take_no_time() {
        let query = format!("{}b", "a*".repeat(500));
        assert!(!value(&query, &"a".repeat(20_000)));
        assert!(!text(&query, &"a".repeat(20_000)));
    }

    /// Tries everything, as the definition says.
    fn naive(parts: &[Part], text: &[char], wild: fn(char) -> bool) -> bool {
        let Some((part, parts)) = parts.split_first() else { return text.is_empty() };
        match part {
            Part::Literal(wanted) => {
                let wanted: Vec<char> = wanted.chars().collect();
                text.len() >= wanted.len()
                    && wanted.iter().zip(text).all(|(a, b)| lower(*a) == lower(*b))
                    && naive(parts, &text[wanted.len()..], wild)
            }
            Part::One => text.first().is_some_and(|char| wild(*char)) && naive(parts, &text[1..], wild),
            Part::Any => (0..=text.len())
                .take_while(|taken| text[..*taken].iter().all(|char| wild(*char)))
                .any(|taken| naive(parts, &text[taken..], wild)),
        }
    }

    fn naive_text(pattern: &Pattern, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let border = |at: usize| {
            at == 0 || at == text.len() || !(text[at - 1].is_alphanumeric() && text[at].is_alphanumeric())
        };
        let borders: Vec<usize> = (0..=text.len()).filter(|at| border(*at)).collect();
        borders.iter().any(|from| {
            let to = borders.iter().filter(|to| *to >= from);
            to.into_iter().any(|to| naive(&pattern.parts, &text[*from..*to], |char| !char.is_whitespace()))
        })
    }

    fn patterns() -> impl Strategy<Value = Pattern> {
        let part = prop_oneof![
            3 => "[abAÄ .]{1,3}".prop_map(Part::Literal),
            1 => Just(Part::Any),
            1 => Just(Part::One),
        ];
        prop::collection::vec(part, 0..5).prop_map(|parts| Pattern { parts, phrase: false })
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(pattern in patterns(), text in "[abBä .]{0,9}") {
            let chars: Vec<char> = text.chars().collect();
            prop_assert_eq!(matches_value(&pattern, &text), naive(&pattern.parts, &chars, |_| true));
            prop_assert_eq!(matches_text(&pattern, &text), naive_text(&pattern, &text));
        }

        #[test]
        fn promised_words_are_there(pattern in patterns(), text in "[abBä .]{0,9}") {
            if matches_text(&pattern, &text) || matches_value(&pattern, &text) {
                let there: Vec<String> = words(&text).map(|word| word.chars().map(lower).collect()).collect();
                for word in pattern.words() {
                    prop_assert!(there.contains(&word), "{word} in {there:?}");
                }
            }
        }
    }
}
