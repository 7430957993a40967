//! A set of rules and the log sources they are about.

use std::sync::OnceLock;

use garrison_base::Fields;

use crate::rule::{LogSource, Rule};
use crate::shard::{Aliases, Hit, Scratch, Shard, Verdict};
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

    /// What one event of a source says to every part of one rule, whether or not the rule is about such logs; the
    /// source's names of fields count. `None` where there is no such rule.
    pub fn verdict<'f>(&self, place: usize, source: SourceId, fields: &'f Fields<'_>) -> Option<Verdict<'f>> {
        // The shard that judges the stream holds many rules and evaluates few of them; this one is of one rule only.
        let shard = Shard::compile(&self.rules, [place], &self.taxonomy.aliases(source));
        shard.verdict(fields, &mut Scratch::default())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::{self, Placeholders};

    const RULES: &str = "
title: process
logsource: {product: windows, category: process_creation}
detection:
  sel: {Image|endswith: [\\cmd.exe, \\sh.exe], CommandLine|contains|all: [a, b*c]}
  not_by: {ParentImage: null}
  condition: sel and not not_by
---
title: any Linux log
logsource: {product: linux}
detection: {words: ['root', 7], condition: words}
---
title: nowhere
logsource: {product: toaster}
detection: {sel: {heat|gt: 5, name|fieldref: other}, condition: sel}
";

    fn set() -> RuleSet {
        let rules =
            rule::read("r.yml", RULES, &Placeholders::default()).into_iter().map(Result::unwrap).collect();
        RuleSet::new(rules, Taxonomy::built_in().unwrap())
    }

    /// The titles of the rules that match, and what made the last one match.
    fn found(set: &RuleSet, kind: &str, fields: &Fields<'_>) -> (Vec<String>, Vec<String>) {
        let (mut titles, mut matched) = (Vec::new(), Vec::new());
        let gate = Gate::Source(set.taxonomy().route(kind, fields));
        set.judge(gate, fields, &mut Scratch::default(), |rule, mut hit| {
            titles.push(rule.title.clone());
            matched =
                hit.matched().iter().map(|(name, value)| format!("{name}={}", value.to_text())).collect();
        });
        (titles, matched)
    }

    fn fields<'a>(pairs: &[(&'a str, &'a str)]) -> Fields<'a> {
        let mut fields = Fields::default();
        for &(name, value) in pairs {
            fields.push(name, value);
        }
        fields
    }

    #[test]
    fn a_source_lends_its_names_to_the_rule() {
        let security = fields(&[
            ("Channel", "Security"),
            ("EventID", "4688"),
            ("NewProcessName", "C:\\Windows\\CMD.exe"),
            ("CommandLine", "A b-c"),
            ("ParentProcessName", "x"),
        ]);
        let (titles, matched) = found(&set(), "windows", &security);
        assert_eq!(titles, ["process"]);
        assert_eq!(matched, ["Image=C:\\Windows\\CMD.exe", "CommandLine=A b-c"]);
        let other_channel = fields(&[
            ("Channel", "Application"),
            ("EventID", "4688"),
            ("NewProcessName", "\\cmd.exe"),
            ("CommandLine", "abc"),
        ]);
        assert!(found(&set(), "windows", &other_channel).0.is_empty());
    }

    /// Whether each part holds, in the order of the rule, with what the event says there.
    fn told(verdict: &Verdict<'_>) -> String {
        let seen: Vec<String> = verdict.seen.iter().copied().map(garrison_base::Value::to_text).collect();
        let children: Vec<String> = verdict.children.iter().map(told).collect();
        let mark = if verdict.holds { "+" } else { "-" };
        let children = if children.is_empty() { String::new() } else { format!("({})", children.join(" ")) };
        format!("{mark}{}{children}", seen.join("|"))
    }

    #[test]
    fn every_part_of_a_rule_is_judged_also_what_decides_nothing() {
        let set = set();
        let event = fields(&[
            ("Channel", "Security"),
            ("EventID", "4688"),
            ("NewProcessName", "C:\\cmd.exe"),
            ("CommandLine", "a"),
        ]);
        let source = set.taxonomy().route("windows", &event);
        let verdict = set.verdict(0, source, &event).unwrap();
        assert_eq!(told(&verdict), "-(-(+(+C:\\cmd.exe -C:\\cmd.exe) -(+a -a)) -(+))");
        // It is judged by a rule that is about other logs too, and by keywords, of which only what fits is told.
        let words = fields(&[("message", "root at 1"), ("other", "x")]);
        let words = set.verdict(1, source, &words).unwrap();
        assert_eq!(told(&words), "+(+root at 1 -)");
        assert!(set.verdict(3, source, &event).is_none());
    }

    #[test]
    fn unknown_events_meet_the_rules_that_no_known_source_feeds() {
        let toaster = fields(&[("heat", "6"), ("name", "Bob"), ("other", "bob"), ("message", "root")]);
        assert_eq!(found(&set(), "json", &toaster).0, ["nowhere"]);
        assert_eq!(found(&set(), "sshd", &toaster).0, ["any Linux log"]);
    }

    #[test]
    fn what_was_remembered_is_right_and_shards_do_not_share_it() {
        let set = set();
        let mut scratch = Scratch::default();
        let event = fields(&[("message", "ROOT"), ("heat", "6"), ("name", "root"), ("other", "ROOT")]);
        for _ in 0..3 {
            for (kind, title) in [("sshd", "any Linux log"), ("json", "nowhere")] {
                let gate = Gate::Source(set.taxonomy().route(kind, &event));
                let mut titles = Vec::new();
                set.judge(gate, &event, &mut scratch, |rule, _| titles.push(rule.title.clone()));
                assert_eq!(titles, [title]);
            }
        }
    }

    #[test]
    fn a_taxonomy_with_a_mistake_names_its_line() {
        let read = |text| Taxonomy::read([("t.yml", text)]).err().unwrap_or_default();
        assert_eq!(read("- kind: a\n  source: {}\n- source: {}\n"), "t.yml:3: an entry wants a `kind`");
        assert!(
            read("- {kind: a, source: {}}\n- {kind: a, source: {}}\n").contains("t.yml:2: another entry")
        );
    }
}
