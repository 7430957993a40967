//! `garrison session`, `password` and `token`, as clap sees them.

use clap::{Args, Subcommand};

use super::ClientArgs;

/// One's own sessions
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  garrison session list")]
pub enum SessionCommand {
    List(SessionListArgs),
    End(SessionEndArgs),
}

/// List one's own sessions
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison session list")]
pub struct SessionListArgs {
    #[command(flatten)]
    pub client: ClientArgs,
}

/// End a session
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison session end ses_01JDG4Q4ZK8V3T6W0R2Y5X7B9C")]
pub struct SessionEndArgs {
    /// The session, by id
    #[arg(value_name = "SESSION")]
    pub session: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// One's own password
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  garrison password change")]
pub enum PasswordCommand {
    Change(PasswordChangeArgs),
}

/// Change one's own password; every other session ends
///
/// Asks for the password that counts now and for the new one; where standard input is no terminal, they are
/// its first two lines.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison password change")]
pub struct PasswordChangeArgs {
    #[command(flatten)]
    pub client: ClientArgs,
}

/// API tokens, for programs
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  garrison token list
  garrison token create --name backup --verb node:list --node acme")]
pub enum TokenCommand {
    List(TokenListArgs),
    Create(TokenCreateArgs),
    End(TokenEndArgs),
}

/// List one's own API tokens, or those of a service account that one owns
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison token list
  garrison token list --for deployer")]
pub struct TokenListArgs {
    /// Of this service account, by name or id
    #[arg(long = "for", value_name = "WHO")]
    pub actor: Option<String>,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Make an API token; it is printed this once, alone on standard output
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison token create --name backup --verb node:list --node acme > token
  garrison token create --name deploy --for deployer --verb \"node:*\" --node acme/shop --days 30")]
pub struct TokenCreateArgs {
    /// What it is called
    #[arg(long, value_name = "NAME")]
    pub name: String,

    /// What it may do at most: `node:list`, `node:*`, or `*` for everything; may be given several times
    #[arg(long = "verb", value_name = "VERB", required = true)]
    pub verbs: Vec<String>,

    /// Where at most, by path or id
    #[arg(long, value_name = "NODE")]
    pub node: String,

    /// In how many days it ends
    #[arg(long, value_name = "N", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=365))]
    pub days: u32,

    /// On whose behalf it acts: oneself, or a service account that one owns
    #[arg(long = "for", value_name = "WHO", default_value = "me")]
    pub actor: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// End an API token
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison token end tok_01JDG4Q4ZK8V3T6W0R2Y5X7B9C")]
pub struct TokenEndArgs {
    /// The token, by id
    #[arg(value_name = "TOKEN")]
    pub token: String,

    #[command(flatten)]
    pub client: ClientArgs,
}
