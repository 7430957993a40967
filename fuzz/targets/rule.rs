//! Rule files, read and compiled, and an event judged by what came of them.
#![no_main]

use garrison_base::Fields;
use garrison_sigma::{Gate, Placeholders, RuleSet, Scratch, Taxonomy, rule};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let rules: Vec<_> =
        rule::read("fuzz.yml", text, &Placeholders::default()).into_iter().flatten().collect();
    if rules.is_empty() {
        return;
    }
    let Ok(taxonomy) = Taxonomy::read([]) else { return };
    let set = RuleSet::new(rules, taxonomy);
    let mut fields = Fields::default();
    for (name, value) in
        [("Image", "C:\\a.exe"), ("CommandLine", "a -b /c"), ("user", "Root"), ("src_ip", "192.0.2.1")]
    {
        fields.push(name, value);
    }
    fields.push("EventID", 4624);
    set.judge(Gate::Open, &fields, &mut Scratch::default(), |_, mut hit| {
        let _ = hit.matched();
    });
});
