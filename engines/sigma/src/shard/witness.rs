//! Which predicates must have been seen before a rule is worth evaluating.

use super::{Compiled, Node, NodeId, PredicateId};
use crate::expr::Test;
use crate::pattern::Part;

/// Something whose sight makes a rule a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Witness {
    /// An indexed predicate that holds.
    Predicate(PredicateId),
    /// Any value of a field, for predicates that are not indexed.
    Slot(usize),
}

/// The cheapest witness set of a node, or `None` if it can be true without anything being seen.
pub(super) fn choose(nodes: &[Node], predicates: &[Compiled], root: NodeId) -> Option<Vec<Witness>> {
    weigh(nodes, predicates, root).map(|(_, witnesses)| witnesses)
}

/// A witness set and how often it is expected to be seen, on a scale of its own.
type Weighed = Option<(u32, Vec<Witness>)>;

fn weigh(nodes: &[Node], predicates: &[Compiled], node: NodeId) -> Weighed {
    let weigh = |&child: &NodeId| weigh(nodes, predicates, child);
    match nodes.get(node as usize)? {
        // All must hold, so any one of them will do: the rarest.
        Node::All(children) => children.iter().filter_map(weigh).min_by_key(|(cost, _)| *cost),
        // Any may hold, so all of them are needed.
        Node::Any(children) | Node::AtLeast(_, children) => {
            let sets: Option<Vec<_>> = children.iter().map(weigh).collect();
            let sum = |(cost, mut all): (u32, Vec<_>), (more, set)| {
                all.extend(set);
                (cost.saturating_add(more), all)
            };
            sets.map(|sets| sets.into_iter().fold((0, Vec::new()), sum))
        }
        Node::Not(_) => None,
        Node::Is(id) => predicates.get(*id as usize).and_then(|compiled| predicate(*id, compiled)),
    }
}

/// Costs are guesses: the shorter a literal, the oftener it is seen. A later engine measures instead.
fn predicate(id: PredicateId, compiled: &Compiled) -> Weighed {
    const PRESENT: u32 = 100;
    match &compiled.test {
        Test::Null | Test::Exists(false) => None,
        question if compiled.indexed => {
            let cost = match question {
                Test::Number(_) => 12,
                Test::Text(pattern) => {
                    let longest = pattern.parts().iter().map(|part| match part {
                        Part::Literal(text) => text.len(),
                        _ => 0,
                    });
                    match longest.max().unwrap_or(0) {
                        0 => 60,
                        1..=2 => 40,
                        3..=4 => 12,
                        5..=7 => 5,
                        8..=11 => 3,
                        _ => 2,
                    }
                }
                _ => PRESENT,
            };
            Some((cost, vec![Witness::Predicate(id)]))
        }
        _ => Some((PRESENT, vec![Witness::Slot(compiled.slot)])),
    }
}
