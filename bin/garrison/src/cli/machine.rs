//! The commands for the machine that Garrison runs on, as clap sees them.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use garrison_base::{AccountName, PathName};

use super::OutputArgs;

/// Where the configuration comes from.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// The configuration file; `garrison.d/*.toml` beside it is read too. By default the variable
    /// `GARRISON_CONFIG` names it, else it is looked for as garrison.toml, garrison/garrison.toml and
    /// /etc/garrison/garrison.toml
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Set a key of the configuration for this run; may be given several times. Other users of this machine
    /// can see it: no passwords
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub set: Vec<(String, String)>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE, such as log.level=debug")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}

/// What seals the root key in its file.
#[derive(Debug, Args)]
pub struct PassphraseArgs {
    /// Seal the root key by the passphrase in this file, which only its owner may read. The server reads it at each
    /// start: a credential of systemd is such a file
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,

    /// Ask for the passphrase on the terminal. The server needs it in a file nonetheless, see `keys.passphrase_file`
    #[arg(long, conflicts_with = "passphrase_file")]
    pub ask_passphrase: bool,
}

/// Make a new Garrison: configuration, keys, certificate, database and a first tenant
///
/// Nothing that is there already is touched. Variables of the environment count as they do for the server.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison init
  garrison init /etc/garrison --listen 0.0.0.0:8443 --name garrison.example
  garrison init --postgres-url-file /run/secrets/database-url --tenant acme
  garrison init --passphrase-file /run/secrets/passphrase

Exit codes: 0 made, 7 something of it is there already, 1 it could not be made.")]
pub struct InitArgs {
    /// The folder to make it in
    #[arg(value_name = "DIR", default_value = "./garrison")]
    pub dir: PathBuf,

    /// Address and port that the server will listen on
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8443")]
    pub listen: SocketAddr,

    /// A further name or address that the server is reached by; may be given several times
    #[arg(long = "name", value_name = "NAME")]
    pub names: Vec<String>,

    /// Use a database server instead of a file: a file that holds `postgres://USER:PASSWORD@HOST/NAME`. It
    /// is copied to garrison.d/database.toml, which only its owner can read
    #[arg(long, value_name = "FILE")]
    pub postgres_url_file: Option<PathBuf>,

    /// The name of the first tenant, and of the root of its tree
    #[arg(long, value_name = "NAME", default_value = "main")]
    pub tenant: PathName,

    #[command(flatten)]
    pub passphrase: PassphraseArgs,

    #[command(flatten)]
    pub output: OutputArgs,
}

/// Run the server: console and API
///
/// What it says of itself goes to standard error. It ends in order at SIGTERM or Ctrl-C, at once at the
/// second one.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison serve
  garrison serve --config /etc/garrison/garrison.toml --set log.level=debug")]
pub struct ServeArgs {
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// Ask the running server how it is
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison status
  garrison status --config /etc/garrison/garrison.toml -o json

Exit codes: 0 it is ready, 1 it is not, 10 it does not answer.")]
pub struct StatusArgs {
    #[command(flatten)]
    pub config: ConfigArgs,

    #[command(flatten)]
    pub output: OutputArgs,
}

/// Check everything that the server rests on, and tell how to put it right
///
/// Configuration, folders, disk, keys, certificate, port, clock, memory, database. The audit log is verified
/// from its first record. Where the database is older than this program, it is brought up to date, as the
/// server would do.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison doctor
  garrison doctor -o json --config /etc/garrison/garrison.toml

Exit codes: 0 nothing fails (there may be warnings), 3 something fails.")]
pub struct DoctorArgs {
    #[command(flatten)]
    pub config: ConfigArgs,

    #[command(flatten)]
    pub output: OutputArgs,
}

/// Look at the configuration
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  garrison config check
  garrison config show --origin")]
pub enum ConfigCommand {
    Check(ConfigCheckArgs),
    Show(ConfigShowArgs),
    Schema(ConfigSchemaArgs),
}

/// Check the configuration
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison config check
  garrison config check --config garrison.toml --set server.listen=0.0.0.0:443

Exit codes: 0 it can be used, 3 it cannot.")]
pub struct ConfigCheckArgs {
    #[command(flatten)]
    pub config: ConfigArgs,

    #[command(flatten)]
    pub output: OutputArgs,
}

/// Show every key of the configuration and its value; secrets are not shown
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison config show
  garrison config show --origin
  GARRISON__LOG__LEVEL=debug garrison config show --origin -o json")]
pub struct ConfigShowArgs {
    /// Tell where each value comes from
    #[arg(long)]
    pub origin: bool,

    #[command(flatten)]
    pub config: ConfigArgs,

    #[command(flatten)]
    pub output: OutputArgs,
}

/// Print the JSON Schema of the configuration, for editors
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison config schema > garrison.schema.json")]
pub struct ConfigSchemaArgs {}

/// Found tenants, and list them
///
/// Straight on the database: for whoever may read the root key on this machine.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  garrison tenant list
  garrison tenant create acme")]
pub enum TenantCommand {
    Create(TenantCreateArgs),
    List(TenantListArgs),
}

/// Found a tenant, with the root of its tree
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison tenant create acme
  garrison tenant create \"Acme Ltd\" -o json

Exit codes: 0 founded, 7 the name is taken.")]
pub struct TenantCreateArgs {
    /// Its name, and that of the root of its tree
    #[arg(value_name = "NAME")]
    pub name: PathName,

    #[command(flatten)]
    pub config: ConfigArgs,

    #[command(flatten)]
    pub output: OutputArgs,
}

/// List the tenants
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison tenant list
  garrison tenant list -o json")]
pub struct TenantListArgs {
    #[command(flatten)]
    pub config: ConfigArgs,

    #[command(flatten)]
    pub output: OutputArgs,
}

/// Let somebody in again who has lost password or second factor
///
/// Works on the machine itself, also while the server runs: it needs the key file. Makes a one-time link, and
/// leaves a record. With --administrator the person gets the role at the root of the tree again.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison recover anna
  garrison recover anna --administrator --tenant acme")]
pub struct RecoverArgs {
    /// The account's name
    #[arg(value_name = "NAME")]
    pub name: AccountName,

    /// Which tenant; the first where nothing is said
    #[arg(long, value_name = "NAME")]
    pub tenant: Option<PathName>,

    /// Make the person administrator of the tenant
    #[arg(long)]
    pub administrator: bool,

    #[command(flatten)]
    pub config: ConfigArgs,

    #[command(flatten)]
    pub output: OutputArgs,
}
