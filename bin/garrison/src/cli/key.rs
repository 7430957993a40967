//! `garrison key`, as clap sees it.

use clap::{Args, Subcommand};

use super::client::KeyServerCommand;
use super::{ConfigArgs, OutputArgs, PassphraseArgs};

/// Keys: what everything that is stored is sealed under
///
/// The root key wraps the keys of tenants, which wrap a key for each stream of logs and day. `list` and `rotate-root` work
/// on the machine itself, the others over the server.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  garrison key list
  garrison key rotate --class security
  garrison key classify shop-orders customer
  garrison key destroy shop-orders --to 2026-08-31 --reason \"the contract has ended\"")]
pub enum KeyCommand {
    List(KeyListArgs),
    RotateRoot(KeyRotateRootArgs),
    #[command(flatten)]
    Server(KeyServerCommand),
}

/// List the root key and the keys of tenants, with how many keys each wraps
///
/// Straight on the keys and the database: for whoever may read the root key on this machine.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison key list
  garrison key list --config /etc/garrison/garrison.toml -o json")]
pub struct KeyListArgs {
    #[command(flatten)]
    pub config: ConfigArgs,

    #[command(flatten)]
    pub output: OutputArgs,
}

/// Make a new root key; no stored data is written again
///
/// The server must be stopped: it holds the keys. A root key that is sealed by a passphrase stays so; with one of the
/// options the passphrase changes. Afterwards copy the folder of the keys again: older copies of root.key open nothing
/// but older copies of keys.store.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison key rotate-root
  garrison key rotate-root --passphrase-file /run/secrets/passphrase
  garrison key rotate-root --no-passphrase

Exit codes: 0 made, 1 it could not be made, 7 the server, or another command, holds the keys.")]
pub struct KeyRotateRootArgs {
    #[command(flatten)]
    pub passphrase: PassphraseArgs,

    /// Let the root key stand in the clear, protected by the rights of its file
    #[arg(long, conflicts_with_all = ["passphrase_file", "ask_passphrase"])]
    pub no_passphrase: bool,

    #[command(flatten)]
    pub config: ConfigArgs,

    #[command(flatten)]
    pub output: OutputArgs,
}
