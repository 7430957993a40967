//! `garrison hunt`, as clap sees it.

use std::path::PathBuf;

use clap::Args;
use garrison_sigma::Level;

use super::{OutputArgs, RuleArgs};
use crate::hunt::time::{When, Zone};

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
