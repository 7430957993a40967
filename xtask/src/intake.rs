//! `cargo xtask bench intake`: a running server fed over its real sockets, then asked; beside DuckDB on the same files.

use std::path::Path;
use std::process::Command;

use anyhow::Context as _;
use serde_json::Value;

use crate::{Output, output};

/// Events that questions are asked over.
const EVENTS: &str = "10000000";

/// What was asked for: place in the JSON, words, target, whether more is better.
const TARGETS: [(&str, &str, f64, bool); 10] = [
    (
        "/syslog_tcp/events_per_second",
        "events a second over syslog TCP, decoded, judged, found",
        50_000.0,
        true,
    ),
    ("/http/events_per_second", "events a second over HTTP, decoded, judged, found", 50_000.0, true),
    ("/latency/found_worst_s", "an event until it is found, worst of 20, seconds", 1.0, false),
    ("/latency/alert_worst_s", "an event until its alert, worst of 20, seconds", 1.0, false),
    ("/resident_full/VmHWM", "resident memory at most, MiB", 600.0, false),
    ("/lake/bytes_per_event", "bytes on the disk for an event of 400", 60.0, false),
    ("/queries/absent ip/garrison_ms", "absent address in 10 million events, ms", 50.0, false),
    ("/queries/rare word/garrison_ms", "rare word, ms", 150.0, false),
    ("/queries/histogram/garrison_ms", "histogram by the minute, ms", 300.0, false),
    ("/queries/top users/garrison_ms", "the ten users with most events, ms", f64::NAN, false),
];

/// Runs it, and prints what was measured beside the targets.
pub fn bench(root: &Path, format: Output) -> anyhow::Result<()> {
    eprintln!("building (release, half an hour the first time)");
    output(
        Command::new("cargo").args(["build", "--release", "--quiet", "--bin", "garrison"]).current_dir(root),
    )?;
    let venv = root.join("target/bench-venv");
    if !venv.exists() {
        eprintln!("installing DuckDB");
        output(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
        output(Command::new(venv.join("bin/pip")).args([
            "install",
            "--quiet",
            "duckdb==2.0.0",
            "pytz==2026.6",
        ]))?;
    }
    let text = output(
        Command::new(venv.join("bin/python"))
            .arg(root.join("benches/intake.py"))
            .arg(root.join("target/release/garrison"))
            .arg(EVENTS),
    )?;
    let result: Value = serde_json::from_str(text.trim()).context("the measurement did not print JSON")?;
    match format {
        Output::Json => println!("{result}"),
        Output::Table => table(&result),
    }
    Ok(())
}

fn table(result: &Value) {
    let number = |place: &str| result.pointer(place).and_then(Value::as_f64).unwrap_or(f64::NAN);
    println!("{:<58}{:>12}{:>12}", "", "measured", "target");
    for (place, words, target, more) in TARGETS {
        let sign = if more { ">=" } else { "<" };
        println!("{words:<58}{:>12.1}{:>12}", number(place), format!("{sign} {target}"));
    }
    println!("beside DuckDB on the same files, in ms of CPU:");
    for (name, row) in result["queries"].as_object().into_iter().flatten() {
        println!("  {name:<20}{:>10} {:>10}", row["garrison_cpu_ms"], row["duckdb_cpu_ms"]);
    }
}
