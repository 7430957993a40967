//! The commands that speak with a running server, as clap sees them.

mod account;
mod alert;
mod approval;
mod evidence;
mod key;
mod log;
mod people;
mod retention;
mod review;
mod rights;
mod source;
mod tree;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::OutputArgs;

pub use account::{PasswordCommand, SessionCommand, TokenCommand};
pub use alert::{AlertCloseArgs, AlertCommand, AlertListArgs, AlertShowArgs, DeliveryCommand};
pub use approval::{ApprovalCommand, ApprovalRuleCommand, ApproveArgs};
pub use evidence::{EvidenceCommand, EvidencePackArgs, EvidenceVerifyArgs};
pub use key::{KeyDestroyArgs, KeyHistoryArgs, KeyServerCommand};
pub use log::{LogExportArgs, LogImportArgs, LogSearchArgs, LogServerCommand, LogTailArgs, SearchCommand};
pub use people::{GroupCommand, PostCommand, ServiceCommand, UserCommand};
pub use retention::{HoldCommand, RetentionCommand};
pub use review::ReviewCommand;
pub use rights::{
    AccessCommand, AuditCheckArgs, AuditCommand, AuditProveArgs, AuditVerifyArgs, GrantCommand, Until,
};
pub use source::{SourceChangeArgs, SourceCommand, SourceCoverageArgs, SourceCreateArgs};
pub use tree::{TreeCommand, TreeCreateArgs, TreeExportArgs, TreeHistoryArgs};

/// Which server is spoken with, and how its answers are printed.
#[derive(Debug, Args)]
pub struct ClientArgs {
    /// The context to use instead of the current one. The variables `GARRISON_URL`, `GARRISON_TOKEN` (or
    /// `GARRISON_TOKEN_FILE`) and `GARRISON_CA` count before what it says
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,

    #[command(flatten)]
    pub output: OutputArgs,
}

/// How much of a list is printed.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// How many at most; 0 for all
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub limit: u64,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum ClientCommand {
    Login(LoginArgs),
    Logout(LogoutArgs),
    Whoami(WhoamiArgs),
    Console(ConsoleArgs),
    #[command(subcommand)]
    Context(ContextCommand),
    #[command(subcommand)]
    Tree(TreeCommand),
    #[command(subcommand)]
    User(UserCommand),
    #[command(subcommand)]
    Service(ServiceCommand),
    #[command(subcommand)]
    Group(GroupCommand),
    #[command(subcommand)]
    Post(PostCommand),
    #[command(subcommand)]
    Session(SessionCommand),
    #[command(subcommand)]
    Password(PasswordCommand),
    #[command(subcommand)]
    Token(TokenCommand),
    #[command(subcommand)]
    Grant(GrantCommand),
    #[command(subcommand)]
    Approval(ApprovalCommand),
    #[command(subcommand)]
    ApprovalRule(ApprovalRuleCommand),
    #[command(subcommand)]
    Access(AccessCommand),
    #[command(subcommand)]
    Audit(AuditCommand),
    #[command(subcommand)]
    Evidence(EvidenceCommand),
    #[command(subcommand)]
    Review(ReviewCommand),
    #[command(subcommand)]
    Source(SourceCommand),
    #[command(subcommand)]
    Retention(RetentionCommand),
    #[command(subcommand)]
    Hold(HoldCommand),
    #[command(subcommand)]
    Search(SearchCommand),
    #[command(subcommand)]
    Alert(AlertCommand),
    #[command(subcommand)]
    Delivery(DeliveryCommand),
}

/// Log in to a server, or set up one's account with a one-time link
///
/// Asks on the terminal; where standard input is none, its lines are the answers in the order of the
/// questions: name, password, code. The session is kept in `$XDG_CONFIG_HOME/garrison/contexts.json`, for its
/// owner only.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison login https://garrison.example:8443
  garrison login --name anna --tenant acme
  garrison login --link https://garrison.example:8443/activate/gin_...
  garrison login https://10.0.0.5:8443 --trust sha256:21:2b:8b:...

Exit codes: 0 logged in, 5 refused or not trusted, 10 the server does not answer.")]
pub struct LoginArgs {
    /// The address of the server; that of the current context where nothing is said
    #[arg(value_name = "URL")]
    pub url: Option<String>,

    /// The name to log in with
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,

    /// The tenant, where the server has several
    #[arg(long, value_name = "TENANT")]
    pub tenant: Option<String>,

    /// A one-time link: choose a password and set up an authenticator app; prints the recovery codes
    #[arg(long, value_name = "LINK", conflicts_with = "url")]
    pub link: Option<String>,

    /// The authority that the server's certificate comes from, in PEM
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,

    /// Trust the server's own authority if its fingerprint is this one
    #[arg(long, value_name = "sha256:FINGERPRINT", conflicts_with = "ca")]
    pub trust: Option<String>,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// End the session, on the server and here
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison logout
  garrison logout --context staging")]
pub struct LogoutArgs {
    #[command(flatten)]
    pub client: ClientArgs,
}

/// Show who one is on the server
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison whoami
  GARRISON_TOKEN_FILE=/run/secrets/token garrison whoami -o json")]
pub struct WhoamiArgs {
    #[command(flatten)]
    pub client: ClientArgs,
}

/// Print a one-time link that opens the console in a browser, as whoever is logged in here
///
/// The link is good once, for ten minutes. What it opens is a session of its own, which ends with the one here: when you
/// log out here, and at its absolute end in any case.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison console
  garrison console --open
  garrison console --context staging")]
pub struct ConsoleArgs {
    /// Open the link in a browser of this machine too, by `xdg-open`, whose arguments other users of it may see
    #[arg(long)]
    pub open: bool,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Servers that are known here
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  garrison context list
  garrison context use staging")]
pub enum ContextCommand {
    List(ContextListArgs),
    Use(ContextUseArgs),
    Remove(ContextRemoveArgs),
}

/// List the contexts
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison context list
  garrison context list -o json")]
pub struct ContextListArgs {
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Make a context the current one
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison context use staging")]
pub struct ContextUseArgs {
    /// Its name
    #[arg(value_name = "NAME")]
    pub name: String,

    #[command(flatten)]
    pub output: OutputArgs,
}

/// Forget a context, with its session; the session does not end by that
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison logout --context staging && garrison context remove staging")]
pub struct ContextRemoveArgs {
    /// Its name
    #[arg(value_name = "NAME")]
    pub name: String,

    #[command(flatten)]
    pub output: OutputArgs,
}
