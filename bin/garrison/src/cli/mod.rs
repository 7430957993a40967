//! The command line, as clap sees it.

mod backup;
pub mod client;
mod demo;
mod hunt;
mod key;
mod log;
mod machine;
mod rule;

use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, CommandFactory as _, Parser, Subcommand};
use garrison_base::Exit;

use crate::output::Format;

pub use backup::{
    BackupCommand, BackupCreateArgs, BackupForgetArgs, BackupKeyArgs, BackupListArgs, BackupRestoreArgs,
    BackupVerifyArgs,
};
pub use demo::DemoArgs;
pub use hunt::HuntArgs;
pub use key::{KeyCommand, KeyListArgs, KeyRotateRootArgs};
pub use log::{LogCommand, LogGenerateArgs};
pub use machine::{
    ConfigArgs, ConfigCheckArgs, ConfigCommand, ConfigShowArgs, DoctorArgs, InitArgs, PassphraseArgs,
    RecoverArgs, ServeArgs, StatusArgs, TenantCommand, TenantCreateArgs, TenantListArgs,
};
pub use rule::{RuleArgs, RuleCommand, RuleLintArgs, RuleListArgs, RuleShowArgs, RuleTestArgs};

/// Garrison: know what you own, decide who may touch it, record every touch, notice what is wrong.
#[derive(Debug, Parser)]
#[command(
    name = "garrison",
    version,
    max_term_width = 100,
    after_help = "Examples:
  garrison demo
  garrison init && garrison serve
  garrison doctor
  garrison hunt /var/log
  garrison log generate --story shop --attack | garrison hunt -

Exit codes: 0 done, nothing found; 1 something failed or could not be read; 2 wrong usage;
3 something was found; 4 what was asked for does not exist; 5 not allowed; 6 waiting for approval;
7 it contradicts what is there; 8 it took too long; 9 a part was done; 10 the server does not answer;
130 interrupted."
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Init(InitArgs),
    Serve(ServeArgs),
    Status(StatusArgs),
    Doctor(DoctorArgs),
    #[command(subcommand)]
    Config(ConfigCommand),
    #[command(subcommand)]
    Tenant(TenantCommand),
    Recover(RecoverArgs),
    #[command(subcommand)]
    Key(KeyCommand),
    #[command(subcommand)]
    Backup(BackupCommand),
    Hunt(HuntArgs),
    #[command(subcommand)]
    Rule(RuleCommand),
    #[command(subcommand)]
    Log(LogCommand),
    Demo(DemoArgs),
    #[command(flatten)]
    Client(client::ClientCommand),
    Completion(CompletionArgs),
    Man(ManArgs),
    Version(VersionArgs),
}

/// How data is printed.
#[derive(Debug, Args)]
pub struct OutputArgs {
    /// How to print: a table for people, the others for programs
    #[arg(short, long, value_enum, default_value = "table")]
    pub output: Format,
}

/// Print a completion script for a shell
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison completion bash > /etc/bash_completion.d/garrison
  garrison completion zsh > ~/.zfunc/_garrison")]
pub struct CompletionArgs {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// Print the manual page, or write all of them into a folder
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison man | man -l -
  garrison man --dir /usr/local/share/man/man1")]
pub struct ManArgs {
    /// Write a page for each command into this folder
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// Print the version
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison version
  garrison version -o json")]
pub struct VersionArgs {
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Writes the manual.
pub fn man(dir: Option<&Path>) -> anyhow::Result<Exit> {
    match dir {
        Some(dir) => {
            std::fs::create_dir_all(dir).with_context(|| format!("making the folder {}", dir.display()))?;
            clap_mangen::generate_to(Cli::command(), dir)
                .with_context(|| format!("writing manual pages into {}", dir.display()))?;
        }
        None => clap_mangen::Man::new(Cli::command())
            .render(&mut io::stdout())
            .context("printing the manual page")?,
    }
    Ok(Exit::Ok)
}
