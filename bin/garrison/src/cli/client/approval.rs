//! `garrison approval` and `approval-rule`, as clap sees them.

use clap::{Args, Subcommand};

use super::{ClientArgs, ListArgs};

/// Requests that wait for approvals
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  garrison approval list --state open
  garrison approval approve req_01JDG4Q4ZK8V3T6W0R2Y5X7B9C")]
pub enum ApprovalCommand {
    List(ApprovalListArgs),
    Show(ApprovalShowArgs),
    Approve(ApproveArgs),
    Reject(ApprovalRejectArgs),
    Withdraw(ApprovalWithdrawArgs),
    Output(ApprovalOutputArgs),
}

/// List requests, newest first
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison approval list --state open")]
pub struct ApprovalListArgs {
    /// Only those in this state
    #[arg(long, value_name = "STATE", value_parser = ["open", "done", "rejected", "withdrawn", "expired", "refused", "failed"])]
    pub state: Option<String>,

    #[command(flatten)]
    pub list: ListArgs,
}

/// Show one request: what will be done, and who has approved
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison approval show req_01JDG4Q4ZK8V3T6W0R2Y5X7B9C
  garrison approval show req_01JDG4Q4ZK8V3T6W0R2Y5X7B9C -o json")]
pub struct ApprovalShowArgs {
    /// The request, by id
    #[arg(value_name = "REQUEST")]
    pub approval: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Fill a slot of a request, after looking at exactly what will be done
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison approval approve req_01JDG4Q4ZK8V3T6W0R2Y5X7B9C
  garrison approval approve req_01JDG4Q4ZK8V3T6W0R2Y5X7B9C --slot owner --opinion \"as agreed\" --yes

Exit codes: 0 approved, 5 not allowed, 7 it was decided already or has changed, 130 the answer was no.")]
pub struct ApproveArgs {
    /// The request, by id
    #[arg(value_name = "REQUEST")]
    pub approval: String,

    /// Which slot; the first that one may fill where nothing is said
    #[arg(long, value_name = "SLOT")]
    pub slot: Option<String>,

    /// One's opinion, which is recorded; asked for where nothing is said
    #[arg(long, value_name = "TEXT")]
    pub opinion: Option<String>,

    /// Do not ask
    #[arg(long)]
    pub yes: bool,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Say no to a request
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison approval reject req_01JDG4Q4ZK8V3T6W0R2Y5X7B9C --reason \"not before Monday\"")]
pub struct ApprovalRejectArgs {
    /// The request, by id
    #[arg(value_name = "REQUEST")]
    pub approval: String,

    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Take one's own request back
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison approval withdraw req_01JDG4Q4ZK8V3T6W0R2Y5X7B9C --reason \"asked twice\"")]
pub struct ApprovalWithdrawArgs {
    /// The request, by id
    #[arg(value_name = "REQUEST")]
    pub approval: String,

    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Take what an approved request of one's own has brought; it is there once
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison approval output req_01JDG4Q4ZK8V3T6W0R2Y5X7B9C -o json")]
pub struct ApprovalOutputArgs {
    /// The request, by id
    #[arg(value_name = "REQUEST")]
    pub approval: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Which operations wait for whose approval
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  garrison approval-rule list
  garrison approval-rule set acme grant:create --slot owner=decision")]
pub enum ApprovalRuleCommand {
    List(ApprovalRuleListArgs),
    Set(ApprovalRuleSetArgs),
}

/// List the approval rules
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison approval-rule list")]
pub struct ApprovalRuleListArgs {
    #[command(flatten)]
    pub client: ClientArgs,
}

/// Demand approvals for an operation at a node and below
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison approval-rule set acme grant:create --slot owner=decision --slot second=management
  garrison approval-rule set acme grant:create --none")]
pub struct ApprovalRuleSetArgs {
    /// The node, by path or id
    #[arg(value_name = "NODE")]
    pub node: String,

    /// The operation, such as grant:create
    #[arg(value_name = "VERB")]
    pub verb: String,

    /// A slot, and the role of whoever fills it; may be given several times, each is filled by another person
    #[arg(long = "slot", value_name = "NAME=ROLE", value_parser = slot, required_unless_present = "none")]
    pub slots: Vec<(String, String)>,

    /// Take the rule of this node away
    #[arg(long, conflicts_with = "slots")]
    pub none: bool,

    #[command(flatten)]
    pub client: ClientArgs,
}

fn slot(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, role)) if !name.is_empty() && !role.is_empty() => Ok((name.to_owned(), role.to_owned())),
        _ => Err("write NAME=ROLE, such as owner=decision".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_has_a_name_and_a_role() {
        assert_eq!(slot("owner=decision"), Ok(("owner".to_owned(), "decision".to_owned())));
        for bad in ["owner", "owner=", "=decision", ""] {
            assert!(slot(bad).is_err(), "{bad}");
        }
    }
}
