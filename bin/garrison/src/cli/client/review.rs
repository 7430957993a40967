//! `garrison review`, as clap sees it.

use clap::{ArgGroup, Args, Subcommand};
use jiff::civil::Date;

use super::{ClientArgs, ListArgs};

/// Reviews: each day's operations of high risk, exceptions and a random sample, put before an auditor
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  garrison review list --state overdue
  garrison review show rev_01JDG4Q4ZK8V3T6W0R2Y5X7B9C --undecided
  garrison review note rev_01JDG4Q4ZK8V3T6W0R2Y5X7B9C --operation grant:create --verdict fine --note \"as in case 17\"
  garrison review sign rev_01JDG4Q4ZK8V3T6W0R2Y5X7B9C --opinion \"nothing unusual\"")]
pub enum ReviewCommand {
    List(ReviewListArgs),
    Show(ReviewShowArgs),
    Note(ReviewNoteArgs),
    Sign(ReviewSignArgs),
}

/// List reviews, the newest first
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison review list --state open
  garrison review list --node acme/shop --day 2026-11-22 -o json")]
pub struct ReviewListArgs {
    /// Only those in this state
    #[arg(long, value_name = "STATE", value_parser = ["gathering", "open", "overdue", "signed"])]
    pub state: Option<String>,

    /// Only those at this node and below, by path or id
    #[arg(long, value_name = "NODE")]
    pub node: Option<String>,

    /// Only those of this day (UTC)
    #[arg(long, value_name = "DAY")]
    pub day: Option<Date>,

    #[command(flatten)]
    pub list: ListArgs,
}

/// Show the records that a review puts before an auditor, and what was said of them; that they were read is recorded
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison review show rev_01JDG4Q4ZK8V3T6W0R2Y5X7B9C --undecided
  garrison review show rev_01JDG4Q4ZK8V3T6W0R2Y5X7B9C --operation login:prove --limit 0 -o ndjson")]
pub struct ReviewShowArgs {
    /// The review, by id
    #[arg(value_name = "REVIEW")]
    pub review: String,

    /// Only items that have no verdict yet
    #[arg(long)]
    pub undecided: bool,

    /// Only items of this operation
    #[arg(long, value_name = "OPERATION")]
    pub operation: Option<String>,

    #[command(flatten)]
    pub list: ListArgs,
}

/// Say what items of a review are, in place of what was said of them before
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("which").required(true).args(["items", "operation"]),
    after_help = "Examples:
  garrison review note rev_01JDG4Q4ZK8V3T6W0R2Y5X7B9C --item 1207 --verdict finding --note \"nobody asked for this grant\"
  garrison review note rev_01JDG4Q4ZK8V3T6W0R2Y5X7B9C --operation login:prove --verdict fine --note \"mistyped\"

Exit codes: 0 noted, 2 there is no such item, 5 not allowed, 6 it waits for approval, 7 it is signed already."
)]
pub struct ReviewNoteArgs {
    /// The review, by id
    #[arg(value_name = "REVIEW")]
    pub review: String,

    /// An item, by the number of its record; may be repeated
    #[arg(long = "item", value_name = "SEQ")]
    pub items: Vec<i64>,

    /// All items of this operation that have no verdict yet, a thousand at once
    #[arg(long, value_name = "OPERATION")]
    pub operation: Option<String>,

    /// Whether they are as they should be, or somebody must look after them
    #[arg(long, value_name = "VERDICT", value_parser = ["fine", "finding"])]
    pub verdict: String,

    /// Why
    #[arg(long, value_name = "TEXT")]
    pub note: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Sign a review, all of whose items have a verdict; nothing of it changes after that
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison review sign rev_01JDG4Q4ZK8V3T6W0R2Y5X7B9C --opinion \"nothing unusual\"

Exit codes: 0 signed, 5 not an auditor, or one who has a part in it, 6 it waits for approval, 7 items have no verdict, or
it is signed already.")]
pub struct ReviewSignArgs {
    /// The review, by id
    #[arg(value_name = "REVIEW")]
    pub review: String,

    /// What you think of the day
    #[arg(long, value_name = "TEXT")]
    pub opinion: String,

    #[command(flatten)]
    pub client: ClientArgs,
}
