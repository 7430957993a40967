//! `garrison audit verify`: reads everything that was sealed again, and names the first place that is not as it was.

mod files;

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use garrison_base::{Clock, Entropy, Exit, SystemClock};
use garrison_journal::{Archive, Fault, Kind, OpenError, Tree, TreeError, TreeOptions};
use garrison_kernel::{DbError, Difference, Journal, JournalError, Journaled, Kernel};
use garrison_lake::{FileEntry, Keyring};
use garrison_secrets::{KeyStore, SystemEntropy};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::civil::{Date, date};
use serde::Serialize;

use super::wait;
use crate::cli::client::AuditVerifyArgs;
use crate::config::{Config, Engine};
use crate::output::{Column, Printer, Row};
use crate::{say, serve};

/// What was looked at.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "fields are names in the output")]
pub struct Part {
    part: &'static str,
    checked: String,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    what: Option<String>,
}

impl Row for Part {
    const COLUMNS: &'static [Column] = &[
        Column::whole("PART", 10),
        Column::whole("CHECKED", 28),
        Column::whole("STATE", 6),
        Column::whole("KIND", 11),
        Column::new("PLACE", 40),
        Column::new("WHAT", 60),
    ];

    fn cells(&self) -> Vec<String> {
        let or_none = |text: &Option<String>| text.clone().unwrap_or_default();
        vec![
            self.part.to_owned(),
            self.checked.clone(),
            self.state.to_owned(),
            or_none(&self.kind),
            or_none(&self.place),
            or_none(&self.what),
        ]
    }
}

/// How far a part got, or where it is wrong.
type Verified = anyhow::Result<Result<String, Fault>>;

impl Part {
    fn is_right(&self) -> bool {
        self.kind.is_none()
    }

    fn of(part: &'static str, verified: Result<String, Fault>) -> Self {
        match verified {
            Ok(checked) => Self { part, checked, state: "right", place: None, kind: None, what: None },
            Err(Fault { kind, place, what }) => Self {
                part,
                checked: String::new(),
                state: "WRONG",
                place: Some(place),
                kind: Some(kind.to_string()),
                what: Some(what),
            },
        }
    }
}

/// `garrison audit verify`
pub fn run(args: &AuditVerifyArgs) -> anyhow::Result<Exit> {
    if let (Some(from), Some(to)) = (args.from, args.to)
        && from > to
    {
        say!("garrison: {from} is after {to}: give the first day by --from, and the last by --to");
        return Ok(Exit::Usage);
    }
    let config = args.config.load()?.config;
    let scope = Scope { from: args.from, to: args.to, checkpoint: args.checkpoint.as_deref() };
    let parts = look(&config, &scope)?;
    let mut printer = Printer::stdout(args.output.output);
    parts.iter().try_for_each(|part| printer.row(part))?;
    printer.finish::<Part>()?;
    Ok(if first_wrong(&parts).is_none() { Exit::Ok } else { Exit::Found })
}

/// What is looked at beyond what is always.
#[derive(Default)]
pub struct Scope<'s> {
    from: Option<Date>,
    to: Option<Date>,
    checkpoint: Option<&'s Path>,
}

impl Scope<'_> {
    /// Whether a file is of the days that are asked for.
    fn covers(&self, file: &FileEntry) -> bool {
        let number = |day: Date| i64::from((day - date(1970, 1, 1)).get_days());
        let (from, to) = (self.from.map(number), self.to.map(number));
        from.is_none_or(|from| file.day() >= from) && to.is_none_or(|to| file.day() <= to)
    }
}

/// Looks at all parts; where the journal is wrong, at that alone, since all others are compared with it.
pub fn look(config: &Config, scope: &Scope<'_>) -> anyhow::Result<Vec<Part>> {
    let keys = Arc::new(serve::keys(config)?);
    let mut parts = vec![Part::of("journal", journal(config, &keys))];
    if parts.iter().all(Part::is_right) {
        parts.push(Part::of("tree", tree(config, &keys, scope.checkpoint)?));
        let (database, files) = wait(state(config, &keys, scope))?;
        parts.push(Part::of("database", database));
        parts.extend(files.map(|files| Part::of("files", files)));
    }
    Ok(parts)
}

/// The first part that is not as it was sealed, in words; nothing where all four are.
pub fn first_wrong(parts: &[Part]) -> Option<String> {
    let wrong = parts.iter().find(|part| !part.is_right());
    let words = |part: &Part| {
        let [place, what] = [&part.place, &part.what].map(|text| text.clone().unwrap_or_default());
        format!("{}: {place}: {what}", part.part)
    };
    wrong.map(words).or_else(|| (parts.len() < 4).then(|| "not everything could be looked at".to_owned()))
}

fn progress(length: u64, words: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(&format!("{words} {{bar:40}} {{eta}}"));
    ProgressBar::new(length).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// The journal as it is now.
fn opened(config: &Config, keys: &KeyStore) -> Result<Archive, Fault> {
    let dir = config.data.dir.join("journal");
    let key = keys.base().seal("journal/acts");
    Archive::open(&dir, ("acts", &key), 1).map_err(|error| damaged(&error))
}

/// Reads every record of the journal.
fn journal(config: &Config, keys: &KeyStore) -> Result<String, Fault> {
    let archive = opened(config, keys)?;
    let count = archive.next() - 1;
    let bar = progress(count, "reading {pos} of {len} records");
    for entry in archive.entries() {
        entry.map_err(|error| damaged(&error))?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(format!("{count} records"))
}

fn damaged(error: &OpenError) -> Fault {
    let place = match error {
        OpenError::Io { path, .. } | OpenError::Damaged { path, .. } | OpenError::Taken(path) => {
            path.display()
        }
    };
    let kind = match error {
        OpenError::Damaged { what, .. } if what.ends_with("is missing") => Kind::Deleted,
        OpenError::Damaged { .. } => Kind::Edited,
        OpenError::Io { .. } | OpenError::Taken(_) => Kind::Unreadable,
    };
    Fault::new(kind, place.to_string(), error.to_string())
}

/// Makes the tree again from the records, and compares it with what was sealed here and elsewhere.
fn tree(config: &Config, keys: &KeyStore, checkpoint: Option<&Path>) -> Verified {
    for witness in config.journal.witnesses.iter().filter(|witness| !witness.exists()) {
        say!("garrison: the witness {} is not there, and is not compared", witness.display());
    }
    match tree_now(config, keys, checkpoint)? {
        // A server that runs may have sealed between the look at the records and the one at the tree. What is wrong stays
        // wrong.
        Err(_) => tree_now(config, keys, checkpoint),
        right => Ok(right),
    }
}

fn tree_now(config: &Config, keys: &KeyStore, checkpoint: Option<&Path>) -> Verified {
    let mut options: TreeOptions = serve::seal::options(config, keys.base())?;
    if let Some(checkpoint) = checkpoint {
        std::fs::metadata(checkpoint).with_context(|| format!("reading {}", checkpoint.display()))?;
        options.witnesses.push(checkpoint.to_owned());
    }
    let archive = match opened(config, keys) {
        Ok(archive) => archive,
        Err(fault) => return Ok(Err(fault)),
    };
    let records = archive.records().map(|record| record.map(|record| record.bytes).map_err(|error| error.0));
    let sealed =
        Tree::open(options, records).and_then(|tree| Ok((tree.sealed_size(), tree.verify_history()?)));
    match sealed {
        Ok((size, times)) => Ok(Ok(format!("{size} records sealed, {times} times"))),
        Err(TreeError::Fault(fault)) => Ok(Err(fault)),
        Err(error) => Err(error.into()),
    }
}

/// A journal that the database is compared with, and that nothing is added to.
struct Compared(Archive);

impl Journal for Compared {
    fn keep(
        &self,
        _: Vec<Journaled>,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<(), JournalError>> + Send + '_>> {
        // A server that runs meanwhile keeps what came since; one that does not will do so when it starts.
        Box::pin(std::future::ready(Ok(())))
    }

    fn kept(&self) -> Box<dyn Iterator<Item = Result<Journaled, JournalError>> + Send + '_> {
        Box::new(self.0.records())
    }
}

/// The database, beside the journal; then the files that it lists, beside what the records tell of them.
async fn state(
    config: &Config,
    keys: &Arc<KeyStore>,
    scope: &Scope<'_>,
) -> anyhow::Result<(Result<String, Fault>, Option<Result<String, Fault>>)> {
    // Opening one that is not there would make it.
    if let Some(Engine::Sqlite(file)) = config.engine()
        && !file.exists()
    {
        let what = "the database is gone; put it back from a copy";
        return Ok((Err(Fault::new(Kind::Deleted, file.display().to_string(), what)), None));
    }
    let archive = match opened(config, keys) {
        Ok(archive) => archive,
        Err(fault) => return Ok((Err(fault), None)),
    };
    let checked = format!("{} records", archive.next() - 1);
    let told = files::told(&archive)?;
    let kernel = match serve::look(config, keys.base(), Arc::new(Compared(archive))).await {
        Ok(kernel) => kernel,
        Err(error) => return Ok((Err(database_fault(&error)?), None)),
    };
    let listed = listed(&kernel, keys).await;
    kernel.close().await;
    let (entries, keyring) = match listed {
        Ok(listed) => listed,
        Err(error) => {
            let fault = Fault::new(Kind::Edited, "the list of files, or of their keys", format!("{error:#}"));
            return Ok((Ok(checked), Some(Err(fault))));
        }
    };
    let later = || {
        let unreadable = |error: JournalError| Fault::new(Kind::Unreadable, "the journal", error.to_string());
        files::told(&opened(config, keys)?).map_err(unreadable)
    };
    let lake = config.data.dir.join("lake");
    let files = files::check(&lake, (&entries, &*keyring), &told, |file| scope.covers(file), later);
    Ok((Ok(checked), Some(files)))
}

async fn listed(kernel: &Kernel, keys: &Arc<KeyStore>) -> anyhow::Result<(Vec<FileEntry>, Arc<dyn Keyring>)> {
    let parts: (Arc<dyn Clock>, Arc<dyn Entropy>) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
    Ok(garrison_logs::listed(kernel, keys.clone(), parts).await?)
}

/// What the kernel says when it does not open, as a place and a kind. What is no difference is an error of this command.
fn database_fault(error: &anyhow::Error) -> anyhow::Result<Fault> {
    use garrison_kernel::OpenError;
    let (kind, place) = match error.downcast_ref::<OpenError>() {
        Some(OpenError::Difference(Difference::Older { seq })) => {
            let what = "the database ends before it: it was shortened, or an older copy was put back";
            return Ok(Fault::new(Kind::RolledBack, format!("record {seq} of the database"), what));
        }
        Some(OpenError::Difference(Difference::Other { seq })) => {
            (Kind::Edited, format!("record {seq} of the database"))
        }
        Some(OpenError::Database(failed) | OpenError::Difference(Difference::Database(failed))) => {
            let changed = matches!(failed, DbError::Tampered { .. } | DbError::Column { .. });
            (if changed { Kind::Edited } else { Kind::Unreadable }, "the database".to_owned())
        }
        _ => anyhow::bail!("{error:#}"),
    };
    Ok(Fault::new(kind, place, format!("{error:#}")))
}
