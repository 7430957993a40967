//! `garrison retention` and `garrison hold`, as clap sees them.

use clap::{Args, Subcommand};
use jiff::civil::Date;

use super::{ClientArgs, ListArgs};

/// Retention: for how many days the logs of each stream are kept
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  garrison retention list
  garrison retention set auth --days 730")]
pub enum RetentionCommand {
    List(RetentionListArgs),
    Set(RetentionSetArgs),
}

/// List the streams, with the days for which each is kept
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison retention list
  garrison retention list -o json")]
pub struct RetentionListArgs {
    #[command(flatten)]
    pub list: ListArgs,
}

/// Set for how many days a stream is kept; a shorter time counts for what is there already
///
/// What is due is deleted within a day, by an act whose record names each file with its digest. What a hold covers is
/// never due.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison retention set auth --days 730

Exit codes: 0 set, 2 fewer than 180 days, 5 not allowed, 6 it waits for approval.")]
pub struct RetentionSetArgs {
    /// The stream
    #[arg(value_name = "STREAM")]
    pub stream: String,

    /// Days: 180 to 36500
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(180..=36_500))]
    pub days: i64,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Holds: logs that are kept whatever their age
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  garrison hold create --stream auth --from 2026-11-01 --to 2026-11-22 --reason \"case 2026-17\"
  garrison hold list
  garrison hold end hold_01JDG4Q4ZK8V3T6W0R2Y5X7B9C --reason \"the case is closed\"")]
pub enum HoldCommand {
    List(HoldListArgs),
    Create(HoldCreateArgs),
    End(HoldEndArgs),
}

/// List holds, also those that were ended
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison hold list
  garrison hold list -o json")]
pub struct HoldListArgs {
    #[command(flatten)]
    pub list: ListArgs,
}

/// Keep logs whatever their age, until the hold is ended
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison hold create --reason \"audit of 2026\"
  garrison hold create --stream auth --from 2026-11-01 --to 2026-11-22 --reason \"case 2026-17\"

Exit codes: 0 made, 2 there is no such stream, 5 not allowed, 6 it waits for approval.")]
pub struct HoldCreateArgs {
    /// Only the logs of this stream; those of all where nothing is said
    #[arg(long, value_name = "STREAM")]
    pub stream: Option<String>,

    /// The first day (UTC); all before the last where nothing is said
    #[arg(long, value_name = "DAY")]
    pub from: Option<Date>,

    /// The last day (UTC); all after the first where nothing is said
    #[arg(long, value_name = "DAY")]
    pub to: Option<Date>,

    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// End a hold: what it covered is deleted where its time is over
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison hold end hold_01JDG4Q4ZK8V3T6W0R2Y5X7B9C --reason \"the case is closed\"

Exit codes: 0 ended, 2 it was ended before, 4 there is none, 5 not allowed, 6 it waits for approval.")]
pub struct HoldEndArgs {
    /// The hold, by id
    #[arg(value_name = "HOLD")]
    pub hold: String,

    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: String,

    #[command(flatten)]
    pub client: ClientArgs,
}
