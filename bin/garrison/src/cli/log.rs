//! `garrison log`, as clap sees it.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::OutputArgs;
use super::client::LogServerCommand;

/// Work with logs
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  garrison log search failed --from 2h
  garrison log tail kind:sshd
  garrison log import --source web access.log.gz
  garrison log generate --story shop --attack --out demo")]
pub enum LogCommand {
    Generate(LogGenerateArgs),
    #[command(flatten)]
    Server(LogServerCommand),
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
