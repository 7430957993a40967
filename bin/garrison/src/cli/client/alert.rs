//! `garrison alert` and `delivery`, as clap sees them.

use clap::{Args, Subcommand};

use super::{ClientArgs, ListArgs};

/// Alerts: what the rules found in the logs
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  garrison alert list --state open --level high
  garrison alert show alr_01JDG4Q4ZK8V3T6W0R2Y5X7B9C
  garrison alert close alr_01JDG4Q4ZK8V3T6W0R2Y5X7B9C --reason benign --note \"our own scan\"")]
pub enum AlertCommand {
    List(AlertListArgs),
    Show(AlertShowArgs),
    Acknowledge(AlertAcknowledgeArgs),
    Close(AlertCloseArgs),
    Reopen(AlertReopenArgs),
    Assign(AlertAssignArgs),
}

/// List alerts, the last seen first
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison alert list --state open
  garrison alert list --level high --node acme/shop --limit 0 -o ndjson
  garrison alert list --entity 203.0.113.24
  garrison alert list --query 'is:unassigned level>=medium last_seen>now-1h'")]
pub struct AlertListArgs {
    /// Only those that this query finds, in the language of `garrison log search`, over title, rule, level, state,
    /// entity, host, user, ip, node, assignee, count, `first_seen`, `last_seen` and reason
    #[arg(long, value_name = "QUERY")]
    pub query: Option<String>,

    /// Only those in this state
    #[arg(long, value_name = "STATE", value_parser = ["open", "acknowledged", "closed"])]
    pub state: Option<String>,

    /// Only those that are at least so severe
    #[arg(long, value_name = "LEVEL", value_parser = ["informational", "low", "medium", "high", "critical"])]
    pub level: Option<String>,

    /// Only those of this rule, by its id
    #[arg(long, value_name = "RULE")]
    pub rule: Option<String>,

    /// Only those about this host, user, address or source
    #[arg(long, value_name = "ENTITY")]
    pub entity: Option<String>,

    /// Only those at this node and below, by path or id
    #[arg(long, value_name = "NODE")]
    pub node: Option<String>,

    #[command(flatten)]
    pub list: ListArgs,
}

/// Show one alert: its first and last events, and why they matched
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison alert show alr_01JDG4Q4ZK8V3T6W0R2Y5X7B9C
  garrison alert show alr_01JDG4Q4ZK8V3T6W0R2Y5X7B9C -o json")]
pub struct AlertShowArgs {
    /// The alert, by id
    #[arg(value_name = "ALERT")]
    pub alert: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Say that somebody looks at alerts
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison alert acknowledge alr_01JDG4Q4ZK8V3T6W0R2Y5X7B9C

Exit codes: 0 done, 6 it waits for approval, 7 an alert is in another state, 9 some were done and some not.")]
pub struct AlertAcknowledgeArgs {
    /// The alerts, by id
    #[arg(value_name = "ALERT", required = true)]
    pub alerts: Vec<String>,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Close alerts, with what they turned out to be; what comes after is a new alert
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison alert close alr_01JDG4Q4ZK8V3T6W0R2Y5X7B9C --reason benign --note \"our own scan\"

Exit codes: 0 done, 6 it waits for approval, 7 an alert is in another state, 9 some were done and some not.")]
pub struct AlertCloseArgs {
    /// The alerts, by id
    #[arg(value_name = "ALERT", required = true)]
    pub alerts: Vec<String>,

    /// What it turned out to be
    #[arg(long, value_name = "REASON", value_parser = ["true_positive", "false_positive", "benign", "duplicate"])]
    pub reason: String,

    /// What was found out
    #[arg(long, value_name = "TEXT")]
    pub note: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Open an alert again that was acknowledged or closed
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison alert reopen alr_01JDG4Q4ZK8V3T6W0R2Y5X7B9C")]
pub struct AlertReopenArgs {
    /// The alert, by id
    #[arg(value_name = "ALERT")]
    pub alert: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Give an alert to a person, or to nobody
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison alert assign alr_01JDG4Q4ZK8V3T6W0R2Y5X7B9C --to me
  garrison alert assign alr_01JDG4Q4ZK8V3T6W0R2Y5X7B9C --to nobody")]
pub struct AlertAssignArgs {
    /// The alert, by id
    #[arg(value_name = "ALERT")]
    pub alert: String,

    /// To whom: a person by name or id, `me`, or `nobody`
    #[arg(long, value_name = "PERSON")]
    pub to: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Notices of alerts to people and to other programs
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  garrison delivery list --state failed")]
pub enum DeliveryCommand {
    List(DeliveryListArgs),
}

/// List notices, newest first: what waits, was sent or failed
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison delivery list --state failed
  garrison delivery list --alert alr_01JDG4Q4ZK8V3T6W0R2Y5X7B9C -o json")]
pub struct DeliveryListArgs {
    /// Only those in this state
    #[arg(long, value_name = "STATE", value_parser = ["waiting", "sent", "failed"])]
    pub state: Option<String>,

    /// Only those to this target of the configuration
    #[arg(long, value_name = "NAME")]
    pub target: Option<String>,

    /// Only those of this alert, by id
    #[arg(long, value_name = "ALERT")]
    pub alert: Option<String>,

    #[command(flatten)]
    pub list: ListArgs,
}
