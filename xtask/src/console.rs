//! `cargo xtask bench console`: the pages in Chromium over a server with 100,000 alerts and a million events: how soon they
//! can be worked with, how they scroll, how soon a search shows something, what the first load weighs.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::bail;

use crate::{Output, output};

/// Runs it, and prints what was measured beside the targets.
pub fn bench(root: &Path, format: Output, program: Option<PathBuf>) -> anyhow::Result<()> {
    // It also installs what drives the browser.
    output(Command::new(root.join("scripts/console")).current_dir(root))?;
    let program = match program {
        Some(program) if program.exists() => std::path::absolute(program)?,
        Some(program) => bail!("{} is not there", program.display()),
        None => built(root)?,
    };
    let mut measure = Command::new("node");
    measure.arg(root.join("benches/console.mjs")).arg("--program").arg(program);
    if format == Output::Json {
        measure.arg("--json");
    }
    print!("{}", output(&mut measure)?);
    Ok(())
}

fn built(root: &Path) -> anyhow::Result<PathBuf> {
    eprintln!("building (release, half an hour the first time)");
    output(
        Command::new("cargo").args(["build", "--release", "--quiet", "--bin", "garrison"]).current_dir(root),
    )?;
    Ok(root.join("target/release/garrison"))
}
