//! `garrison backup key`, `list` and `forget`.

use garrison_base::{BackupId, Clock as _, Exit, SystemClock, Timestamp};
use garrison_kernel::{Actor, Outcome, System};
use garrison_logs::NotedBackup;
use garrison_logs::acts::ForgetBackup;
use garrison_secrets::{RecoveryError, RecoveryKey, SystemEntropy};
use serde::Serialize;

use crate::cli::{BackupForgetArgs, BackupKeyArgs, BackupListArgs};
use crate::machine::{tenant, wait};
use crate::output::{Column, Printer, Row};
use crate::{say, serve};

#[derive(Serialize)]
struct Key {
    /// The public half.
    recovery: String,
    secret_in: String,
}

impl Row for Key {
    const COLUMNS: &'static [Column] = &[Column::whole("RECOVERY", 66), Column::new("SECRET IN", 40)];

    fn cells(&self) -> Vec<String> {
        vec![self.recovery.clone(), self.secret_in.clone()]
    }
}

/// `garrison backup key`
pub fn key(args: &BackupKeyArgs) -> anyhow::Result<Exit> {
    let key = match RecoveryKey::create(&args.out, &SystemEntropy) {
        Ok(key) => key,
        Err(error @ RecoveryError::Exists(_)) => {
            say!("garrison: {error}");
            return Ok(Exit::Conflict);
        }
        Err(error) => return Err(error.into()),
    };
    let mut printer = Printer::stdout(args.output.output);
    let (recovery, secret_in) = (key.public().to_string(), args.out.display().to_string());
    printer.row(&Key { recovery, secret_in })?;
    printer.finish::<Key>()?;
    say!(
        "Keep {} where the server is not, and a copy of it: without it no backup can be restored.",
        args.out.display()
    );
    say!("Set `backup.recovery` to the public half, or give it to `garrison backup create --recovery`.");
    Ok(Exit::Ok)
}

#[derive(Serialize)]
struct Known {
    backup: BackupId,
    tenant: String,
    made: Timestamp,
    expires: Timestamp,
    /// `kept`, `expired` or `gone`.
    state: &'static str,
    records: u64,
    /// The versions of the tenant's keys that it has, such as `customer/2`.
    keys: Vec<String>,
    at: String,
}

impl Row for Known {
    const COLUMNS: &'static [Column] = &[
        Column::whole("BACKUP", 30),
        Column::new("TENANT", 12),
        Column::whole("MADE", 20),
        Column::whole("EXPIRES", 20),
        Column::new("STATE", 7),
        Column::new("RECORDS", 9),
        Column::new("KEYS", 24),
        Column::new("AT", 40),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.backup.to_string(),
            self.tenant.clone(),
            format!("{:.0}", self.made),
            format!("{:.0}", self.expires),
            self.state.to_owned(),
            self.records.to_string(),
            self.keys.join(" "),
            self.at.clone(),
        ]
    }
}

/// `garrison backup list`
pub fn list(args: &BackupListArgs) -> anyhow::Result<Exit> {
    let config = args.config.load()?.config;
    let (tenants, known) = wait(async {
        let (kernel, _) = serve::open(&config).await?;
        let (tenants, known) = (kernel.tenants().await, garrison_logs::backups(&kernel).await);
        kernel.close().await;
        Ok((tenants?, known?))
    })?;
    let now = SystemClock.now();
    let mut printer = Printer::stdout(args.output.output);
    for (id, known) in known {
        let name = tenants.iter().find(|(tenant, _)| *tenant == id).map(|(_, name)| name.clone());
        let NotedBackup { backup, made, expires, place, records, keys } = known.noted;
        let state = match known.forgotten {
            Some(_) => "gone",
            None if expires <= now => "expired",
            None => "kept",
        };
        printer.row(&Known {
            backup,
            tenant: name.unwrap_or_else(|| id.to_string()),
            made,
            expires,
            state,
            records,
            keys: keys.iter().map(|key| format!("{}/{}", key.class, key.version)).collect(),
            at: place.to_string(),
        })?;
    }
    printer.finish::<Known>()?;
    Ok(Exit::Ok)
}

#[derive(Serialize)]
struct Forgotten {
    backup: BackupId,
    tenant: String,
    /// Whether it was thought to be there until now.
    changed: bool,
}

impl Row for Forgotten {
    const COLUMNS: &'static [Column] =
        &[Column::whole("BACKUP", 30), Column::new("TENANT", 12), Column::new("CHANGED", 7)];

    fn cells(&self) -> Vec<String> {
        vec![self.backup.to_string(), self.tenant.clone(), self.changed.to_string()]
    }
}

/// `garrison backup forget`
pub fn forget(args: &BackupForgetArgs) -> anyhow::Result<Exit> {
    let config = args.config.load()?.config;
    let forgotten = wait(async {
        let (kernel, _) = serve::open(&config).await?;
        let known = garrison_logs::backups(&kernel).await?;
        let mut forgotten = Vec::new();
        for (id, name) in kernel.tenants().await? {
            if !known.iter().any(|(tenant, known)| *tenant == id && known.noted.backup == args.backup) {
                continue;
            }
            let actor = Actor::system(System::CONSOLE, id, tenant::origin(&kernel));
            let done = kernel.act(&actor, ForgetBackup { backup: args.backup }).await;
            let done = done.map_err(|problem| anyhow::anyhow!("{problem}"))?;
            let changed = matches!(done, Outcome::Done(done) if done.changed);
            forgotten.push(Forgotten { backup: args.backup, tenant: name, changed });
        }
        kernel.close().await;
        Ok(forgotten)
    })?;
    if forgotten.is_empty() {
        say!("garrison: no backup {} is known; `garrison backup list` tells which are", args.backup);
        return Ok(Exit::NotFound);
    }
    let mut printer = Printer::stdout(args.output.output);
    forgotten.iter().try_for_each(|row| printer.row(row))?;
    printer.finish::<Forgotten>()?;
    Ok(Exit::Ok)
}
