//! `garrison user`, `service`, `group` and `post`, as clap sees them.

use clap::{Args, Subcommand};

use super::{ClientArgs, ListArgs};

/// People
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  garrison user list
  garrison user create anna --full-name \"Anna Berg\" --email anna@acme.example
  garrison user invite anna")]
pub enum UserCommand {
    List(UserListArgs),
    Show(UserShowArgs),
    Create(UserCreateArgs),
    Change(UserChangeArgs),
    Disable(UserDisableArgs),
    Enable(UserEnableArgs),
    Invite(UserInviteArgs),
    Sessions(UserSessionsArgs),
}

/// List people
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison user list
  garrison user list --text berg --limit 0 -o csv")]
pub struct UserListArgs {
    /// Only those whose name, full name or address holds this
    #[arg(long, value_name = "TEXT")]
    pub text: Option<String>,

    #[command(flatten)]
    pub list: ListArgs,
}

/// Show one person
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison user show anna")]
pub struct UserShowArgs {
    /// Who: a name or id
    #[arg(value_name = "WHO")]
    pub who: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Make a person known; `invite` lets the person log in
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison user create anna --full-name \"Anna Berg\" --email anna@acme.example")]
pub struct UserCreateArgs {
    /// The name to log in with
    #[arg(value_name = "NAME")]
    pub name: String,

    /// The full name
    #[arg(long, value_name = "NAME")]
    pub full_name: String,

    /// Where mail reaches the person
    #[arg(long, value_name = "ADDRESS")]
    pub email: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Change what is known of a person
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison user change anna --email anna.berg@acme.example")]
pub struct UserChangeArgs {
    /// Who: a name or id
    #[arg(value_name = "WHO")]
    pub who: String,

    /// The full name
    #[arg(long, value_name = "NAME", required_unless_present = "email")]
    pub full_name: Option<String>,

    /// Where mail reaches the person
    #[arg(long, value_name = "ADDRESS")]
    pub email: Option<String>,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Disable a person: everything is denied from now on, sessions and tokens end
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison user disable anna")]
pub struct UserDisableArgs {
    /// Who: a name or id
    #[arg(value_name = "WHO")]
    pub who: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Enable a person again; sessions and tokens that ended stay ended
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison user enable anna")]
pub struct UserEnableArgs {
    /// Who: a name or id
    #[arg(value_name = "WHO")]
    pub who: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Make a one-time link by which a person sets up the account, or replaces what was lost
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison user invite anna")]
pub struct UserInviteArgs {
    /// Who: a name or id
    #[arg(value_name = "WHO")]
    pub who: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// List the sessions of a person
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison user sessions anna")]
pub struct UserSessionsArgs {
    /// Who: a name or id
    #[arg(value_name = "WHO")]
    pub who: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Service accounts: for programs, each with a person who answers for it
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  garrison service list
  garrison service create deployer --owner anna --purpose \"rolls out the shop\"")]
pub enum ServiceCommand {
    List(ServiceListArgs),
    Create(ServiceCreateArgs),
    Disable(ServiceDisableArgs),
    Enable(ServiceEnableArgs),
    HandOver(ServiceHandOverArgs),
}

/// List service accounts
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison service list")]
pub struct ServiceListArgs {
    #[command(flatten)]
    pub list: ListArgs,
}

/// Make a service account
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison service create deployer --owner anna --purpose \"rolls out the shop\"")]
pub struct ServiceCreateArgs {
    /// Its name
    #[arg(value_name = "NAME")]
    pub name: String,

    /// The person who answers for it, by name or id
    #[arg(long, value_name = "WHO")]
    pub owner: String,

    /// What it is for
    #[arg(long, value_name = "TEXT")]
    pub purpose: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Disable a service account: its tokens are denied everything from now on
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison service disable deployer")]
pub struct ServiceDisableArgs {
    /// The service account, by name or id
    #[arg(value_name = "SERVICE")]
    pub service: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Enable a service account again
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison service enable deployer")]
pub struct ServiceEnableArgs {
    /// The service account, by name or id
    #[arg(value_name = "SERVICE")]
    pub service: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Give a service account to another owner
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison service hand-over deployer ben")]
pub struct ServiceHandOverArgs {
    /// The service account, by name or id
    #[arg(value_name = "SERVICE")]
    pub service: String,

    /// The person who answers for it, by name or id
    #[arg(value_name = "WHO")]
    pub owner: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Groups: a grant that a group holds, every member holds
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  garrison group list
  garrison group add oncall anna")]
pub enum GroupCommand {
    List(GroupListArgs),
    Create(GroupCreateArgs),
    Members(GroupMembersArgs),
    Add(GroupAddArgs),
    Remove(GroupRemoveArgs),
}

/// List groups
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison group list")]
pub struct GroupListArgs {
    #[command(flatten)]
    pub list: ListArgs,
}

/// Make a group
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison group create oncall --purpose \"who is called at night\"")]
pub struct GroupCreateArgs {
    /// Its name
    #[arg(value_name = "NAME")]
    pub name: String,

    /// What it is for
    #[arg(long, value_name = "TEXT")]
    pub purpose: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// List the members of a group
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison group members oncall")]
pub struct GroupMembersArgs {
    /// The group, by name or id
    #[arg(value_name = "GROUP")]
    pub group: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Take a person or service account into a group
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison group add oncall anna")]
pub struct GroupAddArgs {
    /// The group, by name or id
    #[arg(value_name = "GROUP")]
    pub group: String,

    /// Who: a name or id
    #[arg(value_name = "WHO")]
    pub who: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Take a person or service account out of a group
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison group remove oncall anna")]
pub struct GroupRemoveArgs {
    /// The group, by name or id
    #[arg(value_name = "GROUP")]
    pub group: String,

    /// Who: a name or id
    #[arg(value_name = "WHO")]
    pub who: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Posts: duties at a node, each filled by one person
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  garrison post list --node acme/shop
  garrison post create acme/shop --title \"Shop manager\" --level management")]
pub enum PostCommand {
    List(PostListArgs),
    Create(PostCreateArgs),
    Fill(PostFillArgs),
    Vacate(PostVacateArgs),
}

/// List posts
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison post list
  garrison post list --node acme/shop")]
pub struct PostListArgs {
    /// Only those at this node, by path or id
    #[arg(long, value_name = "NODE")]
    pub node: Option<String>,

    #[command(flatten)]
    pub list: ListArgs,
}

/// Make a post at a node
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison post create acme/shop --title \"Shop manager\" --level management")]
pub struct PostCreateArgs {
    /// The node, by path or id
    #[arg(value_name = "NODE")]
    pub node: String,

    /// What it is called
    #[arg(long, value_name = "TEXT")]
    pub title: String,

    /// Its level, which is the role that comes with it
    #[arg(long, value_name = "LEVEL", value_parser = ["decision", "management", "execution", "supervision"])]
    pub level: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Put a person on a post; the grant of its level comes with it
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison post fill pst_01JDG4Q4ZK8V3T6W0R2Y5X7B9C anna")]
pub struct PostFillArgs {
    /// The post, by id
    #[arg(value_name = "POST")]
    pub post: String,

    /// Who: a name or id
    #[arg(value_name = "WHO")]
    pub who: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Take the person off a post; the grant that came with it ends
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison post vacate pst_01JDG4Q4ZK8V3T6W0R2Y5X7B9C")]
pub struct PostVacateArgs {
    /// The post, by id
    #[arg(value_name = "POST")]
    pub post: String,

    #[command(flatten)]
    pub client: ClientArgs,
}
