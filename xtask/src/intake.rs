//! `cargo xtask bench intake`: durable appends beside `SQLite`; then a running server fed over its real sockets and
//! asked, beside `DuckDB` and chDB on the same files; then one that is killed under load, and what it lost.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use serde_json::Value;

use crate::{Output, bench, output};

/// What the Python environment holds. chDB names no release of its engine, so both are here; `DuckDB` needs pytz for
/// times with a zone.
const PYTHON: [&str; 4] = ["duckdb==2.0.0", "pytz==2026.6", "chdb==4.4.0", "chdb-core==26.9.0"];

/// Events that questions are asked over.
const EVENTS: &str = "10000000";

/// What was asked for: place in the JSON, words, how it is compared, target.
const TARGETS: [(&str, &str, &str, f64); 16] = [
    ("/appends/2/ratio", "durable appends of 64 senders, to those of SQLite", ">=", 2.0),
    ("/appends/2/garrison/p99_ms", "durable append among 64 senders, 99th percentile, ms", "<", 5.0),
    (
        "/syslog_tcp/events_per_second",
        "events a second over syslog TCP, decoded, judged, found",
        ">=",
        50_000.0,
    ),
    ("/http/events_per_second", "events a second over HTTP, decoded, judged, found", ">=", 50_000.0),
    ("/latency/found_worst_s", "an event until it is found, worst of 20, seconds", "<", 1.0),
    ("/latency/alert_worst_s", "an event until its alert, worst of 20, seconds", "<", 1.0),
    ("/resident_full/VmHWM", "resident memory at most, MiB", "<", 600.0),
    ("/lake/bytes_per_event", "bytes on the disk for an event of 400", "<", 60.0),
    ("/queries/absent ip/garrison_ms", "absent address in 10 million events, ms", "<", 50.0),
    ("/queries/rare word/garrison_ms", "rare word, ms", "<", 150.0),
    ("/queries/histogram/garrison_ms", "histogram by the minute, ms", "<", 300.0),
    ("/queries/top users/garrison_ms", "the ten users with most events, ms", "<", f64::NAN),
    ("/kills/lost", "events lost that were answered, by 200 kills", "=", 0.0),
    ("/kills/doubled", "events doubled", "=", 0.0),
    ("/kills/alerts_lost", "alerts lost", "=", 0.0),
    ("/kills/alerts_doubled", "alerts doubled", "=", 0.0),
];

/// Runs all, and prints what was measured beside the targets.
pub fn bench(root: &Path, format: Output) -> anyhow::Result<()> {
    eprintln!("building (release, half an hour the first time)");
    output(
        Command::new("cargo").args(["build", "--release", "--quiet", "--bin", "garrison"]).current_dir(root),
    )?;
    let python = python(root)?;
    let appends = bench::peer(root, "appends")?;
    // Before the server, so that neither takes the disk from the other.
    eprintln!("appends");
    let appends = json(&output(Command::new(appends).arg(root.join("target")))?)?;
    let mut result = json(&output(
        Command::new(python)
            // Compiled modules would be left beside the sources.
            .arg("-B")
            .arg(root.join("benches/intake.py"))
            .arg(root.join("target/release/garrison"))
            .arg(EVENTS),
    )?)?;
    if let (Value::Object(all), Value::Object(appends)) = (&mut result, appends) {
        all.extend(appends);
    }
    match format {
        Output::Json => println!("{result}"),
        Output::Table => table(&result),
    }
    Ok(())
}

/// The interpreter of an environment with the peers that are Python packages.
fn python(root: &Path) -> anyhow::Result<PathBuf> {
    let venv = root.join("target/bench-venv");
    if !venv.exists() {
        output(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    }
    eprintln!("installing DuckDB and chDB where they are missing");
    let quiet = ["install", "--quiet", "--disable-pip-version-check"];
    output(Command::new(venv.join("bin/pip")).args(quiet).args(PYTHON))?;
    Ok(venv.join("bin/python"))
}

fn json(text: &str) -> anyhow::Result<Value> {
    serde_json::from_str(text.trim()).context("the measurement did not print JSON")
}

fn table(result: &Value) {
    let number = |place: &str| result.pointer(place).and_then(Value::as_f64).unwrap_or(f64::NAN);
    println!("{:<58}{:>12}{:>12}", "", "measured", "target");
    for (place, words, sign, target) in TARGETS {
        println!("{words:<58}{:>12.1}{:>12}", number(place), format!("{sign} {target}"));
    }
    println!("durable appends a second, and the 99th percentile of one in ms:");
    println!("  {:<12}{:>12}{:>10}{:>12}{:>10}", "senders", "garrison", "p99", "SQLite", "p99");
    for place in 0..3 {
        let of = |name: &str| number(&format!("/appends/{place}/{name}"));
        println!(
            "  {:<12}{:>12.0}{:>10.2}{:>12.0}{:>10.2}",
            of("senders"),
            of("garrison/per_second"),
            of("garrison/p99_ms"),
            of("sqlite/per_second"),
            of("sqlite/p99_ms")
        );
    }
    println!("beside DuckDB and chDB on the same files, in ms of CPU:");
    println!("  {:<20}{:>10}{:>10}{:>10}", "", "garrison", "DuckDB", "chDB");
    for name in ["absent ip", "rare word", "histogram", "top users"] {
        let of = |who: &str| number(&format!("/queries/{name}/{who}_cpu_ms"));
        println!("  {name:<20}{:>10.1}{:>10.1}{:>10.1}", of("garrison"), of("duckdb"), of("chdb"));
    }
}
