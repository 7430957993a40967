//! A set of rules and the log sources they are about.

use std::sync::OnceLock;

use garrison_base::Fields;

use crate::rule::{LogSource, Rule};
use crate::shard::{Aliases, Hit, Scratch, Shard};
use crate::taxonomy::{SourceId, Taxonomy};

/// Rules, sorted by the log sources of a taxonomy. Shards are compiled when their first event comes, so a
/// hunt through one kind of log pays for one shard.
pub struct RuleSet {
    rules: Vec<Rule>,
    taxonomy: Taxonomy,
    shards: Vec<OnceLock<Shard>>,
    ungated: OnceLock<Shard>,
}

/// Which rules judge an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// Those whose log source is the event's, with the source's field names.
    Source(SourceId),
    /// Every rule, with the event's own field names only.
    Open,
}

impl RuleSet {
    /// Brings rules and taxonomy together.
    pub fn new(rules: Vec<Rule>, taxonomy: Taxonomy) -> Self {
        let shards = taxonomy.sources().map(|_| OnceLock::new()).collect();
        Self { rules, taxonomy, shards, ungated: OnceLock::new() }
    }

    /// The rules, in the order they were given.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The taxonomy.
    pub fn taxonomy(&self) -> &Taxonomy {
        &self.taxonomy
    }

    /// Judges one event; `found` is called for each rule that matches, in the order of the rules.
    pub fn judge(
        &self,
        gate: Gate,
        fields: &Fields<'_>,
        scratch: &mut Scratch,
        mut found: impl FnMut(&Rule, Hit<'_, '_, '_>),
    ) {
        let shard = match gate {
            Gate::Open => {
                Some(self.ungated.get_or_init(|| Shard::compile(&self.rules, 0..self.rules.len(), &OwnNames)))
            }
            Gate::Source(source) => self.shard(source),
        };
        let Some(shard) = shard else { return };
        shard.judge(fields, scratch, |hit| {
            if let Some(rule) = self.rules.get(hit.rule()) {
                found(rule, hit);
            }
        });
    }

    fn shard(&self, source: SourceId) -> Option<&Shard> {
        let compile = || {
            let wanted = |(place, rule): (usize, &Rule)| {
                self.taxonomy.applies(&rule.logsource, source).then_some(place)
            };
            let places = self.rules.iter().enumerate().filter_map(wanted);
            Shard::compile(&self.rules, places, &self.taxonomy.aliases(source))
        };
        self.shards.get(source.index()).map(|shard| shard.get_or_init(compile))
    }

    /// Whether any source of the taxonomy feeds rules of this log source.
    pub fn is_fed(&self, logsource: &LogSource) -> bool {
        self.taxonomy.feeds(logsource)
    }
}

struct OwnNames;

impl Aliases for OwnNames {
    fn names(&self, _: &str) -> &[String] {
        &[]
    }
}
