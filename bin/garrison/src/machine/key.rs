//! `garrison key list` and `rotate-root`: on the machine itself, straight on the keys.

use std::path::absolute;

use anyhow::{Context as _, ensure};
use garrison_base::{Exit, TenantId, Timestamp};
use garrison_kernel::{Actor, Kernel, System};
use garrison_logs::acts::RecordRootKey;
use garrison_secrets::{KeyError, KeyFileError, KeyStore, Passphrase, RootKey};
use serde::Serialize;
use zeroize::Zeroizing;

use super::{tenant, wait};
use crate::cli::{KeyListArgs, KeyRotateRootArgs, PassphraseArgs};
use crate::client::prompt::Prompt;
use crate::config::{Config, Engine};
use crate::output::{Column, Printer, Row};
use crate::{say, serve};

/// The root key, or a version of a tenant's key.
#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "fields are names in the output")]
struct Key {
    key: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    made: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destroyed: Option<Timestamp>,
    /// How many keys it wraps: of streams and days, or of tenants.
    wraps: u64,
    at: String,
}

impl Row for Key {
    const COLUMNS: &'static [Column] = &[
        Column::new("KEY", 6),
        Column::whole("TENANT", 16),
        Column::new("CLASS", 8),
        Column::new("VERSION", 7),
        Column::whole("MADE", 20),
        Column::whole("DESTROYED", 20),
        Column::new("WRAPS", 6),
        Column::new("AT", 40),
    ];

    fn cells(&self) -> Vec<String> {
        let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        vec![
            self.key.to_owned(),
            or_none(self.tenant.clone()),
            or_none(self.class.map(str::to_owned)),
            or_none(self.version.map(|version| version.to_string())),
            or_none(self.made.map(|made| format!("{made:.0}"))),
            or_none(self.destroyed.map(|when| format!("{when:.0}"))),
            self.wraps.to_string(),
            self.at.clone(),
        ]
    }
}

/// `garrison key list`
pub fn list(args: &KeyListArgs) -> anyhow::Result<Exit> {
    let config = args.config.load()?.config;
    let (keys, tenants, wrapped) = wait(async {
        let (kernel, keys) = serve::open(&config).await?;
        let (tenants, wrapped) = (kernel.tenants().await, garrison_logs::wrapped(&kernel).await);
        kernel.close().await;
        Ok((keys, tenants?, wrapped?))
    })?;
    let mut printer = Printer::stdout(args.output.output);
    printer.row(&root(&config, &keys)?)?;
    let store = config.keys.dir.join("keys.store").display().to_string();
    let name = |id: TenantId| tenants.iter().find(|(known, _)| *known == id).map(|(_, name)| name.clone());
    for key in keys.keys() {
        let of = |(tenant, class, version, _): &&(TenantId, _, u32, u64)| {
            (*tenant, *class, *version) == (key.tenant, key.class, key.version)
        };
        printer.row(&Key {
            key: "tenant",
            tenant: Some(name(key.tenant).unwrap_or_else(|| key.tenant.to_string())),
            class: Some(key.class.name()),
            version: Some(key.version),
            made: Some(key.made),
            destroyed: key.destroyed,
            wraps: wrapped.iter().find(of).map_or(0, |(.., count)| *count),
            at: store.clone(),
        })?;
    }
    printer.finish::<Key>()?;
    Ok(Exit::Ok)
}

fn root(config: &Config, keys: &KeyStore) -> anyhow::Result<Key> {
    let dir = &config.keys.dir;
    let form = if RootKey::is_sealed(dir)? { "sealed by a passphrase" } else { "in the clear" };
    Ok(Key {
        key: "root",
        tenant: None,
        class: None,
        version: None,
        made: None,
        destroyed: None,
        wraps: keys.keys().iter().filter(|key| key.destroyed.is_none()).count() as u64,
        at: format!("{}, {form}", dir.join("root.key").display()),
    })
}

/// `garrison key rotate-root`
pub fn rotate_root(args: &KeyRotateRootArgs) -> anyhow::Result<Exit> {
    let config = args.config.load()?.config;
    let keys = serve::keys(&config)?;
    // Before anybody is asked for a passphrase.
    if let Err(error) = keys.hold() {
        return refused(error);
    }
    let new = if args.no_passphrase { Some(Passphrase::None) } else { chosen(&args.passphrase)? };
    match keys.rotate_root(new.as_ref()) {
        Ok(()) => {}
        Err(KeyError::File(error)) => return refused(error),
        Err(error) => return Err(error.into()),
    }
    let mut printer = Printer::stdout(args.output.output);
    printer.row(&root(&config, &keys)?)?;
    printer.finish::<Key>()?;
    say!("Copy {} again: the copies from before are of the old root key.", config.keys.dir.display());
    tell_what_next(&config, new.as_ref(), &args.passphrase)?;
    record(&config, &keys).context("the root key was changed; only the record of it could not be made")?;
    Ok(Exit::Ok)
}

/// The server finds the passphrase where the configuration says.
fn tell_what_next(config: &Config, new: Option<&Passphrase>, args: &PassphraseArgs) -> anyhow::Result<()> {
    let known = config.keys.passphrase_file.as_deref();
    let file = args.passphrase_file.as_deref().map(absolute).transpose().context("finding the passphrase")?;
    match (new, file) {
        (Some(Passphrase::None), _) if known.is_some() => {
            say!("The root key stands in the clear now: `keys.passphrase_file` is not needed any more.");
        }
        (_, Some(file)) if known != Some(file.as_path()) => {
            say!("Set `keys.passphrase_file` to {} before the server starts.", file.display());
        }
        (Some(Passphrase::Text(_)), None) => {
            say!("Set `keys.passphrase_file` to a file with the new passphrase before the server starts.");
        }
        _ => {}
    }
    Ok(())
}

fn refused(error: KeyFileError) -> anyhow::Result<Exit> {
    if !matches!(error, KeyFileError::Taken(_)) {
        return Err(error.into());
    }
    say!("garrison: {error}; the keys can only be changed while nobody uses them");
    Ok(Exit::Conflict)
}

/// Leaves a record in every tenant.
fn record(config: &Config, keys: &KeyStore) -> anyhow::Result<()> {
    let sealed = RootKey::is_sealed(&config.keys.dir)?;
    // Opening one that is not there would make it.
    if let Some(Engine::Sqlite(file)) = config.engine() {
        ensure!(file.exists(), "there is no database {}", file.display());
    }
    wait(async {
        let kernel = serve::open_with(config, keys.base(), None).await?;
        let recorded = record_in(&kernel, sealed).await;
        kernel.close().await;
        recorded
    })
}

async fn record_in(kernel: &Kernel, sealed: bool) -> anyhow::Result<()> {
    for (id, _) in kernel.tenants().await? {
        let actor = Actor::system(System::CONSOLE, id, tenant::origin(kernel));
        let recorded = kernel.act(&actor, RecordRootKey { sealed }).await;
        recorded.map_err(|problem| anyhow::anyhow!("{problem}"))?;
    }
    Ok(())
}

/// The passphrase that the command line tells of; nothing where it says nothing.
pub fn chosen(args: &PassphraseArgs) -> anyhow::Result<Option<Passphrase>> {
    match &args.passphrase_file {
        Some(file) => Ok(Some(Passphrase::read(file)?)),
        None if args.ask_passphrase => asked().map(Some),
        None => Ok(None),
    }
}

fn asked() -> anyhow::Result<Passphrase> {
    let prompt = Prompt::new();
    let first = Zeroizing::new(prompt.secret("Passphrase for the root key")?);
    let again = !prompt.is_terminal() || *Zeroizing::new(prompt.secret("The same again")?) == *first;
    ensure!(again, "the two are not the same");
    Ok(Passphrase::Text(first))
}
