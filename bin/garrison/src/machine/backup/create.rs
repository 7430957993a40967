//! `garrison backup create`: while the server runs, in an order that makes whatever happens meanwhile harmless.
//!
//! What is taken, and when:
//!
//! 1. the keys;
//! 2. the last checkpoint of the record;
//! 3. how far files were followed;
//! 4. the log of events is held, segment by segment;
//! 5. the snapshot of the state;
//! 6. the files of the lake that the snapshot lists are held;
//! 7. the log of events is held again;
//! 8. the keys again, which must be the same.
//!
//! Then all of it is copied, which takes as long as it takes.
//!
//! Why the copy opens:
//!
//! - *The checkpoint (2) tells of no more records than the state (5) has*: a record is sealed when it is in the journal, comes
//!   there after it was committed, and the state is read later. The journal and the tiles are not copied. They follow from
//!   the records in the state, so restoring makes them again, and that the root is the one that was signed proves that the
//!   records are all that were sealed, as they were.
//! - *The log of events has everything that the state (5) does not have in files.* The server lets go of a segment after the
//!   act that lists the files of its events was committed. What it let go of before (4) is therefore in files of (5). What is
//!   there at (4) is held; what is new until (7) is held then, unless it came and went in between, and that shows as a gap
//!   between segments (`Archive::open`), after which everything is done again.
//! - *The log does not end before the position of the state (5)*, which is a number that was on the disk before (5): the end of
//!   the log is looked for after (7). What is there beyond the position is followed after the restore, as after a crash.
//! - *Every listed file is there*: files are removed minutes after they went off the list, or at the start of a server; one that
//!   is gone between (5) and (6) makes everything be done again. Each is compared with the digest on the list while it is
//!   copied.
//! - *The keys open the state's*: keys that were the same before (1) and after (8) are those of (5). A version that was made
//!   in between, or destroyed, is seen.
//! - *Certificates of destroyed keys name every backup that has them*: a backup is noted before it gets its name. One whose
//!   keys were destroyed before it was noted, while it was copied, gets none.
//! - *Lines of followed files may be there twice, and none is missing*: (3) is noted after the lines are in the log, and is
//!   read before the log is.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf, absolute};
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail, ensure};
use garrison_backup::{Made, Making, Manifest, ObjectName, Told};
use garrison_base::{BackupId, Exit, Line, TenantId, Timestamp};
use garrison_journal::{Archive, OpenError, pin};
use garrison_kernel::{Actor, Kernel, Snapshot, System};
use garrison_lake::FileEntry;
use garrison_logs::acts::{CreateBackup, ForgetBackup};
use garrison_logs::{HeldKey, NotedBackup};
use garrison_secrets::{KeyStore, RecoveryError, RecoveryPublic, SystemEntropy};
use jiff::SignedDuration;
use serde::Serialize;
use zeroize::Zeroizing;

use super::hold::Hold;
use super::{PART, kind, progress};
use crate::cli::BackupCreateArgs;
use crate::config::{Config, Engine};
use crate::machine::{tenant, wait};
use crate::output::{Column, Printer, Row};
use crate::{say, serve};

/// How often it is begun anew when something changed meanwhile.
const TRIES: usize = 5;
/// So many bytes of a file are looked at for a public key.
const LONGEST: usize = 1 << 12;

/// What was made.
#[derive(Serialize)]
struct Created {
    backup: BackupId,
    made: Timestamp,
    expires: Timestamp,
    records: u64,
    bytes: u64,
    at: String,
}

impl Row for Created {
    const COLUMNS: &'static [Column] = &[
        Column::whole("BACKUP", 30),
        Column::whole("MADE", 20),
        Column::whole("EXPIRES", 20),
        Column::new("RECORDS", 9),
        Column::new("BYTES", 12),
        Column::new("AT", 40),
    ];

    fn cells(&self) -> Vec<String> {
        let Self { backup, made, expires, records, bytes, at } = self;
        vec![
            backup.to_string(),
            format!("{made:.0}"),
            format!("{expires:.0}"),
            records.to_string(),
            bytes.to_string(),
            at.clone(),
        ]
    }
}

/// `garrison backup create`
pub fn run(args: &BackupCreateArgs) -> anyhow::Result<Exit> {
    let config = args.config.load()?.config;
    let recovery = recovery(&config, args.recovery.as_deref())?;
    let to = absolute(&args.to).with_context(|| format!("finding {}", args.to.display()))?;
    ensure!(to.is_dir(), "there is no folder {}: make it, or look whether its disk is mounted", to.display());
    // Opening one that is not there would make it.
    if let Some(Engine::Sqlite(file)) = config.engine() {
        ensure!(
            file.exists(),
            "there is no database {}: look whether its disk is mounted, or name the right configuration",
            file.display()
        );
    }
    let label = match &args.label {
        Some(label) => label.clone(),
        None => to
            .display()
            .to_string()
            .parse::<Line>()
            .map_err(|error| anyhow!("--to: {error}; name it by --label"))?,
    };
    let Some(hold) = Hold::take(&config.data.dir)? else {
        say!("garrison: another backup is being made");
        return Ok(Exit::Conflict);
    };
    let wanted = Wanted { to, label, days: args.expires, recovery };
    let (manifest, bytes, at) = wait(create(&config, &wanted, &hold))?;
    let Manifest { backup, told, .. } = manifest;
    let (made, expires, records) = (told.made, told.expires, told.records);
    let mut printer = Printer::stdout(args.output.output);
    printer.row(&Created { backup, made, expires, records, bytes, at: at.display().to_string() })?;
    printer.finish::<Created>()?;
    Ok(Exit::Ok)
}

/// The public half of the recovery key. Of a file it is the line that is one, also in the file of the secret half.
fn recovery(config: &Config, given: Option<&str>) -> anyhow::Result<RecoveryPublic> {
    let given = given.or(config.backup.recovery.as_deref()).context(
        "nobody said to which recovery key: give --recovery, or set `backup.recovery`; `garrison backup key` makes one",
    )?;
    let malformed: RecoveryError = match given.parse::<RecoveryPublic>() {
        Ok(public) => return Ok(public),
        Err(malformed) => malformed,
    };
    // What should be a key and not a file is not repeated: it may be the secret half.
    if given.starts_with("garrison-recovery-") && !Path::new(given).exists() {
        return Err(malformed.into());
    }
    let mut text = Zeroizing::new(String::with_capacity(LONGEST));
    let read = File::open(given).and_then(|file| file.take(LONGEST as u64).read_to_string(&mut text));
    read.with_context(|| format!("reading the recovery key {given}"))?;
    let public = text.lines().find_map(|line| line.parse().ok());
    public
        .with_context(|| format!("{given} has no public half of a recovery key, `garrison-recovery-v1:...`"))
}

struct Wanted {
    to: PathBuf,
    label: Line,
    days: u32,
    recovery: RecoveryPublic,
}

/// What is held and read, and can be copied now.
struct Held {
    kernel: Kernel,
    keys: KeyStore,
    tenants: Vec<TenantId>,
    snapshot: Snapshot,
    small: Small,
    files: Vec<(FileEntry, [PathBuf; 2])>,
    log: Archive,
    made: Timestamp,
}

/// Small files that are sealed as they are.
struct Small {
    keys: Vec<(String, Zeroizing<Vec<u8>>)>,
    checkpoint: Option<String>,
    others: Vec<(String, Zeroizing<Vec<u8>>)>,
}

async fn create(config: &Config, wanted: &Wanted, hold: &Hold) -> anyhow::Result<(Manifest, u64, PathBuf)> {
    let mut why = String::new();
    for _ in 0..TRIES {
        hold.clear()?;
        match take_hold(config, hold).await? {
            Ok(held) => return copy(config, wanted, hold, held).await,
            Err(changed) => {
                say!("garrison: {changed} meanwhile; it is begun anew");
                why = changed;
            }
        }
    }
    bail!(
        "{why} meanwhile, each of {TRIES} times; try again, and if it lasts `garrison audit verify` tells more"
    )
}

/// Steps 1 to 8; or what changed meanwhile.
async fn take_hold(config: &Config, hold: &Hold) -> anyhow::Result<Result<Held, String>> {
    let (data, log) = (&config.data.dir, config.data.dir.join("log"));
    let keys_before = below(&config.keys.dir, kind::KEYS, &["root.key", "keys.store", "tls"])?;
    let keys = serve::keys(config)?;
    let tree = data.join("tree");
    let checkpoint =
        read(&tree.join("checkpoint"))?.map(|bytes| String::from_utf8(bytes.to_vec())).transpose();
    let checkpoint = checkpoint.context("reading the checkpoint of the record")?;
    // Before the first one nothing is sealed; the first may just come.
    let sealed: &[&str] = if checkpoint.is_some() { &["sealed"] } else { &[] };
    let mut others = below(&tree, kind::TREE, sealed)?;
    for (_, lines) in &mut others {
        // A line may be on its way.
        let whole = lines.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        lines.truncate(whole);
    }
    for notes in kind::NOTES {
        others.extend(below(data, "", &[notes])?);
    }
    pin(&log, &hold.log())?;
    let kernel = serve::open_with(config, keys.base(), None).await?;
    let made = kernel.now();
    let mut snapshot = kernel.snapshot().await?;
    let tenants = snapshot.tenants();
    ensure!(!tenants.is_empty(), "the database is empty, so there is nothing to keep: is it the right one?");
    let listed = garrison_logs::catalogue(&mut snapshot, &tenants).await?;
    let mut files = Vec::with_capacity(listed.len());
    for (number, file) in listed.into_iter().enumerate() {
        let [events, words] = [file.path(), file.words_path()].map(|path| data.join("lake").join(path));
        let (events, words) = (hold.file(&events, 2 * number)?, hold.file(&words, 2 * number + 1)?);
        let (Some(events), Some(words)) = (events, words) else {
            kernel.close().await;
            return Ok(Err(format!("the file {} of the lake went", file.path())));
        };
        files.push((file, [events, words]));
    }
    pin(&log, &hold.log())?;
    let held_log = match Archive::open(&hold.log(), ("events", &keys.base().seal("journal/events")), u64::MAX)
    {
        Ok(log) => log,
        Err(OpenError::Damaged { what, .. }) => {
            kernel.close().await;
            return Ok(Err(format!("the log of events changed ({what})")));
        }
        Err(error) => return Err(error.into()),
    };
    if below(&config.keys.dir, kind::KEYS, &["root.key", "keys.store", "tls"])? != keys_before {
        kernel.close().await;
        return Ok(Err("the keys changed".to_owned()));
    }
    let small = Small { keys: keys_before, checkpoint, others };
    Ok(Ok(Held { kernel, keys, tenants, snapshot, small, files, log: held_log, made }))
}

async fn copy(
    config: &Config,
    wanted: &Wanted,
    hold: &Hold,
    held: Held,
) -> anyhow::Result<(Manifest, u64, PathBuf)> {
    let Held { kernel, keys, tenants, mut snapshot, small, files, log, made } = held;
    let id = BackupId::new(made, &SystemEntropy);
    let mut making = Making::begin(&wanted.to, id, Arc::new(SystemEntropy))?;
    hold.note(making.folder())?;
    for (name, bytes) in small.keys.iter().chain(&small.others) {
        making.seal(name.parse()?, bytes)?;
    }
    copy_state(&mut making, &mut snapshot).await?;
    let records = u64::try_from(snapshot.records()).unwrap_or(0);
    drop(snapshot);
    for extent in log.extents() {
        let (path, bytes) = extent?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        making.copy(format!("{}/{name}", kind::LOG).parse()?, path, Some(bytes))?;
    }
    copy_lake(&mut making, &files)?;
    let expires = made.checked_add(SignedDuration::from_hours(24 * i64::from(wanted.days)));
    let told = Told {
        made,
        expires: expires.context("--expires is too far away")?,
        tenants: tenants.len() as u64,
        records,
        checkpoint: small.checkpoint,
    };
    let made = making.finish(told, &wanted.recovery)?;
    note(&kernel, &tenants, (&keys, &made, &wanted.label))
        .await
        .with_context(|| format!("noting the backup in the state of {}", config.data.dir.display()))?;
    if destroyed_since(&keys, &serve::keys(config)?) {
        // A certificate may have been given that could not name it yet.
        forget(&kernel, &tenants, id).await?;
        bail!("a key was destroyed while the backup was made, which would still have it: make it again");
    }
    kernel.close().await;
    let (manifest, bytes) = (made.manifest().clone(), made.bytes());
    Ok((manifest, bytes, made.publish()?))
}

/// All rows, in parts of whole lines.
async fn copy_state(making: &mut Making, snapshot: &mut Snapshot) -> anyhow::Result<()> {
    let (mut part, mut number) = (Vec::with_capacity(PART), 0);
    let mut seal = |part: &mut Vec<u8>| -> io::Result<()> {
        let name: ObjectName = format!("{}/{number:06}", kind::STATE).parse().map_err(io::Error::other)?;
        number += 1;
        making.seal(name, part).map_err(io::Error::other)?;
        part.clear();
        Ok(())
    };
    let mut take = |line: &[u8]| -> io::Result<()> {
        if !part.is_empty() && part.len() + line.len() > PART {
            seal(&mut part)?;
        }
        part.extend_from_slice(line);
        Ok(())
    };
    snapshot.export(&mut take).await?;
    seal(&mut part)?;
    Ok(())
}

/// The files as they were written: what is sealed already stays so.
fn copy_lake(making: &mut Making, files: &[(FileEntry, [PathBuf; 2])]) -> anyhow::Result<()> {
    let bar = progress(files.iter().map(|(file, _)| file.bytes).sum(), "copying");
    for (file, [events, words]) in files {
        let name = |path: String| format!("{}/{path}", kind::LAKE).parse::<ObjectName>();
        let (events_name, words_name) = (name(file.path())?, name(file.words_path())?);
        let wrong = || {
            anyhow!(
                "the file {} is not the one that was listed: `garrison audit verify` tells more",
                file.path()
            )
        };
        if file.sealed {
            let digest: String = file.digest.iter().map(|byte| format!("{byte:02x}")).collect();
            let copied = making.copy(events_name, events, None)?;
            ensure!(copied.bytes == file.bytes && copied.sha256 == digest, wrong());
            making.copy(words_name, words, None)?;
        } else {
            let plain = fs::read(events).with_context(|| format!("reading {}", file.path()))?;
            ensure!(garrison_secrets::digest(&plain) == file.digest, wrong());
            making.seal(events_name, &plain)?;
            let plain = fs::read(words).with_context(|| format!("reading {}", file.words_path()))?;
            making.seal(words_name, &plain)?;
        }
        bar.inc(file.bytes);
    }
    bar.finish_and_clear();
    Ok(())
}

/// Notes the backup in every tenant.
async fn note(
    kernel: &Kernel,
    tenants: &[TenantId],
    (keys, made, label): (&KeyStore, &Made, &Line),
) -> anyhow::Result<()> {
    let Manifest { backup, told, .. } = made.manifest();
    for tenant in tenants {
        let of_tenant = |key: &garrison_secrets::TenantKey| key.tenant == *tenant && key.destroyed.is_none();
        let held = keys.keys().into_iter().filter(of_tenant);
        let noted = NotedBackup {
            backup: *backup,
            made: told.made,
            expires: told.expires,
            place: label.clone(),
            records: told.records,
            keys: held.map(|key| HeldKey { class: key.class, version: key.version }).collect(),
        };
        let actor = Actor::system(System::CONSOLE, *tenant, tenant::origin(kernel));
        let done = kernel.act(&actor, CreateBackup { backup: noted }).await;
        done.map_err(|problem| anyhow!("{problem}"))?;
    }
    Ok(())
}

/// Notes that the backup is not there.
async fn forget(kernel: &Kernel, tenants: &[TenantId], backup: BackupId) -> anyhow::Result<()> {
    for tenant in tenants {
        let actor = Actor::system(System::CONSOLE, *tenant, tenant::origin(kernel));
        let done = kernel.act(&actor, ForgetBackup { backup }).await;
        done.map_err(|problem| anyhow!("noting that there is no backup: {problem}"))?;
    }
    Ok(())
}

/// Whether a version that was there before is not there now.
fn destroyed_since(before: &KeyStore, now: &KeyStore) -> bool {
    let (before, now) = (before.keys(), now.keys());
    let mut held = before.iter().filter(|key| key.destroyed.is_none());
    held.any(|key| !now.contains(key))
}

/// The files at these places below a folder, with those in folders, by name; `prefix` stands before the names. A link counts
/// as what it leads to: where a system hands secrets over, the root key may be one.
fn below(dir: &Path, prefix: &str, places: &[&str]) -> anyhow::Result<Vec<(String, Zeroizing<Vec<u8>>)>> {
    let mut found = Vec::new();
    for place in places {
        for entry in walkdir::WalkDir::new(dir.join(place)).follow_links(true).sort_by_file_name() {
            let entry = match entry {
                Ok(entry) => entry,
                // Not there, or gone by now: of the keys only `tls` may be missing, and the others are opened.
                Err(error) if error.io_error().is_some_and(|io| io.kind() == io::ErrorKind::NotFound) => {
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            let path = entry.path();
            let unfinished = path.extension().is_some_and(|end| end == "new");
            if !entry.file_type().is_file() || unfinished {
                continue;
            }
            let Some(bytes) = read(path)? else { continue };
            let name = path.strip_prefix(dir)?.display().to_string();
            found.push((if prefix.is_empty() { name } else { format!("{prefix}/{name}") }, bytes));
        }
    }
    Ok(found)
}

fn read(path: &Path) -> anyhow::Result<Option<Zeroizing<Vec<u8>>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(Zeroizing::new(bytes))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
    }
}
