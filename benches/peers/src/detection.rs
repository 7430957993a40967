//! Sigma detection: Garrison beside `rsigma-eval`, on the same rules and events, in one run.
//!
//! One thread, parsing included, no log source gating in either. Events are taken in blocks; each block
//! goes through both engines and both parsers in turn, so that whatever else the machine does meets all
//! of them alike. Time is CPU time of the thread.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use garrison_base::Fields;
use garrison_decode::Decoder;
use garrison_sigma::{Gate, Placeholders, Rule, RuleSet, Scratch, Taxonomy, rule};
use rsigma_eval::{Engine, JsonEvent};
use rustix::time::{ClockId, clock_gettime};
use serde_json::json;
use walkdir::WalkDir;

/// Events of one turn.
const BLOCK: usize = 500;

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let mode = args.next().context("usage: detection (compare|load-ours|load-rsigma) EVENTS RULES...")?;
    let events = args.next().context("the events are missing")?;
    let rules: Vec<PathBuf> = args.map(PathBuf::from).collect();
    let text = std::fs::read_to_string(&events).with_context(|| format!("reading {events}"))?;
    let lines: Vec<&str> = text.lines().collect();
    match mode.as_str() {
        "compare" => compare(&lines, &rules),
        "load-ours" => load(|| Ours::new(&rules), &lines),
        "load-rsigma" => load(|| Rsigma::new(&rules), &lines),
        _ => bail!("unknown mode {mode}"),
    }
}

/// An engine with its rules.
trait Judge {
    /// The ids of the rules that match one event.
    fn judge(&mut self, line: &str) -> BTreeSet<String>;
}

struct Ours {
    set: RuleSet,
    decoder: Decoder,
    scratch: Scratch,
}

impl Ours {
    fn new(dirs: &[PathBuf]) -> anyhow::Result<Self> {
        let rules: Vec<Rule> = files(dirs)?
            .iter()
            .flat_map(|(name, text)| rule::read(name, text, &Placeholders::default()))
            .collect::<Result<_, _>>()?;
        let taxonomy = Taxonomy::built_in().map_err(anyhow::Error::msg)?;
        let mut ours = Self { set: RuleSet::new(rules, taxonomy), decoder: Decoder::verbatim(), scratch: Scratch::default() };
        // Compiling belongs to loading.
        ours.set.judge(Gate::Open, &Fields::default(), &mut ours.scratch, |_, _| {});
        Ok(ours)
    }
}

impl Judge for Ours {
    fn judge(&mut self, line: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let Self { set, decoder, scratch } = self;
        decoder.decode(line.as_bytes(), 1, &mut |record| {
            set.judge(Gate::Open, &record.fields, scratch, |rule, _| {
                found.insert(rule.id.clone());
            });
        });
        found
    }
}

struct Rsigma(Engine);

impl Rsigma {
    fn new(dirs: &[PathBuf]) -> anyhow::Result<Self> {
        let mut engine = Engine::new();
        let mut rules = Vec::new();
        for (name, text) in files(dirs)? {
            let collection = rsigma_parser::parse_sigma_yaml(&text).with_context(|| name.clone())?;
            rules.extend(collection.rules);
        }
        for (place, error) in engine.add_rules(rules.iter()) {
            eprintln!("rsigma refuses rule {place}: {error}");
        }
        Ok(Self(engine))
    }
}

impl Judge for Rsigma {
    fn judge(&mut self, line: &str) -> BTreeSet<String> {
        let Ok(value) = serde_json::from_str::<serde_json::Value>(line) else { return BTreeSet::new() };
        self.0.evaluate(&JsonEvent::borrow(&value)).into_iter().filter_map(|result| result.header.rule_id).collect()
    }
}

fn files(dirs: &[PathBuf]) -> anyhow::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for dir in dirs {
        for entry in WalkDir::new(dir).sort_by_file_name() {
            let entry = entry?;
            if entry.path().extension().is_some_and(|extension| extension == "yml") {
                files.push((shown(entry.path()), std::fs::read_to_string(entry.path())?));
            }
        }
    }
    Ok(files)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn compare(lines: &[&str], rules: &[PathBuf]) -> anyhow::Result<()> {
    let (ours_load, ours) = timed(|| Ours::new(rules));
    let (rsigma_load, rsigma) = timed(|| Rsigma::new(rules));
    let (mut ours, mut rsigma) = (ours?, rsigma?);
    let mut times = [Duration::ZERO; 4];
    let mut differences = BTreeSet::new();
    let (mut matches, mut checksum) = (0, 0);
    for block in lines.chunks(BLOCK) {
        let (time, own) = timed(|| block.iter().map(|line| ours.judge(line)).collect::<Vec<_>>());
        times[0] += time;
        let (time, theirs) = timed(|| block.iter().map(|line| rsigma.judge(line)).collect::<Vec<_>>());
        times[1] += time;
        let (time, parsed) = timed(|| block.iter().filter(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()).count());
        times[2] += time;
        checksum += parsed;
        let (time, parsed) = timed(|| block.iter().filter(|line| sonic_rs::from_str::<sonic_rs::Value>(line).is_ok()).count());
        times[3] += time;
        checksum += parsed;
        for (own, theirs) in own.iter().zip(&theirs) {
            matches += own.len();
            differences.extend(own.symmetric_difference(theirs).cloned());
        }
    }
    let unexplained: Vec<&String> = differences.iter().filter(|id| !known_wrong(rules, id)).collect();
    let rate = |time: Duration| lines.len() as f64 / time.as_secs_f64();
    let [own, theirs, serde, sonic] = times.map(rate);
    println!(
        "{}",
        json!({
            "events": lines.len(),
            "rules": ours.set.rules().len(),
            "matches": matches,
            "ours_events_per_cpu_second": own.round(),
            "rsigma_events_per_cpu_second": theirs.round(),
            "serde_json_events_per_cpu_second": serde.round(),
            "sonic_rs_events_per_cpu_second": sonic.round(),
            "ours_load_cpu_seconds": ours_load.as_secs_f64(),
            "rsigma_load_cpu_seconds": rsigma_load.as_secs_f64(),
            "ratio_to_rsigma": own / theirs,
            "rules_that_differ": differences.len(),
            "differ_unexplained": unexplained,
            "parsed": checksum,
        })
    );
    Ok(())
}

/// Whether `rsigma-eval` 0.23 is known to judge the rule wrongly: it anchors `startswith` and `endswith`
/// although a wildcard is inside, and its `windash` knows the dash only.
fn known_wrong(rules: &[PathBuf], id: &str) -> bool {
    let Ok(files) = files(rules) else { return false };
    let wild = |line: &str| {
        let value = line.trim().trim_start_matches("- ").trim_matches(['\'', '"']);
        value.contains(['*', '?']) && !value.starts_with("condition")
    };
    files.iter().any(|(_, text)| {
        let anchored = text.contains("|startswith") || text.contains("|endswith");
        text.contains(id) && (text.contains("windash") || (anchored && text.lines().any(wild)))
    })
}

/// Loads an engine, judges a few events, and prints the most memory that the process ever had.
fn load<J: Judge>(make: impl FnOnce() -> anyhow::Result<J>, lines: &[&str]) -> anyhow::Result<()> {
    let before = resident("VmRSS")?;
    let mut judge = make()?;
    let matches: usize = lines.iter().take(20_000).map(|line| judge.judge(line).len()).sum();
    let after = resident("VmHWM")?;
    println!("{}", json!({"kib": after.saturating_sub(before), "matches": matches}));
    Ok(())
}

fn resident(name: &str) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with(name)).context("no memory figure")?;
    Ok(line.split_ascii_whitespace().nth(1).context("no memory figure")?.parse()?)
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let now = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
    };
    let start = now();
    let result = work();
    (now().saturating_sub(start), result)
}
