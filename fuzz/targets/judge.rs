//! Events of any kind, judged by rules that use every kind of test.
#![no_main]

use std::sync::LazyLock;

use garrison_decode::Decoder;
use garrison_sigma::{Gate, Placeholders, RuleSet, Scratch, Taxonomy, rule};
use libfuzzer_sys::fuzz_target;

const RULES: &str = r"
title: every kind of test
logsource: {category: any}
detection:
  text: {a|contains: [x, y*z, 'ß'], b|startswith: p, c|endswith: q, d: 'e?f*', e: ''}
  other: {n|gte: 5, m: 7, o: null, p|exists: true, q|fieldref: a, r|re|i: '^a+b', s|cidr: 10.0.0.0/8, t|cased: T}
  words: [root, '*ad?min*']
  condition: 1 of them or not text
";

static SET: LazyLock<Option<RuleSet>> = LazyLock::new(|| {
    let rules = rule::read("fuzz.yml", RULES, &Placeholders::default()).into_iter().flatten().collect();
    Some(RuleSet::new(rules, Taxonomy::built_in().ok()?))
});

fuzz_target!(|data: &[u8]| {
    let Some(set) = SET.as_ref() else { return };
    let mut scratch = Scratch::default();
    let mut decoder = Decoder::default();
    let mut judge = |record: &garrison_decode::Record<'_>| {
        let gate = Gate::Source(set.taxonomy().route(record.kind.name(), &record.fields));
        for gate in [gate, Gate::Open] {
            set.judge(gate, &record.fields, &mut scratch, |_, mut hit| {
                let _ = hit.matched();
            });
        }
    };
    decoder.decode(data, 1, &mut judge);
    decoder.finish(&mut judge);
});
