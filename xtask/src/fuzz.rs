//! `cargo xtask fuzz`: libFuzzer over every parser of strangers' bytes.
//!
//! Coverage instrumentation needs only stable compiler flags, so no nightly toolchain and no cargo-fuzz is
//! needed; the flags are those that cargo-fuzz passes, without the address sanitizer, which safe code does
//! not need. The corpus in `fuzz/corpus/TARGET` is where each run begins; new inputs go to `fuzz/target/found`,
//! inputs that found a defect to `fuzz/artifacts`.

use std::path::Path;
use std::process::{Child, Command};

use anyhow::{Context as _, bail};

use crate::output;

const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";

/// Fuzzes that run at the same time.
const AT_ONCE: usize = 2;

/// Runs every target, or one, for so many seconds.
pub fn run(root: &Path, seconds: u64, only: Option<&str>) -> anyhow::Result<()> {
    let fuzz = root.join("fuzz");
    let targets = targets(&fuzz, only)?;
    let mut build = Command::new("cargo");
    // The target triple keeps the flags away from build scripts and macros.
    let triple = host_triple()?;
    build
        .args(["build", "--release", "--quiet", "--bins", "--target", &triple])
        .current_dir(&fuzz)
        .env("RUSTFLAGS", FLAGS);
    eprintln!("building {} fuzz targets", targets.len());
    output(&mut build)?;
    let binaries = fuzz.join("target").join(triple).join("release");
    let mut failed = Vec::new();
    for batch in targets.chunks(AT_ONCE) {
        let start = |target: &String| start(&fuzz, &binaries.join(target), target, seconds);
        let running = batch.iter().map(start).collect::<Result<Vec<_>, _>>()?;
        for (target, mut child) in batch.iter().zip(running) {
            let status = child.wait().with_context(|| format!("waiting for {target}"))?;
            println!(
                "fuzz {target}: {}",
                if status.success() { "nothing found" } else { "FAILED, see above" }
            );
            if !status.success() {
                failed.push(target.as_str());
            }
        }
    }
    if failed.is_empty() {
        Ok(())
    } else {
        bail!("found by fuzzing {}: the input is in fuzz/artifacts", failed.join(", "))
    }
}

fn targets(fuzz: &Path, only: Option<&str>) -> anyhow::Result<Vec<String>> {
    let mut targets = Vec::new();
    for entry in std::fs::read_dir(fuzz.join("targets")).context("reading fuzz/targets")? {
        let path = entry?.path();
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned());
        targets.extend(name.filter(|name| only.is_none_or(|only| only == name)));
    }
    targets.sort();
    if targets.is_empty() {
        bail!("there is no such fuzz target");
    }
    Ok(targets)
}

fn start(fuzz: &Path, binary: &Path, target: &str, seconds: u64) -> anyhow::Result<Child> {
    let artifacts = fuzz.join("artifacts").join(target);
    let found = fuzz.join("target/found").join(target);
    std::fs::create_dir_all(&artifacts).context("making the folder for artifacts")?;
    std::fs::create_dir_all(&found).context("making the folder for new inputs")?;
    println!("fuzz {target}: {seconds} s");
    Command::new(binary)
        .arg(&found)
        .arg(fuzz.join("corpus").join(target))
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .args(["-max_len=65536", "-timeout=10", "-rss_limit_mb=2048", "-verbosity=0", "-print_final_stats=1"])
        .spawn()
        .with_context(|| format!("starting {target}"))
}

fn host_triple() -> anyhow::Result<String> {
    let text = output(Command::new("rustc").arg("-vV"))?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc does not name its host")
}
