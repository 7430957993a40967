//! What one event says to every part of a rule, also to those that decide nothing.

use garrison_base::{Fields, Value};

use super::{Node, NodeId, PredicateId, Scratch, Shard};

/// Whether a part of a rule holds for an event.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict<'f> {
    /// Whether it holds.
    pub holds: bool,
    /// What the event has in the field that is asked; of a keyword, the values that fit. Nothing where the part is no
    /// predicate, or the event has no such field.
    pub seen: Vec<&'f Value<'f>>,
    /// The same of its parts, in the order of the expression. A named detection is no part of its own.
    pub children: Vec<Verdict<'f>>,
}

impl Shard {
    /// Judges one event by the shard's first rule, all of it; `None` where there is no rule.
    pub fn verdict<'f>(&self, fields: &'f Fields<'_>, scratch: &mut Scratch) -> Option<Verdict<'f>> {
        let root = *self.roots.first()?;
        scratch.begin(self.id, [self.predicates.len(), self.rules.len(), self.slots.len()]);
        self.collect(fields, scratch);
        Some(self.part(root, fields, scratch))
    }

    /// No deeper than the expression, whose depth the readers of rules limit.
    fn part<'f>(&self, node: NodeId, fields: &'f Fields<'_>, scratch: &mut Scratch) -> Verdict<'f> {
        let holds = self.eval(node, fields, scratch);
        let (parts, seen) = match self.nodes.get(node as usize) {
            Some(Node::All(parts) | Node::Any(parts) | Node::AtLeast(_, parts)) => {
                (parts.as_slice(), Vec::new())
            }
            Some(Node::Not(inner)) => (std::slice::from_ref(inner), Vec::new()),
            Some(Node::Is(predicate)) => (&[][..], self.seen(*predicate, fields, scratch)),
            None => (&[][..], Vec::new()),
        };
        let children = parts.iter().map(|&part| self.part(part, fields, scratch)).collect();
        Verdict { holds, seen, children }
    }

    /// Borrowed: a list of a thousand words asks one value a thousand times.
    fn seen<'f>(
        &self,
        predicate: PredicateId,
        fields: &'f Fields<'_>,
        scratch: &mut Scratch,
    ) -> Vec<&'f Value<'f>> {
        let Some(compiled) = self.predicates.get(predicate as usize) else { return Vec::new() };
        let keyword = Some(compiled.slot) == self.keywords;
        let Scratch { values, text, .. } = scratch;
        let indices = values.get(compiled.slot).map_or(&[][..], Vec::as_slice);
        let mut seen = Vec::new();
        for value in indices.iter().filter_map(|&index| fields.value(index as usize)) {
            // A keyword asks every value of the event.
            if !keyword || compiled.test.holds(value, keyword, text) {
                seen.push(value);
            }
        }
        seen
    }
}
