//! `cargo xtask bench journal`: the tree over records beside ct-merkle, verifying, and questions over sealed files beside
//! the same files unsealed.

use std::path::Path;
use std::process::Command;

use anyhow::Context as _;
use serde_json::Value;

use crate::{Output, output};

/// What was asked for: place in the JSON, words, how it is compared, target.
const TARGETS: [(&str, &str, &str, f64); 4] = [
    ("/leaves/garrison_per_cpu_second", "leaves a second, in tiles and signed, one core", ">=", 1_000_000.0),
    ("/files/mb_per_cpu_second", "sealed files verified, MB a second, one core", ">=", 400.0),
    ("/records/mb_per_cpu_second", "records verified against their tree, MB a second", ">=", 400.0),
    ("/questions/ratio", "questions over sealed files, CPU to that unsealed", "<=", 1.1),
];

/// Runs it, and prints what was measured beside the targets.
pub fn bench(root: &Path, format: Output) -> anyhow::Result<()> {
    eprintln!("building (release, half an hour the first time)");
    let bench = ["bench", "--quiet", "--package", "bench-journal", "--bench", "journal"];
    let text = output(Command::new("cargo").args(bench).current_dir(root))?;
    let result: Value = serde_json::from_str(text.trim()).context("the measurement did not print JSON")?;
    match format {
        Output::Json => println!("{result}"),
        Output::Table => table(&result),
    }
    Ok(())
}

fn table(result: &Value) {
    let number = |place: &str| result.pointer(place).and_then(Value::as_f64).unwrap_or(f64::NAN);
    println!("{:<58}{:>12}{:>14}", "", "measured", "target");
    for (place, words, sign, target) in TARGETS {
        let measured = number(place);
        let met = if sign == ">=" { measured >= target } else { measured <= target };
        let judged = if met { "met" } else { "missed" };
        println!("{words:<58}{measured:>12.2}{:>14}  {judged}", format!("{sign} {target}"));
    }
    let peer = number("/leaves/ct_merkle_per_cpu_second");
    println!(
        "ct-merkle takes {peer:.0} of the same leaves a second, without tiles and signatures; ratio {:.2}",
        number("/leaves/garrison_per_cpu_second") / peer
    );
    println!("questions over 2 million events, in ms of CPU:");
    println!("  {:<20}{:>10}{:>10}{:>10}", "", "sealed", "unsealed", "ratio");
    for name in ["absent ip", "rare word", "histogram", "top users"] {
        let of = |which: &str| number(&format!("/questions/each/{name}/{which}_cpu_ms"));
        let (sealed, unsealed) = (of("sealed"), of("unsealed"));
        println!("  {name:<20}{sealed:>10.2}{unsealed:>10.2}{:>10.2}", sealed / unsealed);
    }
    println!("durable appends and intake: `cargo xtask bench intake`");
}
