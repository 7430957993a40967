//! A compiled set of rules for one log source.
//!
//! Work is shared between rules: a predicate that several rules ask is one predicate, all literals of a
//! field are found in one pass over its text, and only rules one of whose *witnesses* was seen are
//! evaluated. A witness set of a rule is a set of predicates of which at least one must hold for the
//! rule to match; of the sets that a rule offers, the one expected to be seen most rarely is taken.

mod compile;
mod matcher;
mod memo;
mod scratch;
mod verdict;
mod witness;

use garrison_base::{Fields, Value};

use crate::expr::{Scratch as TextScratch, Test};
use crate::pattern::fold;
use crate::rule::Rule;

use matcher::Matcher;
use scratch::Marks;

pub use scratch::Scratch;
pub use verdict::Verdict;

/// Rules compiled to judge the events of one log source together.
pub struct Shard {
    /// Unlike that of any other shard of the process.
    id: u64,
    /// Index of each compiled rule in the set it was compiled from.
    rules: Vec<usize>,
    roots: Vec<NodeId>,
    nodes: Vec<Node>,
    predicates: Vec<Compiled>,
    fields: matcher::FieldTable,
    slots: Vec<Slot>,
    /// The slot of keywords, which is fed every value.
    keywords: Option<usize>,
    /// Rules that have no witness and are evaluated for each event.
    always: Vec<u32>,
}

type NodeId = u32;
type PredicateId = u32;

/// A Boolean expression; children are indices into the shard's nodes.
enum Node {
    All(Vec<NodeId>),
    Any(Vec<NodeId>),
    AtLeast(usize, Vec<NodeId>),
    Not(NodeId),
    Is(PredicateId),
}

/// A predicate, asked once per event.
struct Compiled {
    slot: usize,
    /// Of what is not indexed by the slot's matcher, and of what explains a match.
    test: Test,
    /// The slot of the other field, for a field reference.
    other: Option<usize>,
    indexed: bool,
    /// The rules of which this predicate is a witness.
    witness_of: Vec<u32>,
}

/// One Sigma field of the shard.
struct Slot {
    name: String,
    matcher: Matcher,
    /// The rules of which the mere presence of the field is a witness.
    witness_of: Vec<u32>,
}

/// A rule that matched, and the means to say why.
pub struct Hit<'s, 'e, 'a> {
    shard: &'s Shard,
    place: u32,
    scratch: &'s mut Scratch,
    fields: &'e Fields<'a>,
}

/// A predicate that held: what the rule asks of a field, and what the event has there.
#[derive(Debug, Clone)]
pub struct Proof {
    /// The field, by its Sigma name.
    pub field: String,
    /// What is asked.
    pub test: String,
    /// The values that fulfil it; none where it is their absence.
    pub values: Vec<Value<'static>>,
}

impl Shard {
    /// Judges one event: calls `found` for each rule that matches, in the order of the rules.
    pub fn judge(&self, fields: &Fields<'_>, scratch: &mut Scratch, mut found: impl FnMut(Hit<'_, '_, '_>)) {
        if self.rules.is_empty() {
            return;
        }
        scratch.begin(self.id, [self.predicates.len(), self.rules.len(), self.slots.len()]);
        self.collect(fields, scratch);
        scratch.marks.candidates(&self.always);
        let candidates = scratch.marks.take_candidates();
        for &place in &candidates {
            let root = self.roots.get(place as usize).copied();
            if root.is_some_and(|root| self.eval(root, fields, scratch)) {
                found(Hit { shard: self, place, scratch, fields });
            }
        }
        scratch.marks.give_back(candidates);
    }

    /// How many rules the shard holds.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Sorts the event's values into slots, and notes what the matchers find in them.
    fn collect(&self, fields: &Fields<'_>, scratch: &mut Scratch) {
        let mut number = std::mem::take(&mut scratch.number);
        for (index, (path, value)) in (0_u32..).zip(fields.iter()) {
            let slots = self.fields.slots(path);
            if slots.is_empty() && self.keywords.is_none() {
                continue;
            }
            let text = value.text(&mut number);
            for &place in slots.iter().chain(&self.keywords) {
                scratch.feed(place, index);
                if let Some(slot) = self.slots.get(place) {
                    scratch.marks.candidates(&slot.witness_of);
                }
                if let Some(text) = text {
                    self.scan(place, text, value, scratch);
                }
            }
        }
        scratch.number = number;
    }

    /// Notes which indexed predicates of a slot a value satisfies.
    fn scan(&self, place: usize, text: &str, value: &Value<'_>, scratch: &mut Scratch) {
        let Scratch { marks, memo, found, text: TextScratch { folded, .. }, .. } = scratch;
        // A float satisfies numbers that are spelled otherwise, so its text alone does not tell.
        let memorable = !matches!(value, Value::Float(_));
        if let Some(known) = memo.get(place, text).filter(|_| memorable) {
            self.hold(known, marks);
            return;
        }
        found.clear();
        if let Some(slot) = self.slots.get(place) {
            slot.matcher.scan(fold(text, folded), value, &mut |predicate| found.push(predicate));
        }
        found.sort_unstable();
        found.dedup();
        self.hold(found, marks);
        if memorable {
            memo.insert(place, text, found);
        }
    }

    /// Notes that indexed predicates hold, and that their rules are worth a look.
    fn hold(&self, predicates: &[PredicateId], marks: &mut Marks) {
        for &predicate in predicates {
            if let Some(compiled) = self.predicates.get(predicate as usize)
                && marks.answer(predicate, true)
            {
                marks.candidates(&compiled.witness_of);
            }
        }
    }

    fn eval(&self, node: NodeId, fields: &Fields<'_>, scratch: &mut Scratch) -> bool {
        match self.nodes.get(node as usize) {
            Some(Node::All(children)) => children.iter().all(|&child| self.eval(child, fields, scratch)),
            Some(Node::Any(children)) => children.iter().any(|&child| self.eval(child, fields, scratch)),
            Some(Node::AtLeast(least, children)) => {
                children.iter().filter(|&&child| self.eval(child, fields, scratch)).take(*least).count()
                    == *least
            }
            Some(Node::Not(child)) => !self.eval(*child, fields, scratch),
            Some(Node::Is(predicate)) => self.ask(*predicate, fields, scratch),
            None => false,
        }
    }

    /// The answer of a predicate; what no matcher indexes is asked here, once.
    fn ask(&self, predicate: PredicateId, fields: &Fields<'_>, scratch: &mut Scratch) -> bool {
        if let Some(answer) = scratch.marks.answered(predicate) {
            return answer;
        }
        match self.predicates.get(predicate as usize) {
            Some(compiled) if !compiled.indexed => {
                let answer = self.ask_values(compiled, fields, scratch);
                scratch.marks.answer(predicate, answer);
                answer
            }
            _ => false,
        }
    }

    fn ask_values(&self, compiled: &Compiled, fields: &Fields<'_>, scratch: &mut Scratch) -> bool {
        let Scratch { values, text, .. } = scratch;
        let Some(indices) = values.get(compiled.slot) else { return false };
        let mut slot_values = indices.iter().filter_map(|&index| fields.value(index as usize));
        let keyword = Some(compiled.slot) == self.keywords;
        match &compiled.test {
            Test::Null if keyword => false,
            Test::Null => indices.is_empty() || slot_values.any(|value| *value == Value::Null),
            Test::Exists(wanted) => indices.is_empty() != *wanted,
            Test::FieldRef(field) => {
                let others =
                    compiled.other.and_then(|other| values.get(other)).map_or(&[][..], Vec::as_slice);
                let texts = |indices: &[u32]| -> Vec<String> {
                    let lower = |value: &Value<'_>| value.text(&mut String::new()).map(str::to_lowercase);
                    indices.iter().filter_map(|&index| fields.value(index as usize).and_then(lower)).collect()
                };
                let (own, others) = (texts(indices), texts(others));
                own.iter().any(|value| others.iter().any(|other| field.relates(value, other)))
            }
            test => slot_values.any(|value| test.holds(value, keyword, text)),
        }
    }
}

impl Hit<'_, '_, '_> {
    /// The rule's index in the set that the shard was compiled from.
    pub fn rule(&self) -> usize {
        self.shard.rules.get(self.place as usize).copied().unwrap_or_default()
    }

    /// The fields whose values made the rule match, by their Sigma names, with those values: what the
    /// expression demands and found. Keywords are under the name `keywords`.
    pub fn matched(&mut self) -> Fields<'static> {
        let mut matched = Fields::default();
        for Proof { field, values, .. } in self.proofs() {
            for value in values {
                if !matched.iter().any(|(earlier, other)| earlier == field && *other == value) {
                    matched.push(field.clone(), value);
                }
            }
        }
        matched
    }

    /// Why the rule matched, predicate by predicate. What is negated proves by absence, so shows nothing.
    pub fn proofs(&mut self) -> Vec<Proof> {
        let mut predicates = Vec::new();
        if let Some(&root) = self.shard.roots.get(self.place as usize) {
            self.prove(root, &mut predicates);
        }
        predicates.into_iter().filter_map(|predicate| self.proof(predicate)).collect()
    }

    /// Collects the predicates by which a node is true; what is negated proves by absence, so shows nothing.
    fn prove(&mut self, node: NodeId, proofs: &mut Vec<PredicateId>) {
        let shard = self.shard;
        match shard.nodes.get(node as usize) {
            Some(Node::All(children) | Node::Any(children) | Node::AtLeast(_, children)) => {
                for &child in children {
                    if shard.eval(child, self.fields, self.scratch) {
                        self.prove(child, proofs);
                    }
                }
            }
            Some(Node::Is(predicate)) if !proofs.contains(predicate) => proofs.push(*predicate),
            Some(Node::Is(_) | Node::Not(_)) | None => {}
        }
    }

    fn proof(&mut self, predicate: PredicateId) -> Option<Proof> {
        let compiled = self.shard.predicates.get(predicate as usize)?;
        let keyword = Some(compiled.slot) == self.shard.keywords;
        let relates = matches!(compiled.test, Test::FieldRef(_) | Test::Exists(_));
        let field = if keyword {
            "keywords"
        } else {
            self.shard.slots.get(compiled.slot).map_or("", |slot| &slot.name)
        };
        let indices = self.scratch.values.get(compiled.slot).cloned().unwrap_or_default();
        let mut values = Vec::new();
        for value in indices.iter().filter_map(|&index| self.fields.value(index as usize)) {
            if relates || compiled.test.holds(value, keyword, &mut self.scratch.text) {
                values.push(value.to_owned_value());
            }
        }
        Some(Proof { field: field.to_owned(), test: compiled.test.to_string(), values })
    }
}

/// What the compiler needs to know of the log source.
pub trait Aliases {
    /// The names under which a record may carry the Sigma field, besides its own.
    fn names(&self, field: &str) -> &[String];
}

impl Shard {
    /// Compiles the rules at these places of `rules`.
    pub fn compile(rules: &[Rule], places: impl IntoIterator<Item = usize>, aliases: &dyn Aliases) -> Self {
        compile::shard(rules, places, aliases)
    }
}
