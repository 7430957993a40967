//! `garrison evidence`, as clap sees it.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::ClientArgs;
use crate::cli::OutputArgs;
use crate::hunt::time::When;

/// Records with their proofs in one file, for an auditor or anybody else without a server
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  garrison evidence pack --query 'verb:grant*' --from 2026-01-01 --to 2026-04-01 --out grants.zip
  garrison evidence verify grants.zip --key garrison/3f2a...+5d1c...+AQ...")]
pub enum EvidenceCommand {
    Pack(EvidencePackArgs),
    Verify(EvidenceVerifyArgs),
}

/// Take records of the audit log out, with their proofs and a report that a person can read
///
/// The filter is in the language of `garrison log search`, over the fields of records: verb, actor, group, ip, object,
/// node, method, result, reason, time, content.NAME and what else `audit show` prints. All records are proven under one
/// checkpoint. The file is checked before it is written. It is an ordinary ZIP file; report.html in it tells what it proves.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison evidence pack --query 'verb:grant*' --from 2026-01-01 --to 2026-04-01 --out grants.zip
  garrison evidence pack --query 'actor:anna and result:denied' --from 30d --out anna.zip
  garrison evidence pack --query verb:log:keep --after 4711 --out files-2.zip

Exit codes: 0 all records that fit are in the file, 2 the filter cannot be understood, 4 no record fits, 5 not allowed,
9 the file is full and there are more: it tells how to go on.")]
pub struct EvidencePackArgs {
    /// The filter; every record where nothing is said
    #[arg(long, value_name = "QUERY")]
    pub query: Option<String>,

    /// Only records from this time on: 2026-11-22, 2026-11-22T10:00:00Z, or an age such as 2h or 7d
    #[arg(long, value_name = "TIME")]
    pub from: Option<When>,

    /// Only records before this time
    #[arg(long, value_name = "TIME")]
    pub to: Option<When>,

    /// Only records after this number: where the file before was full
    #[arg(long, value_name = "SEQ")]
    pub after: Option<u64>,

    /// Where to write the pack; an earlier file of that name goes
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Check a pack: every digest, every proof, the signature, and that its report tells of these records and no others
///
/// Needs neither a server nor a secret, nor anything else of whoever made the pack but the public key of the log.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison evidence verify grants.zip --key garrison/3f2a...+5d1c...+AQ...
  garrison evidence verify grants.zip -o json

The key is what `garrison audit checkpoint` prints; take it from whoever runs the server, not from whoever
brings the pack. Without it the key in the pack is used and shown, for you to compare.
Exit codes: 0 the pack holds, 1 the file cannot be read, 2 that is no key, 3 it does not hold: the first wrong place is
named.")]
pub struct EvidenceVerifyArgs {
    /// The pack
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// The public key of the log
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,

    #[command(flatten)]
    pub output: OutputArgs,
}
