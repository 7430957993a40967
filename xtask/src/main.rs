//! Tasks of the repository: `cargo xtask tidy|bench|openapi|fuzz`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a task speaks to whoever runs it")]

mod access;
#[expect(clippy::indexing_slicing, reason = "indexing JSON answers null for what is missing")]
mod bench;
mod console;
mod fuzz;
mod intake;
mod journal;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, bail};
use clap::{Parser, ValueEnum};

/// Tasks of the repository.
#[derive(Parser)]
enum Task {
    /// Check what the compiler does not: arrows between crates, lengths, words that do not belong here
    Tidy {
        /// Write down what is too long today as the new limit
        #[arg(long)]
        bless: bool,
    },
    /// Measure beside peers
    Bench {
        /// What to measure
        #[arg(value_enum)]
        area: Area,
        /// How to print
        #[arg(short, long, value_enum, default_value = "table")]
        output: Output,
        /// A file of events, one JSON object a line, plain or compressed by zstd
        #[arg(long)]
        events: Option<PathBuf>,
        /// Folders of Sigma rules
        #[arg(long)]
        rules: Vec<PathBuf>,
        /// Another program than the one that is built from here: its console is measured
        #[arg(long)]
        program: Option<PathBuf>,
    },
    /// Write openapi.json anew, as the server serves it
    Openapi,
    /// Feed every parser of strangers' bytes with mutated input
    Fuzz {
        /// Seconds for each target
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// Only this target
        #[arg(long)]
        target: Option<String>,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Area {
    /// Sigma rules over events
    Detection,
    /// Decisions, acts, a level of the tree, the server's start and memory
    Access,
    /// Logs: made durable, over the wire, found, judged, asked; beside three databases
    Intake,
    /// The tree over records beside ct-merkle, verifying, questions over sealed files beside unsealed ones
    Journal,
    /// The pages in Chromium: opened, scrolled, asked, beside a plain page
    Console,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    Table,
    Json,
}

fn main() -> ExitCode {
    let done = match Task::parse() {
        Task::Tidy { bless } => tidy::run(&root(), bless),
        Task::Bench { area: Area::Detection, output, events, rules, .. } => {
            bench::detection(&root(), output, events, rules)
        }
        Task::Bench { area: Area::Access, output, .. } => access::bench(&root(), output),
        Task::Bench { area: Area::Intake, output, .. } => intake::bench(&root(), output),
        Task::Bench { area: Area::Journal, output, .. } => journal::bench(&root(), output),
        Task::Bench { area: Area::Console, output, program, .. } => console::bench(&root(), output, program),
        Task::Openapi => openapi(&root()),
        Task::Fuzz { seconds, target } => fuzz::run(&root(), seconds, target.as_deref()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The test that compares the document writes it instead.
fn openapi(root: &Path) -> anyhow::Result<()> {
    let test =
        ["test", "--quiet", "--package", "garrison", "--test", "api", "the_document_that_is_checked_in"];
    output(Command::new("cargo").args(test).env("GARRISON_WRITE_OPENAPI", "1").current_dir(root)).map(|_| ())
}

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Runs a command; answers what it printed on standard output.
fn output(command: &mut Command) -> anyhow::Result<String> {
    let shown = format!("{command:?}");
    let output = command
        .stderr(std::process::Stdio::inherit())
        .output()
        .with_context(|| format!("running {shown}"))?;
    if !output.status.success() {
        bail!("{shown} ended with {}", output.status);
    }
    String::from_utf8(output.stdout).context("the output is not text")
}
