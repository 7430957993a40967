//! `cargo xtask bench`: side-by-side measurements. The peers are built in a workspace of their own.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use crate::{Output, output};

/// Rule folders of SigmaHQ that are measured when none are given.
const RULES: [&str; 3] =
    ["sigma/rules/windows", "sigma/rules-emerging-threats", "sigma/rules-threat-hunting"];

/// Detection: rate, memory and agreement, beside `rsigma-eval`.
pub fn detection(
    root: &Path,
    format: Output,
    events: Option<PathBuf>,
    rules: Vec<PathBuf>,
) -> anyhow::Result<()> {
    let data =
        std::env::var_os("GARRISON_TEST_DATA").map_or_else(|| root.join("../shared/data"), PathBuf::from);
    let events = events.unwrap_or_else(|| data.join("events/windows_100k.jsonl.zst"));
    let rules = if rules.is_empty() { RULES.map(|dir| data.join(dir)).to_vec() } else { rules };
    if !events.exists() {
        bail!("{} is not there: give --events and --rules, or set GARRISON_TEST_DATA", events.display());
    }
    let detection = peer(root, "detection")?;
    let plain = unpacked(&events, &root.join("benches/peers/target"))?;
    let run = |mode: &str| -> anyhow::Result<Value> {
        eprintln!("running {mode}");
        let text = output(Command::new(&detection).arg(mode).arg(&plain).args(&rules))?;
        serde_json::from_str(text.trim()).context("the bench did not print JSON")
    };
    let mut result = run("compare")?;
    let (own, theirs) = (run("load-ours")?, run("load-rsigma")?);
    if let Value::Object(fields) = &mut result {
        fields.insert("ours_memory_kib".to_owned(), own["kib"].clone());
        fields.insert("rsigma_memory_kib".to_owned(), theirs["kib"].clone());
        fields.insert("area".to_owned(), json!("detection"));
    }
    match format {
        Output::Json => println!("{result}"),
        Output::Table => table(&result),
    }
    match result["differ_unexplained"].as_array() {
        Some(rules) if rules.is_empty() => Ok(()),
        _ => bail!(
            "the engines disagree about rules for which rsigma-eval is not known to be wrong: {}",
            result["differ_unexplained"]
        ),
    }
}

/// Builds a program of the peers' workspace, with the feature of its name; answers where it is.
pub fn peer(root: &Path, name: &str) -> anyhow::Result<PathBuf> {
    eprintln!("building {name} and its peers (release, some ten minutes the first time)");
    let peers = root.join("benches/peers");
    let build = ["build", "--release", "--quiet", "--features", name, "--bin", name];
    output(Command::new("cargo").args(build).current_dir(&peers))?;
    Ok(peers.join("target/release").join(name))
}

fn unpacked(events: &Path, folder: &Path) -> anyhow::Result<PathBuf> {
    if events.extension().is_none_or(|extension| extension != "zst") {
        return Ok(events.to_owned());
    }
    let plain = folder.join("events.jsonl");
    let packed = std::fs::File::open(events).with_context(|| format!("opening {}", events.display()))?;
    let mut target = std::fs::File::create(&plain).with_context(|| format!("making {}", plain.display()))?;
    zstd::stream::copy_decode(packed, &mut target)
        .with_context(|| format!("unpacking {}", events.display()))?;
    Ok(plain)
}

fn table(result: &Value) {
    let number = |name: &str| result[name].as_f64().unwrap_or(f64::NAN);
    println!("{} events, {} rules, {} matches", result["events"], result["rules"], result["matches"]);
    println!("{:<28}{:>16}{:>12}{:>14}", "", "events/CPU-s", "memory MiB", "load CPU-s");
    for (name, rate, memory, load) in [
        ("garrison", "ours_events_per_cpu_second", "ours_memory_kib", "ours_load_cpu_seconds"),
        ("rsigma-eval 0.23", "rsigma_events_per_cpu_second", "rsigma_memory_kib", "rsigma_load_cpu_seconds"),
    ] {
        println!("{name:<28}{:>16.0}{:>12.1}{:>14.2}", number(rate), number(memory) / 1024.0, number(load));
    }
    println!("{:<28}{:>16.0}", "serde_json alone", number("serde_json_events_per_cpu_second"));
    println!("{:<28}{:>16.0}", "sonic-rs alone", number("sonic_rs_events_per_cpu_second"));
    println!(
        "ratio to rsigma-eval {:.2}; rules judged differently: {}",
        number("ratio_to_rsigma"),
        result["rules_that_differ"]
    );
}
