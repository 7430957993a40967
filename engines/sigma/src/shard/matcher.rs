//! All text predicates of one field, answered in one pass over each of its values.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use foldhash::HashMap;
use garrison_base::Value;

use super::PredicateId;
use crate::expr::{Test, float_as_whole};
use crate::pattern::{Part, Pattern};

/// Bytes of literals up to which a field gets a DFA.
const DFA_BYTES: usize = 24 * 1024;

/// Which slots a field of an event feeds.
#[derive(Default)]
pub(super) struct FieldTable(HashMap<String, Vec<usize>>);

impl FieldTable {
    pub(super) fn add(&mut self, name: &str, slot: usize) {
        let slots = self.0.entry(name.to_owned()).or_default();
        if !slots.contains(&slot) {
            slots.push(slot);
        }
    }

    pub(super) fn slots(&self, path: &str) -> &[usize] {
        self.0.get(path).map_or(&[], Vec::as_slice)
    }
}

/// The indexed predicates of a field. Literals are folded; cased patterns are not indexed.
pub(super) struct Matcher {
    /// Values that must be met exactly.
    exact: HashMap<Box<str>, Vec<PredicateId>>,
    /// Numbers, by their spelling as whole numbers or decimals.
    numbers: HashMap<Box<str>, Vec<PredicateId>>,
    /// Predicates that any text satisfies.
    any: Vec<PredicateId>,
    literals: Option<AhoCorasick>,
    /// What it means to find the literal of the same index.
    found: Vec<Vec<Found>>,
    patterns: Vec<Pattern>,
}

/// What the sight of a literal tells about a predicate.
struct Found {
    predicate: PredicateId,
    place: Place,
}

enum Place {
    Anywhere,
    AtStart,
    AtEnd,
    /// The literal is the rarest part of this pattern, which must be compared.
    In(usize),
}

impl Matcher {
    /// Calls `hold` for each predicate that the value satisfies, some of them several times.
    /// `lower` is the value's folded text.
    pub(super) fn scan(&self, lower: &str, value: &Value<'_>, hold: &mut dyn FnMut(PredicateId)) {
        let mut hold_all = |predicates: Option<&Vec<PredicateId>>| {
            predicates.into_iter().flatten().for_each(|&predicate| hold(predicate));
        };
        hold_all(Some(&self.any));
        hold_all(self.exact.get(lower));
        hold_all(self.numbers.get(lower));
        if let Some(whole) = float_as_whole(value) {
            hold_all(self.numbers.get(whole.as_str()));
        }
        let Some(literals) = &self.literals else { return };
        let mut compared: Vec<usize> = Vec::new();
        for hit in literals.find_overlapping_iter(lower) {
            for found in self.found.get(hit.pattern().as_usize()).into_iter().flatten() {
                let holds = match found.place {
                    Place::Anywhere => true,
                    Place::AtStart => hit.start() == 0,
                    Place::AtEnd => hit.end() == lower.len(),
                    Place::In(pattern) if compared.contains(&pattern) => false,
                    Place::In(place) => {
                        compared.push(place);
                        self.patterns.get(place).is_some_and(|pattern| pattern.matches(lower))
                    }
                };
                if holds {
                    hold(found.predicate);
                }
            }
        }
    }
}

/// Collects the predicates of a field.
#[derive(Default)]
pub(super) struct MatcherBuilder {
    exact: HashMap<Box<str>, Vec<PredicateId>>,
    numbers: HashMap<Box<str>, Vec<PredicateId>>,
    any: Vec<PredicateId>,
    literals: HashMap<String, usize>,
    found: Vec<Vec<Found>>,
    patterns: Vec<Pattern>,
}

impl MatcherBuilder {
    /// Takes a predicate into the index; answers whether it could.
    pub(super) fn add(&mut self, test: &Test, keyword: bool, predicate: PredicateId) -> bool {
        match test {
            Test::Number(number) if keyword => self.literal(number, Place::Anywhere, predicate),
            Test::Number(number) => self.numbers.entry(number.as_str().into()).or_default().push(predicate),
            Test::Text(pattern) if pattern.is_cased() => return false,
            Test::Text(pattern) if pattern.placeholders().next().is_some() => {}
            Test::Text(pattern) if keyword => self.text(&pattern.clone().open_start().open_end(), predicate),
            Test::Text(pattern) => self.text(pattern, predicate),
            _ => return false,
        }
        true
    }

    fn text(&mut self, pattern: &Pattern, predicate: PredicateId) {
        match pattern.parts() {
            [] => self.exact.entry("".into()).or_default().push(predicate),
            [Part::Literal(text)] => self.exact.entry(text.as_str().into()).or_default().push(predicate),
            [Part::Many] | [Part::Many, Part::Many] => self.any.push(predicate),
            [Part::Many, Part::Literal(text), Part::Many] => self.literal(text, Place::Anywhere, predicate),
            [Part::Literal(text), Part::Many] => self.literal(text, Place::AtStart, predicate),
            [Part::Many, Part::Literal(text)] => self.literal(text, Place::AtEnd, predicate),
            parts => {
                let literal = |part: &Part| match part {
                    Part::Literal(text) => Some(text.clone()),
                    _ => None,
                };
                let longest = parts.iter().filter_map(literal).max_by_key(String::len);
                let place = Place::In(self.patterns.len());
                self.patterns.push(pattern.clone());
                // A pattern of wildcards alone is compared with every text: the empty literal is everywhere.
                self.literal(&longest.unwrap_or_default(), place, predicate);
            }
        }
    }

    fn literal(&mut self, text: &str, place: Place, predicate: PredicateId) {
        let next = self.found.len();
        let index = *self.literals.entry(text.to_owned()).or_insert(next);
        let found = Found { predicate, place };
        match self.found.get_mut(index) {
            Some(list) => list.push(found),
            None => self.found.push(vec![found]),
        }
    }

    pub(super) fn build(self) -> Matcher {
        let Self { exact, numbers, any, literals, found, patterns } = self;
        let mut texts: Vec<(String, usize)> = literals.into_iter().collect();
        texts.sort_unstable_by_key(|(_, index)| *index);
        // A DFA is about three times faster, and its size is about 256 bytes for each byte of literals.
        let bytes: usize = texts.iter().map(|(text, _)| text.len()).sum();
        let kind = if bytes <= DFA_BYTES { AhoCorasickKind::DFA } else { AhoCorasickKind::ContiguousNFA };
        let automaton = |texts: Vec<(String, usize)>| {
            AhoCorasick::builder()
                .match_kind(MatchKind::Standard)
                .kind(Some(kind))
                .build(texts.iter().map(|(text, _)| text))
                .ok()
        };
        let literals = if texts.is_empty() { None } else { automaton(texts) };
        Matcher { exact, numbers, any, literals, found, patterns }
    }
}
