//! What judging needs and keeps from event to event.

use foldhash::HashMap;

use super::PredicateId;
use super::memo::Memo;
use crate::expr::Scratch as TextScratch;

/// What one thread needs to judge events. It is kept from event to event and serves every shard.
#[derive(Default)]
pub struct Scratch {
    pub(super) marks: Marks,
    /// Per slot: the indices of its values in the event.
    pub(super) values: Vec<Vec<u32>>,
    touched: Vec<usize>,
    /// The memo of the shard that judges, by its id, and those of the others.
    pub(super) memo: Memo,
    current: Option<u64>,
    memos: HashMap<u64, Memo>,
    pub(super) found: Vec<PredicateId>,
    pub(super) text: TextScratch,
    pub(super) number: String,
}

/// Answers and candidates of one event. Each is stamped with the event's number, so that nothing need be
/// cleared between events.
#[derive(Default)]
pub(super) struct Marks {
    event: u32,
    answers: Vec<(u32, bool)>,
    seen: Vec<u32>,
    candidates: Vec<u32>,
}

impl Scratch {
    /// Forgets the event before and makes room for a shard with so many predicates, rules and slots.
    pub(super) fn begin(&mut self, shard: u64, [predicates, rules, slots]: [usize; 3]) {
        if self.current != Some(shard) {
            let before = std::mem::replace(&mut self.memo, self.memos.remove(&shard).unwrap_or_default());
            self.current.replace(shard).map(|id| self.memos.insert(id, before));
        }
        self.marks.begin(predicates, rules);
        self.values.resize(self.values.len().max(slots), Vec::new());
        for slot in self.touched.drain(..) {
            if let Some(values) = self.values.get_mut(slot) {
                values.clear();
            }
        }
    }

    pub(super) fn feed(&mut self, slot: usize, index: u32) {
        if let Some(values) = self.values.get_mut(slot) {
            if values.is_empty() {
                self.touched.push(slot);
            }
            values.push(index);
        }
    }
}

impl Marks {
    fn begin(&mut self, predicates: usize, rules: usize) {
        if self.event == u32::MAX {
            *self = Self::default();
        }
        self.event += 1;
        self.answers.resize(self.answers.len().max(predicates), (0, false));
        self.seen.resize(self.seen.len().max(rules), 0);
        self.candidates.clear();
    }

    /// The answer of a predicate, if it was given for this event.
    pub(super) fn answered(&self, predicate: PredicateId) -> Option<bool> {
        let (event, answer) = self.answers.get(predicate as usize)?;
        (*event == self.event).then_some(*answer)
    }

    /// Gives an answer; tells whether it is news.
    pub(super) fn answer(&mut self, predicate: PredicateId, answer: bool) -> bool {
        let Some(known) = self.answers.get_mut(predicate as usize) else { return false };
        let given = (self.event, answer);
        std::mem::replace(known, given) != given
    }

    /// Adds rules that are worth a look, each once.
    pub(super) fn candidates(&mut self, rules: &[u32]) {
        for &rule in rules {
            if let Some(seen) = self.seen.get_mut(rule as usize)
                && *seen != self.event
            {
                *seen = self.event;
                self.candidates.push(rule);
            }
        }
    }

    /// The candidates in the order of the rules.
    pub(super) fn take_candidates(&mut self) -> Vec<u32> {
        let mut candidates = std::mem::take(&mut self.candidates);
        candidates.sort_unstable();
        candidates
    }

    /// Gives the room of the candidates back for the next event.
    pub(super) fn give_back(&mut self, candidates: Vec<u32>) {
        self.candidates = candidates;
    }
}
