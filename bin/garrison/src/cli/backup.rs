//! `garrison backup`, as clap sees it.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use garrison_base::{BackupId, Line};

use super::{ConfigArgs, OutputArgs};

/// Backups: copies of state, keys and logs, sealed to a recovery key
///
/// On the machine itself, for whoever may read the root key; `create` while the server runs. The configuration is not in a
/// backup, nor is the passphrase of a sealed root key: keep copies of both.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  garrison backup key --out /media/safe/recovery.key
  garrison backup create --to /mnt/backups --recovery garrison-recovery-v1:...
  garrison backup verify --from /mnt/backups/bak_01JDG4Q4ZK8V3T6W0R2Y5X7B9C
  garrison backup restore --from /mnt/backups/bak_01JDG4Q4ZK8V3T6W0R2Y5X7B9C --key /media/safe/recovery.key")]
pub enum BackupCommand {
    Key(BackupKeyArgs),
    Create(BackupCreateArgs),
    Verify(BackupVerifyArgs),
    Restore(BackupRestoreArgs),
    List(BackupListArgs),
    Forget(BackupForgetArgs),
}

/// Make a recovery key: its file opens backups, what is printed seals them
///
/// Make it where the server is not, and keep the file there. Whoever has it and a backup reads everything; without it no
/// backup can be restored.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison backup key --out /media/safe/recovery.key

Exit codes: 0 made, 1 it could not be made, 7 the file is there already.")]
pub struct BackupKeyArgs {
    /// The file for the secret half; it must not be there yet
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,

    #[command(flatten)]
    pub output: OutputArgs,
}

/// Make a backup, also while the server runs
///
/// It becomes a folder of its own below the one that is named. It is recorded: certificates of destroyed keys name the
/// backups that still can read what was destroyed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison backup create --to /mnt/backups
  garrison backup create --to /mnt/backups --recovery garrison-recovery-v1:... --expires 30

Exit codes: 0 made, 1 it could not be made, 7 another one is being made.")]
pub struct BackupCreateArgs {
    /// The folder to put it into
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,

    /// The public half of the recovery key, or a file with it; `backup.recovery` of the configuration where nothing is said
    #[arg(long, value_name = "KEY|FILE")]
    pub recovery: Option<String>,

    /// After how many days it should be gone
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub expires: u32,

    /// Where it is, in words for certificates; the folder where nothing is said
    #[arg(long, value_name = "WORDS")]
    pub label: Option<Line>,

    #[command(flatten)]
    pub config: ConfigArgs,

    #[command(flatten)]
    pub output: OutputArgs,
}

/// Look whether a backup is as it was written
///
/// Without the key sizes and SHA-256 are compared with the manifest, which finds what broke. With the key everything is
/// opened, which finds what somebody changed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison backup verify --from /mnt/backups/bak_01JDG4Q4ZK8V3T6W0R2Y5X7B9C
  garrison backup verify --from /mnt/backups/bak_01JDG4Q4ZK8V3T6W0R2Y5X7B9C --key /media/safe/recovery.key

Exit codes: 0 it is, 1 it could not be looked at, 3 it is not.")]
pub struct BackupVerifyArgs {
    /// The folder of the backup
    #[arg(long, value_name = "DIR")]
    pub from: PathBuf,

    /// The secret half of the recovery key
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,

    #[command(flatten)]
    pub output: OutputArgs,
}

/// Put a backup into an empty installation, and prove that it is what was sealed
///
/// Needs empty folders, an empty database and a configuration, and no `garrison init`. The database may be of the other
/// kind. Nothing is there before everything was verified. A state that is older than what a witness knows (`journal.witnesses`) is refused.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison backup restore --from /mnt/backups/bak_01JDG4Q4ZK8V3T6W0R2Y5X7B9C --key /media/safe/recovery.key
  garrison backup restore --from ... --key ... --accept-loss --config /etc/garrison/garrison.toml

Exit codes: 0 restored, 1 it could not be restored, 3 the backup is not as it was written, 7 something is there already,
or a witness knows more than the backup.")]
pub struct BackupRestoreArgs {
    /// The folder of the backup
    #[arg(long, value_name = "DIR")]
    pub from: PathBuf,

    /// The secret half of the recovery key
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,

    /// Go on where a witness knows records that the backup does not have: they are lost, and the record tells it
    #[arg(long)]
    pub accept_loss: bool,

    #[command(flatten)]
    pub config: ConfigArgs,

    #[command(flatten)]
    pub output: OutputArgs,
}

/// List the backups that were made
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison backup list
  garrison backup list -o json")]
pub struct BackupListArgs {
    #[command(flatten)]
    pub config: ConfigArgs,

    #[command(flatten)]
    pub output: OutputArgs,
}

/// Say that a backup is gone
///
/// Deletes nothing. Certificates of destroyed keys do not name it any more, so delete it first, every copy of it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  garrison backup forget bak_01JDG4Q4ZK8V3T6W0R2Y5X7B9C

Exit codes: 0 noted, 4 no such backup is known.")]
pub struct BackupForgetArgs {
    /// Its id
    #[arg(value_name = "BACKUP")]
    pub backup: BackupId,

    #[command(flatten)]
    pub config: ConfigArgs,

    #[command(flatten)]
    pub output: OutputArgs,
}
