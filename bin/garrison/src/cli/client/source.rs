//! `garrison source`, as clap sees it.

use clap::{ArgGroup, Args, Subcommand};
use jiff::civil::Date;

use super::{ClientArgs, ListArgs};

/// Sources: where logs come from, and what may come from there
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  garrison source create web --node acme/shop --purpose \"access logs of the shop\"
  garrison source list
  garrison source coverage web")]
pub enum SourceCommand {
    List(SourceListArgs),
    Coverage(SourceCoverageArgs),
    Create(SourceCreateArgs),
    Change(SourceChangeArgs),
    Disable(SourceDisableArgs),
    Enable(SourceEnableArgs),
}

/// List sources, with what was heard from them since the server started
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison source list
  garrison source list --limit 0 -o json")]
pub struct SourceListArgs {
    #[command(flatten)]
    pub list: ListArgs,
}

/// Show what is there of sources, a row for each source and day
///
/// A day (UTC) is whole, partial (and why), missing (the source was active and nothing came), disabled, or open: not over
/// yet.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison source coverage
  garrison source coverage web --from 2026-11-01 --to 2026-11-30")]
pub struct SourceCoverageArgs {
    /// The source, by name or id; all where nothing is said
    #[arg(value_name = "NAME")]
    pub source: Option<String>,

    /// The first day; a week up to the last where nothing is said
    #[arg(long, value_name = "DAY")]
    pub from: Option<Date>,

    /// The last day; today where nothing is said
    #[arg(long, value_name = "DAY")]
    pub to: Option<Date>,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Make a source at a node: who may send there may send to it
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison source create web --node acme/shop --purpose \"access logs of the shop\"
  garrison source create fw --node acme --purpose firewall --stream network --silence-minutes 15

Exit codes: 0 made, 5 not allowed, 6 it waits for approval, 7 the name is taken.")]
pub struct SourceCreateArgs {
    /// Its name: a-z, 0-9, `.`, `_` and `-`
    #[arg(value_name = "NAME")]
    pub name: String,

    /// Where, by path or id: who may see this node sees its events
    #[arg(long, value_name = "NODE")]
    pub node: String,

    /// What it is
    #[arg(long, value_name = "TEXT")]
    pub purpose: String,

    /// The stream that its events go to: what is kept together, and as long; `logs` where nothing is said
    #[arg(long, value_name = "STREAM")]
    pub stream: Option<String>,

    /// Events that it may bring in a second; as many as it likes where nothing is said
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..=10_000_000))]
    pub rate_limit: Option<i64>,

    /// After so many minutes without an event it counts as silent; never where nothing is said
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..=100_000))]
    pub silence_minutes: Option<i64>,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Change what is known of a source, and its limits
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("change").required(true).multiple(true)
    .args(["purpose", "rate_limit", "silence_minutes"]))]
#[command(after_help = "Examples:
  garrison source change web --rate-limit 5000
  garrison source change web --rate-limit 0 --silence-minutes 30")]
pub struct SourceChangeArgs {
    /// The source, by name or id
    #[arg(value_name = "NAME")]
    pub source: String,

    /// What it is
    #[arg(long, value_name = "TEXT")]
    pub purpose: Option<String>,

    /// Events that it may bring in a second; 0 for no limit
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(0..=10_000_000))]
    pub rate_limit: Option<i64>,

    /// After so many minutes without an event it counts as silent; 0 for never
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(0..=100_000))]
    pub silence_minutes: Option<i64>,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Take nothing more from a source; what it brought stays
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison source disable web")]
pub struct SourceDisableArgs {
    /// The source, by name or id
    #[arg(value_name = "NAME")]
    pub source: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Take events of a source again
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison source enable web")]
pub struct SourceEnableArgs {
    /// The source, by name or id
    #[arg(value_name = "NAME")]
    pub source: String,

    #[command(flatten)]
    pub client: ClientArgs,
}
