//! `garrison backup restore`: into empty folders and an empty database, and nothing is there before all of it was verified.
//!
//! The state becomes rows again in one transaction. The journal follows from the state, as it does for every record that a
//! journal lacks; the tiles of the tree follow from the journal, and must lead to the root of the checkpoint that the backed
//! up installation signed. Then everything is looked at as `audit verify` does, under names that no server knows.

mod place;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail, ensure};
use garrison_backup::{Backup, BackupError, Manifest, Unlocked};
use garrison_base::{BackupId, Exit, Timestamp};
use garrison_journal::{Records, Tree, Witnessed, remake, witnessed};
use garrison_kernel::{Actor, Journal, Kernel, System, fill_database};
use garrison_logs::acts::{Lost, RestoreBackup};
use garrison_logs::{HeldKey, NotedBackup};
use garrison_secrets::{KeyStore, RecoveryKey};
use serde::Serialize;

use super::verify::Looked;
use super::{kind, progress, state};
use crate::cli::BackupRestoreArgs;
use crate::config::Config;
use crate::machine::{tenant, verify, wait};
use crate::output::{Column, Printer, Row};
use crate::{say, serve};

use place::{Refused, Work, aside, make};

/// What was restored, and proven.
#[derive(Serialize)]
struct Restored {
    backup: BackupId,
    made: Timestamp,
    records: u64,
    /// How many records the checkpoint tells of.
    sealed: u64,
    /// The root of the tree of those records, in base64: the restored one is the one that was signed.
    root: String,
    /// The public key that the checkpoint was signed under.
    key: String,
}

impl Row for Restored {
    const COLUMNS: &'static [Column] = &[
        Column::whole("BACKUP", 30),
        Column::whole("MADE", 20),
        Column::new("RECORDS", 9),
        Column::new("SEALED", 9),
        Column::whole("ROOT", 44),
        Column::new("KEY", 60),
    ];

    fn cells(&self) -> Vec<String> {
        let Self { backup, made, records, sealed, root, key } = self;
        let numbers = [records, sealed].map(ToString::to_string);
        let [records, sealed] = numbers;
        vec![backup.to_string(), format!("{made:.0}"), records, sealed, root.clone(), key.clone()]
    }
}

/// `garrison backup restore`
pub fn run(args: &BackupRestoreArgs) -> anyhow::Result<Exit> {
    let config = args.config.load()?.config;
    match restored(&config, args) {
        Ok(row) => {
            let mut printer = Printer::stdout(args.output.output);
            printer.row(&row)?;
            printer.finish::<Restored>()?;
            say!(
                "Restored. Compare root and key with a checkpoint that somebody else holds, where there is one."
            );
            say!(
                "What the backup knew counts again: end sessions, tokens and grants that should have ended since."
            );
            Ok(Exit::Ok)
        }
        Err(error) if error.is::<Refused>() => {
            say!("garrison: {error}");
            Ok(Exit::Conflict)
        }
        Err(error) => {
            let wrong = Looked::wrong(error.downcast::<BackupError>()?)?;
            let mut printer = Printer::stdout(args.output.output);
            printer.row(&wrong)?;
            printer.finish::<Looked>()?;
            say!("garrison: nothing was restored");
            Ok(Exit::Found)
        }
    }
}

fn restored(config: &Config, args: &BackupRestoreArgs) -> anyhow::Result<Restored> {
    let key = RecoveryKey::open(&args.key)?;
    let backup = Backup::open(&args.from)?.unlock(&key)?;
    let mut work = wait(Work::begin(config))?;
    match restore(&mut work, &backup, args.accept_loss) {
        Ok((row, lost)) => {
            work.publish()?;
            for Lost { witness, .. } in &lost {
                say!("The witness was set aside as {witness}: it tells what was lost.");
            }
            Ok(row)
        }
        Err(error) => {
            // Why it was undone counts more than what stays.
            if let Err(stays) = wait(work.undo()) {
                say!("garrison: removing what was restored so far: {stays:#}");
            }
            Err(error)
        }
    }
}

/// Everything but the last step, which gives things their names.
fn restore(work: &mut Work, backup: &Unlocked, accept_loss: bool) -> anyhow::Result<(Restored, Vec<Lost>)> {
    let bar = progress(backup.bytes(), "restoring");
    for (number, name, bytes) in backup.objects().filter(|(_, name, _)| name.kind().0 == kind::KEYS) {
        backup.write(number, &made(&work.keys().join(name.kind().1))?)?;
        bar.inc(bytes);
    }
    let keys = serve::keys(&work.config)?;
    let lost = losses(work, &keys, backup.manifest(), accept_loss)?;
    wait(fill(work, backup))?;
    for (number, name, bytes) in backup.objects() {
        let (first, rest) = name.kind();
        let folder = match first {
            kind::KEYS => continue,
            kind::STATE => {
                bar.inc(bytes);
                continue;
            }
            kind::TREE | kind::LOG | kind::LAKE => first,
            notes if kind::NOTES.contains(&notes) => first,
            _ => bail!(
                "the backup has {name}, which this program does not know: restore it by a newer Garrison"
            ),
        };
        backup.write(number, &made(&work.data().join(folder).join(rest))?)?;
        bar.inc(bytes);
    }
    bar.finish_and_clear();
    let row = wait(open(&work.config, &keys, (backup.manifest(), &lost)))?;
    drop(keys);
    let parts = verify::look(&work.config, &verify::Scope::default())?;
    if let Some(wrong) = verify::first_wrong(&parts) {
        bail!("what was restored does not verify: {wrong}");
    }
    Ok((row, lost))
}

/// What witnesses know that the backup does not have. Refused unless that is accepted; then they are set aside, and not
/// compared with.
fn losses(
    work: &mut Work,
    keys: &KeyStore,
    manifest: &Manifest,
    accept_loss: bool,
) -> anyhow::Result<Vec<Lost>> {
    let told = &manifest.told;
    let options = serve::seal::options(&work.config, keys.base())?;
    for witness in work.config.journal.witnesses.iter().filter(|witness| !witness.exists()) {
        say!(
            "garrison: the witness {} is not there: whether it knows more than the backup, nobody can tell",
            witness.display()
        );
    }
    let known = witnessed(&options.witnesses, options.signer.verifier())?;
    let more: Vec<Witnessed> =
        known.into_iter().filter(|known| known.checkpoint.size > told.records).collect();
    let Some(most) = more.iter().max_by_key(|known| known.checkpoint.size) else { return Ok(Vec::new()) };
    let (from, to) = (told.records + 1, most.checkpoint.size);
    if !accept_loss {
        let words = format!(
            "the witness {} knows {to} records, and the backup of {:.0} has {}: the records {from} to {to}, all that was \
             done since, would be lost; restore a newer backup, or go on with --accept-loss",
            most.place.display(),
            told.made,
            told.records
        );
        return Err(Refused(words).into());
    }
    let lost = |known: &Witnessed| Lost {
        from,
        to: known.checkpoint.size,
        since: told.made,
        witness: aside(&known.place, known.checkpoint.size).display().to_string(),
        checkpoint: known.note.clone(),
    };
    let losses = more.iter().map(lost).collect();
    let gone = |witness: &Path| more.iter().any(|known| known.place == witness);
    work.config.journal.witnesses.retain(|witness| !gone(witness));
    work.set_aside = more.iter().map(|known| (known.place.clone(), known.checkpoint.size)).collect();
    Ok(losses)
}

/// Makes rows of the state.
async fn fill(work: &mut Work, backup: &Unlocked) -> anyhow::Result<()> {
    let modules = serve::modules(&work.config);
    // Why a part cannot be read is told by the part, not by the line.
    let mut broken = None;
    let mut lines = state(backup).map(|line| {
        line.map_err(|error| {
            let words = error.to_string();
            broken.get_or_insert(error);
            words
        })
    });
    let filled = fill_database(&serve::database(&work.config)?, &modules, &mut lines).await;
    drop(lines);
    if let Some(error) = broken {
        return Err(error.into());
    }
    let filled = filled.context("filling the database")?;
    work.filled = true;
    let told = backup.manifest().told.records;
    ensure!(
        u64::try_from(filled.records) == Ok(told),
        "the state has {} records, and {told} were written",
        filled.records
    );
    Ok(())
}

/// Opens the state as the server does, makes journal and tree again, and notes what happened.
async fn open(
    config: &Config,
    keys: &KeyStore,
    (manifest, lost): (&Manifest, &[Lost]),
) -> anyhow::Result<Restored> {
    let journal = serve::journal(config, keys.base())?;
    let kernel = serve::open_with(config, keys.base(), Some(journal.clone() as Arc<dyn Journal>))
        .await
        .context("opening the restored state")?;
    let opened = prove(config, keys, (manifest, &journal));
    let noted = match &opened {
        Ok(_) => note(&kernel, keys, (manifest, lost)).await,
        Err(_) => Ok(()),
    };
    kernel.close().await;
    noted.and(opened)
}

/// The records lead to the checkpoint that was signed, and to those that witnesses hold.
fn prove(
    config: &Config,
    keys: &KeyStore,
    (manifest, journal): (&Manifest, &Records),
) -> anyhow::Result<Restored> {
    let options = serve::seal::options(config, keys.base())?;
    let key = options.signer.verifier().to_string();
    let told = &manifest.told;
    let (sealed, root) = match &told.checkpoint {
        Some(note) => {
            let proven = remake(&options, note, journal.bytes_from(1))
                .context("comparing the restored records with the checkpoint of the backup")?;
            // The third line of a checkpoint.
            (proven.size, note.lines().nth(2).unwrap_or_default().to_owned())
        }
        None => (0, String::new()),
    };
    Tree::open(options, journal.bytes_from(1))
        .context("comparing the restored records with what witnesses hold")?;
    Ok(Restored { backup: manifest.backup, made: told.made, records: told.records, sealed, root, key })
}

/// Begins the record of the restored state.
async fn note(
    kernel: &Kernel,
    keys: &KeyStore,
    (manifest, lost): (&Manifest, &[Lost]),
) -> anyhow::Result<()> {
    let (told, versions) = (&manifest.told, keys.keys());
    for (id, _) in kernel.tenants().await? {
        let held = versions.iter().filter(|key| key.tenant == id && key.destroyed.is_none());
        let backup = NotedBackup {
            backup: manifest.backup,
            made: told.made,
            expires: told.expires,
            place: "the one that this was restored from".parse()?,
            records: told.records,
            keys: held.map(|key| HeldKey { class: key.class, version: key.version }).collect(),
        };
        let actor = Actor::system(System::CONSOLE, id, tenant::origin(kernel));
        let done = kernel.act(&actor, RestoreBackup { backup, lost: lost.to_vec() }).await;
        done.map_err(|problem| anyhow!("noting what was restored: {problem}"))?;
    }
    Ok(())
}

/// The same path, with the folders above it.
fn made(path: &Path) -> anyhow::Result<PathBuf> {
    path.parent().map_or(Ok(()), make)?;
    Ok(path.to_owned())
}
