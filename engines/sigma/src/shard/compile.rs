//! From rules to a shard.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use foldhash::HashMap;

use super::matcher::{FieldTable, MatcherBuilder};
use super::witness::{self, Witness};
use super::{Aliases, Compiled, Node, NodeId, PredicateId, Shard, Slot};
use crate::expr::{Expr, Predicate, Test};
use crate::rule::Rule;

/// How many shards were compiled in this process; numbers them.
static SHARDS: AtomicU64 = AtomicU64::new(0);

pub(super) fn shard(rules: &[Rule], places: impl IntoIterator<Item = usize>, aliases: &dyn Aliases) -> Shard {
    let mut compiler = Compiler::default();
    let mut shard_rules = Vec::new();
    let mut roots = Vec::new();
    for place in places {
        if let Some(rule) = rules.get(place) {
            roots.push(compiler.expr(&rule.expr));
            shard_rules.push(place);
        }
    }
    let always = compiler.choose_witnesses(&roots);
    let Compiler { nodes, predicates, slots, keywords, .. } = compiler;
    let mut fields = FieldTable::default();
    let mut built = Vec::with_capacity(slots.len());
    for (place, draft) in slots.into_iter().enumerate() {
        if let Some(field) = &draft.field {
            fields.add(field, place);
            for name in aliases.names(field) {
                fields.add(name, place);
            }
        }
        let name = draft.field.as_deref().unwrap_or_default().to_owned();
        built.push(Slot { name, matcher: draft.matcher.build(), witness_of: draft.witness_of });
    }
    let id = SHARDS.fetch_add(1, Ordering::Relaxed);
    Shard { id, rules: shard_rules, roots, nodes, predicates, fields, slots: built, keywords, always }
}

#[derive(Default)]
struct Compiler {
    nodes: Vec<Node>,
    predicates: Vec<Compiled>,
    known: HashMap<Predicate, PredicateId>,
    slots: Vec<SlotDraft>,
    slot_of: HashMap<Option<Arc<str>>, usize>,
    keywords: Option<usize>,
}

#[derive(Default)]
struct SlotDraft {
    field: Option<Arc<str>>,
    matcher: MatcherBuilder,
    witness_of: Vec<u32>,
}

impl Compiler {
    fn expr(&mut self, expr: &Expr) -> NodeId {
        let node = match expr {
            Expr::All(parts) => Node::All(self.exprs(parts)),
            Expr::Any(parts) => Node::Any(self.exprs(parts)),
            Expr::AtLeast(least, parts) => Node::AtLeast(*least, self.exprs(parts)),
            Expr::Not(inner) => Node::Not(self.expr(inner)),
            Expr::Named(_, inner) => return self.expr(inner),
            Expr::Is(predicate) => Node::Is(self.predicate(predicate)),
        };
        self.nodes.push(node);
        index(self.nodes.len() - 1)
    }

    fn exprs(&mut self, parts: &[Expr]) -> Vec<NodeId> {
        parts.iter().map(|part| self.expr(part)).collect()
    }

    fn predicate(&mut self, predicate: &Predicate) -> PredicateId {
        if let Some(&known) = self.known.get(predicate) {
            return known;
        }
        let id = index(self.predicates.len());
        self.known.insert(predicate.clone(), id);
        let slot = self.slot(predicate.field.as_ref());
        let other = match &predicate.test {
            Test::FieldRef(field) => Some(self.slot(Some(&field.other))),
            _ => None,
        };
        let keyword = predicate.field.is_none();
        let indexed =
            self.slots.get_mut(slot).is_some_and(|slot| slot.matcher.add(&predicate.test, keyword, id));
        self.predicates.push(Compiled {
            slot,
            test: predicate.test.clone(),
            other,
            indexed,
            witness_of: Vec::new(),
        });
        id
    }

    fn slot(&mut self, field: Option<&Arc<str>>) -> usize {
        let next = self.slots.len();
        let slot = *self.slot_of.entry(field.cloned()).or_insert(next);
        if slot == next {
            self.slots.push(SlotDraft { field: field.cloned(), ..SlotDraft::default() });
            if field.is_none() {
                self.keywords = Some(slot);
            }
        }
        slot
    }

    /// Gives each rule its witnesses; answers the rules that have none.
    fn choose_witnesses(&mut self, roots: &[NodeId]) -> Vec<u32> {
        let mut always = Vec::new();
        for (rule, &root) in (0_u32..).zip(roots) {
            match witness::choose(&self.nodes, &self.predicates, root) {
                None => always.push(rule),
                Some(witnesses) => {
                    for witness in witnesses {
                        let list = match witness {
                            Witness::Predicate(id) => {
                                self.predicates.get_mut(id as usize).map(|p| &mut p.witness_of)
                            }
                            Witness::Slot(slot) => self.slots.get_mut(slot).map(|slot| &mut slot.witness_of),
                        };
                        if let Some(list) = list
                            && list.last() != Some(&rule)
                        {
                            list.push(rule);
                        }
                    }
                }
            }
        }
        always
    }
}

/// Ids are 32 bits wide: rule files are bounded so that no set comes near the end of them.
fn index(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}
