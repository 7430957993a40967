//! `garrison backup verify`: reads a whole backup, and names the first thing in it that is not as it was written.

use garrison_backup::{Backup, BackupError, Unlocked};
use garrison_base::{BackupId, Exit, Timestamp};
use garrison_secrets::RecoveryKey;
use serde::Serialize;

use super::{progress, state};
use crate::cli::BackupVerifyArgs;
use crate::output::{Column, Printer, Row};
use crate::say;

/// What was looked at.
#[derive(Serialize)]
pub struct Looked {
    #[serde(skip_serializing_if = "Option::is_none")]
    backup: Option<BackupId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<Timestamp>,
    state: &'static str,
    checked: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    what: Option<String>,
}

impl Row for Looked {
    const COLUMNS: &'static [Column] = &[
        Column::whole("BACKUP", 30),
        Column::whole("EXPIRES", 20),
        Column::whole("STATE", 6),
        Column::whole("CHECKED", 40),
        Column::new("PLACE", 40),
        Column::new("WHAT", 60),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.backup.map(|backup| backup.to_string()).unwrap_or_default(),
            self.expires.map(|expires| format!("{expires:.0}")).unwrap_or_default(),
            self.state.to_owned(),
            self.checked.clone(),
            self.place.clone().unwrap_or_default(),
            self.what.clone().unwrap_or_default(),
        ]
    }
}

impl Looked {
    /// Of a place that is not as it was written; what is no such place is an error of the command.
    pub fn wrong(error: BackupError) -> anyhow::Result<Self> {
        let Some(place) = error.place() else { return Err(error.into()) };
        let what = match error {
            BackupError::Object { what, .. } | BackupError::Manifest { what, .. } => what,
            other => other.to_string(),
        };
        let (place, what) = (Some(place), Some(what));
        Ok(Self { backup: None, expires: None, state: "WRONG", checked: String::new(), place, what })
    }
}

/// `garrison backup verify`
pub fn run(args: &BackupVerifyArgs) -> anyhow::Result<Exit> {
    let key = args.key.as_deref().map(RecoveryKey::open).transpose()?;
    let (row, exit) = match Backup::open(&args.from).and_then(|backup| look(backup, key.as_ref())) {
        Ok(row) => (row, Exit::Ok),
        Err(error) => (Looked::wrong(error)?, Exit::Found),
    };
    let mut printer = Printer::stdout(args.output.output);
    printer.row(&row)?;
    printer.finish::<Looked>()?;
    if key.is_none() && exit == Exit::Ok {
        say!("Nothing broke; whether somebody changed it, and the manifest with it, only --key finds.");
    }
    Ok(exit)
}

fn look(backup: Backup, key: Option<&RecoveryKey>) -> Result<Looked, BackupError> {
    let manifest = backup.manifest();
    let (id, expires) = (manifest.backup, manifest.told.expires);
    let objects = backup.objects();
    let checked = match key {
        None => {
            let bar = progress(backup.bytes(), "reading");
            backup.check(&mut |bytes| bar.inc(bytes))?;
            bar.finish_and_clear();
            format!("{objects} objects, not opened")
        }
        Some(key) => {
            let unlocked = backup.unlock(key)?;
            open(&unlocked)?;
            format!("{objects} objects opened, {} rows", rows(&unlocked)?)
        }
    };
    let (backup, expires) = (Some(id), Some(expires));
    Ok(Looked { backup, expires, state: "right", checked, place: None, what: None })
}

/// Opens every object.
fn open(backup: &Unlocked) -> Result<(), BackupError> {
    let bar = progress(backup.bytes(), "reading");
    for (number, _, bytes) in backup.objects() {
        backup.check(number)?;
        bar.inc(bytes);
    }
    bar.finish_and_clear();
    Ok(())
}

/// How many rows the state has; each table tells its number, and the state its end.
fn rows(backup: &Unlocked) -> Result<u64, BackupError> {
    let (mut rows, mut of_table, mut ended) = (0_u64, 0_u64, false);
    let wrong = |what: String| BackupError::Object { place: "the state".to_owned(), what };
    for line in state(backup) {
        let line = line?;
        ended = line.starts_with("{\"end\":");
        if line.starts_with("{\"row\":") {
            of_table += 1;
        } else if let Some(told) = line.strip_prefix("{\"rows\":").and_then(|rest| rest.strip_suffix('}')) {
            if told.parse::<u64>().ok() != Some(of_table) {
                return Err(wrong(format!("a table has {of_table} rows, and {told} were written")));
            }
            rows += of_table;
            of_table = 0;
        }
    }
    if ended { Ok(rows) } else { Err(wrong("it ends before its end".to_owned())) }
}
