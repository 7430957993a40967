//! `garrison key` on the server, as clap sees it.

use clap::{Args, Subcommand, ValueEnum};
use jiff::civil::Date;
use serde::Serialize;

use super::{ClientArgs, ListArgs};

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum KeyClass {
    /// Security records: no key of theirs is ever destroyed
    Security,
    /// Data of a customer, which is destroyed when it must be
    Customer,
}

// No doc comment: it would take the place of the words of the command that this is flattened into.
#[derive(Debug, Subcommand)]
pub enum KeyServerCommand {
    Rotate(KeyRotateArgs),
    Classify(KeyClassifyArgs),
    Destroy(KeyDestroyArgs),
    History(KeyHistoryArgs),
}

/// Make a new version of the tenant's key, which wraps all other keys
///
/// No stored data is written again. The older versions stay, so that backups can be read.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison key rotate --class security
  garrison key rotate --class customer

Exit codes: 0 it is being done, 5 not allowed, 6 it waits for approval.")]
pub struct KeyRotateArgs {
    /// Which key of the tenant
    #[arg(long, value_enum, value_name = "CLASS")]
    pub class: KeyClass,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Say what a stream of logs holds: security records, or data of a customer
///
/// It counts from the next day on (UTC); days that have begun keep what they are. Every stream holds security records
/// until somebody says otherwise.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison key classify shop-orders customer
  garrison key classify shop-orders security

Exit codes: 0 done, 5 not allowed, 6 it waits for approval.")]
pub struct KeyClassifyArgs {
    /// The stream
    #[arg(value_name = "STREAM")]
    pub stream: String,

    /// What it holds
    #[arg(value_enum, value_name = "CLASS")]
    pub class: KeyClass,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Destroy a customer's data of some days: nobody can read it again, from no copy
///
/// The keys of these days are thrown away, all other keys of the class are wrapped anew, and the versions of the tenant's
/// key that wrapped them are destroyed in keys.store. Days that hold security records are refused. A certificate is
/// made: `garrison key history` shows it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison key destroy shop-orders --to 2026-08-31 --reason \"the contract has ended\"
  garrison key destroy shop-orders --from 2026-08-01 --to 2026-08-07 --reason \"asked for by the customer\"

Exit codes: 0 it is being done, 2 there is nothing, or the day is not over, 5 not allowed,
6 it waits for approval, 7 there are security records, or a hold.")]
pub struct KeyDestroyArgs {
    /// The stream
    #[arg(value_name = "STREAM")]
    pub stream: String,

    /// The first day (UTC); the first of all where nothing is said
    #[arg(long, value_name = "DATE")]
    pub from: Option<Date>,

    /// The last day (UTC)
    #[arg(long, value_name = "DATE")]
    pub to: Date,

    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// List rotations and destructions of keys, newest first, with the certificates
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison key history
  garrison key history --change kch_01JDG4Q4ZK8V3T6W0R2Y5X7B9C -o json")]
pub struct KeyHistoryArgs {
    /// Only this one, by id
    #[arg(long, value_name = "CHANGE")]
    pub change: Option<String>,

    #[command(flatten)]
    pub list: ListArgs,
}
