//! The command line, as clap sees it.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, CommandFactory as _, Parser, Subcommand};
use garrison_base::Exit;
use garrison_sigma::Level;

use crate::hunt::time::{When, Zone};
use crate::output::Format;

/// Garrison: know what you own, decide who may touch it, record every touch, notice what is wrong.
#[derive(Debug, Parser)]
#[command(
    name = "garrison",
    version,
    max_term_width = 100,
    after_help = "Examples:
  garrison hunt /var/log
  garrison rule list -o json
  garrison log generate --story shop --attack | garrison hunt -

Exit codes: 0 done, nothing found; 1 something failed or could not be read; 2 wrong usage;
3 something was found; 4 what was asked for does not exist."
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Hunt(HuntArgs),
    #[command(subcommand)]
    Rule(RuleCommand),
    #[command(subcommand)]
    Log(LogCommand),
    Completion(CompletionArgs),
    Man(ManArgs),
    Version(VersionArgs),
}

/// How data is printed.
#[derive(Debug, Args)]
pub struct OutputArgs {
    /// How to print: a table for people, the others for programs
    #[arg(short, long, value_enum, default_value = "table")]
    pub output: Format,
}

/// Find attacks in log files by Sigma rules
///
/// Reads text logs (syslog, auditd, access logs, JSON, key=value), Windows event files (EVTX), and any of
/// these compressed by gzip or zstd. The format is recognised for each event. Findings go to standard
/// output, words and progress to standard error.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison hunt /var/log
  garrison hunt --rules my-rules --level high auth.log access.log.gz
  journalctl -o json --since today | garrison hunt -
  garrison hunt -o ndjson --from 2026-11-20 --to 2026-11-22T12:00:00Z Security.evtx

Exit codes: 0 nothing found, 3 something found, 1 an input could not be read in full (findings in what
could be read are still printed), 2 wrong usage.")]
pub struct HuntArgs {
    /// Files or folders to read; `-` is standard input
    #[arg(required = true, value_name = "FILE|DIR|-")]
    pub inputs: Vec<PathBuf>,

    #[command(flatten)]
    pub rules: RuleArgs,

    /// Only rules of at least this level
    #[arg(long, value_name = "LEVEL", default_value = "informational")]
    pub level: Level,

    /// Only events from this time on: 2026-11-22, 2026-11-22T10:00:00Z, or an age such as 2h or 7d
    #[arg(long, value_name = "TIME")]
    pub from: Option<When>,

    /// Only events before this time
    #[arg(long, value_name = "TIME")]
    pub to: Option<When>,

    /// Zone of times that do not say it, as an offset from UTC
    #[arg(long, value_name = "+HH:MM", default_value = "+00:00", allow_hyphen_values = true)]
    pub zone: Zone,

    /// Judge every event by every rule, by the event's own field names: no log sources, no field mapping
    #[arg(long)]
    pub ungated: bool,

    /// Print the summary even where standard output is not a terminal
    #[arg(long)]
    pub summary: bool,

    /// Files read at the same time; by default one for each processor
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: Option<u16>,

    #[command(flatten)]
    pub output: OutputArgs,
}

/// Which rules are used.
#[derive(Debug, Args)]
pub struct RuleArgs {
    /// A folder or file of Sigma rules; may be given several times. By default the rules that come with
    /// Garrison
    #[arg(long, value_name = "DIR")]
    pub rules: Vec<PathBuf>,

    /// A YAML file with values for the %placeholders% of rules: a mapping of names to lists
    #[arg(long, value_name = "FILE")]
    pub placeholders: Option<PathBuf>,
}

/// Look at rules, check them, test them
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  garrison rule list
  garrison rule test --rules my-rules")]
pub enum RuleCommand {
    List(RuleListArgs),
    Show(RuleShowArgs),
    Lint(RuleLintArgs),
    Test(RuleTestArgs),
}

/// List rules
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison rule list --level high
  garrison rule list --rules sigma/rules -o csv > rules.csv")]
pub struct RuleListArgs {
    #[command(flatten)]
    pub rules: RuleArgs,

    /// Only rules of at least this level
    #[arg(long, value_name = "LEVEL", default_value = "informational")]
    pub level: Level,

    #[command(flatten)]
    pub output: OutputArgs,
}

/// Show one rule: what it demands, of which fields, and which logs feed it
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison rule show \"root shell opened with sudo\"
  garrison rule show --rules sigma/rules 0d894093-71bc-43c3-8c4d-ecfc28dcf5d9 -o yaml")]
pub struct RuleShowArgs {
    /// The rule's id, or words of its title
    #[arg(value_name = "ID|TITLE")]
    pub name: String,

    #[command(flatten)]
    pub rules: RuleArgs,

    #[command(flatten)]
    pub output: OutputArgs,
}

/// Check rules: what cannot be used, and what is doubtful
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison rule lint --rules my-rules
  garrison rule lint --rules my-rules --strict -o json

Exit codes: 0 every rule can be used, 3 a rule is refused (with --strict: or doubtful).")]
pub struct RuleLintArgs {
    #[command(flatten)]
    pub rules: RuleArgs,

    /// Doubts count as problems
    #[arg(long)]
    pub strict: bool,

    #[command(flatten)]
    pub output: OutputArgs,
}

/// Test rules with the events beside them, or with SigmaHQ's regression data
///
/// A file NAME.test.yml beside NAME.yml holds raw log lines that must match the rule and lines that must
/// not. With --regression, a folder in SigmaHQ's layout is used instead: every info.yml names a rule, and
/// the rule must match the events beside it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison rule test
  garrison rule test --rules my-rules
  garrison rule test --rules sigma/rules --regression sigma/regression_data

The last line on standard error is `N passed, N failed`. Exit codes: 0 all passed, 3 a test failed.")]
pub struct RuleTestArgs {
    #[command(flatten)]
    pub rules: RuleArgs,

    /// A folder in the layout of SigmaHQ's regression data. Without --rules, the folders `rules*` beside
    /// it are used
    #[arg(long, value_name = "DIR")]
    pub regression: Option<PathBuf>,

    #[command(flatten)]
    pub output: OutputArgs,
}

/// Work with logs
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  garrison log generate --story shop --attack --out demo")]
pub enum LogCommand {
    Generate(LogGenerateArgs),
}

/// Write realistic logs of an invented company
///
/// The story `shop` is a day in the life of a web shop with 14 hosts: sshd, sudo, cron, auditd, nginx,
/// the firewall, the kernel, a database, CloudTrail. Without --attack nothing in it is wrong.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison log generate --story shop | head
  garrison log generate --story shop --attack --out demo
  garrison log generate --story shop --events 1000000 --seed 7 -o ndjson")]
pub struct LogGenerateArgs {
    /// Which story
    #[arg(long, value_enum, default_value = "shop")]
    pub story: crate::log::Story,

    /// Weave in an attack from 203.0.113.24: a port scan, failed logins, a success, sudo to root, a cron
    /// job, a web shell
    #[arg(long)]
    pub attack: bool,

    /// How many events, about
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    pub events: u64,

    /// The same seed gives the same logs
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,

    /// The day that the story tells of
    #[arg(long, value_name = "DATE", default_value = "2026-11-20")]
    pub date: jiff::civil::Date,

    /// Write one file for each host and log into this folder, and print what was written
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,

    #[command(flatten)]
    pub output: OutputArgs,
}

/// Print a completion script for a shell
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison completion bash > /etc/bash_completion.d/garrison
  garrison completion zsh > ~/.zfunc/_garrison")]
pub struct CompletionArgs {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// Print the manual page, or write all of them into a folder
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison man | man -l -
  garrison man --dir /usr/local/share/man/man1")]
pub struct ManArgs {
    /// Write a page for each command into this folder
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// Print the version
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison version
  garrison version -o json")]
pub struct VersionArgs {
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Writes the manual.
pub fn man(dir: Option<&Path>) -> anyhow::Result<Exit> {
    match dir {
        Some(dir) => {
            std::fs::create_dir_all(dir).with_context(|| format!("making the folder {}", dir.display()))?;
            clap_mangen::generate_to(Cli::command(), dir)
                .with_context(|| format!("writing manual pages into {}", dir.display()))?;
        }
        None => clap_mangen::Man::new(Cli::command())
            .render(&mut io::stdout())
            .context("printing the manual page")?,
    }
    Ok(Exit::Ok)
}
