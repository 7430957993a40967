//! `garrison grant`, `access` and `audit`, as clap sees them.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use garrison_base::Timestamp;

use super::{ClientArgs, ListArgs};
use crate::cli::{ConfigArgs, OutputArgs};

/// Grants: who holds which role where
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  garrison grant list --node acme/shop
  garrison grant create --holder anna --role operator --node acme/shop --until 90d --duty \"on call\" --reason \"joined the team\"")]
pub enum GrantCommand {
    List(GrantListArgs),
    Create(GrantCreateArgs),
    End(GrantEndArgs),
}

/// List grants
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison grant list --holder anna
  garrison grant list --node acme/shop --ended -o json")]
pub struct GrantListArgs {
    /// Only those of this person, service account or group, by name or id
    #[arg(long, value_name = "WHO")]
    pub holder: Option<String>,

    /// Only those that stand at this node, by path or id
    #[arg(long, value_name = "NODE")]
    pub node: Option<String>,

    /// Also those that have ended
    #[arg(long)]
    pub ended: bool,

    #[command(flatten)]
    pub list: ListArgs,
}

/// Grant a role at a node and below
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison grant create --holder anna --role operator --node acme/shop --until 90d \\
      --duty \"on call\" --reason \"joined the team\"

Exit codes: 0 granted, 5 not allowed, 6 it waits for approval.")]
pub struct GrantCreateArgs {
    /// Who will hold it: a person, a service account or a group, by name or id
    #[arg(long, value_name = "WHO")]
    pub holder: String,

    /// The role
    #[arg(long, value_name = "ROLE")]
    pub role: String,

    /// Where, by path or id
    #[arg(long, value_name = "NODE")]
    pub node: String,

    /// Until when: a time such as 2026-12-31T18:00:00Z, or a span such as 12h, 90d, 4w; without it, until it is ended
    #[arg(long, value_name = "TIME|SPAN", value_parser = until)]
    pub until: Option<Until>,

    /// The duty that it serves
    #[arg(long, value_name = "TEXT")]
    pub duty: String,

    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// When a grant ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// At this time.
    At(Timestamp),
    /// So long from now.
    In {
        /// In hours.
        hours: i64,
    },
}

fn until(text: &str) -> Result<Until, String> {
    if let Ok(time) = text.parse() {
        return Ok(Until::At(time));
    }
    let span = [("h", 1), ("d", 24), ("w", 24 * 7)].into_iter().find_map(|(unit, hours)| {
        let number: i64 = text.strip_suffix(unit)?.parse().ok().filter(|number| *number > 0)?;
        number.checked_mul(hours)
    });
    span.map(|hours| Until::In { hours })
        .ok_or_else(|| "write 2026-12-31T18:00:00Z, 12h, 90d or 4w".to_owned())
}

/// End a grant at once
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison grant end grt_01JDG4Q4ZK8V3T6W0R2Y5X7B9C --reason \"left the team\"")]
pub struct GrantEndArgs {
    /// The grant, by id
    #[arg(value_name = "GRANT")]
    pub grant: String,

    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Why something is allowed, or is not
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  garrison access explain me node:create acme/shop")]
pub enum AccessCommand {
    Explain(AccessExplainArgs),
}

/// Tell which policy and grants decide, or what is missing
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison access explain me node:create acme/shop
  garrison access explain anna grant:end grt_01JDG4Q4ZK8V3T6W0R2Y5X7B9C -o json")]
pub struct AccessExplainArgs {
    /// Who: `me`, or a person or service account by name or id
    #[arg(value_name = "ACTOR")]
    pub actor: String,

    /// To do what, such as node:create
    #[arg(value_name = "VERB")]
    pub verb: String,

    /// On what: a node's path, or an id
    #[arg(value_name = "OBJECT")]
    pub object: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// The audit log; that it was read is recorded too
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  garrison audit list --actor anna
  garrison audit show 42 -o json
  garrison audit prove 42 --out 42.tlog-proof
  garrison audit verify")]
pub enum AuditCommand {
    List(AuditListArgs),
    Show(AuditShowArgs),
    Verify(AuditVerifyArgs),
    Prove(AuditProveArgs),
    Check(AuditCheckArgs),
    Checkpoint(AuditCheckpointArgs),
}

/// List records, newest first
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison audit list --operation grant:create
  garrison audit list --actor anna --result denied --limit 0 -o ndjson")]
pub struct AuditListArgs {
    /// Only this operation, such as grant:create
    #[arg(long, value_name = "VERB")]
    pub operation: Option<String>,

    /// Only of this actor, by name or id
    #[arg(long, value_name = "WHO")]
    pub actor: Option<String>,

    /// Only about this object: a node's path, or an id
    #[arg(long, value_name = "OBJECT")]
    pub object: Option<String>,

    /// Only with this result
    #[arg(long, value_name = "RESULT", value_parser = ["success", "failure", "denied", "waiting"])]
    pub result: Option<String>,

    #[command(flatten)]
    pub list: ListArgs,
}

/// Show one record, with everything in it
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison audit show 42 -o json")]
pub struct AuditShowArgs {
    /// Its number
    #[arg(value_name = "SEQ")]
    pub seq: i64,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Read everything that was sealed again, and name the first place that is not as it was
///
/// Works on the machine itself, also while the server runs or does not start any more: it needs the key file. Reads the
/// journal, makes the tree again and compares it with the checkpoint and its witnesses, compares the database with the
/// journal, and reads the files of logs.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison audit verify
  garrison audit verify --checkpoint /mnt/auditor/checkpoint
  garrison audit verify --from 2026-11-01 --to 2026-11-22 -o json

Exit codes: 0 all is as it was sealed, 1 it could not be looked at, 3 something is not.")]
pub struct AuditVerifyArgs {
    /// Files of logs from this day on
    #[arg(long, value_name = "DAY")]
    pub from: Option<jiff::civil::Date>,

    /// Files of logs up to this day
    #[arg(long, value_name = "DAY")]
    pub to: Option<jiff::civil::Date>,

    /// A checkpoint from elsewhere that must fit too
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,

    #[command(flatten)]
    pub config: ConfigArgs,

    #[command(flatten)]
    pub output: OutputArgs,
}

/// Prove that a record is in the log, for somebody without a server
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison audit prove 42 --out 42.tlog-proof
  garrison audit prove 42 | garrison audit check - --key garrison/...+...+...")]
pub struct AuditProveArgs {
    /// Its number
    #[arg(value_name = "SEQ")]
    pub seq: i64,

    /// Where to write the proof; standard output where nothing is said
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Check a proof; needs neither a server nor a secret
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison audit check 42.tlog-proof --key garrison/3f2a...+5d1c...+AQ...

The key is what `garrison audit checkpoint` prints; take it from whoever runs the server, not from whoever
brings the proof. Exit codes: 0 the proof holds, 3 it does not.")]
pub struct AuditCheckArgs {
    /// The proof; `-` reads standard input
    #[arg(value_name = "PROOF")]
    pub proof: PathBuf,

    /// The public key of the log
    #[arg(long, value_name = "KEY")]
    pub key: String,

    /// The record that it must be of, where the proof does not bring it along
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,

    #[command(flatten)]
    pub output: OutputArgs,
}

/// Show how far the log is sealed, and its public key
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison audit checkpoint
  garrison audit checkpoint -o json | jq -r '.[0].checkpoint' > checkpoint")]
pub struct AuditCheckpointArgs {
    #[command(flatten)]
    pub client: ClientArgs,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_times_or_spans() {
        assert_eq!(until("90d"), Ok(Until::In { hours: 2_160 }));
        assert_eq!(until("4w"), Ok(Until::In { hours: 672 }));
        assert!(matches!(until("2026-12-31T18:00:00Z"), Ok(Until::At(_))));
        for bad in ["", "d", "0d", "-3h", "90", "tomorrow", "9223372036854775807w"] {
            assert!(until(bad).is_err(), "{bad}");
        }
    }
}
