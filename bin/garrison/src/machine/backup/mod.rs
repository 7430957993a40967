//! `garrison backup`: on the machine itself, straight on folders, keys and database.

pub mod create;
mod hold;
pub mod known;
pub mod restore;
pub mod verify;

use garrison_backup::{BackupError, Unlocked};
pub use hold::let_go;
use indicatif::{ProgressBar, ProgressStyle};

/// The state stands in parts of about so many bytes, each of whole lines.
const PART: usize = 8 << 20;

/// The objects of a backup, by the first part of their names.
mod kind {
    /// The folder of the keys.
    pub const KEYS: &str = "keys";
    /// All rows of the database.
    pub const STATE: &str = "state";
    /// All checkpoints of the record. Its tiles are made again from the records, and the journal from the state.
    pub const TREE: &str = "tree";
    /// The log of events: what is in no file yet.
    pub const LOG: &str = "log";
    /// The files of the lake.
    pub const LAKE: &str = "lake";
    /// How far followed files were read, and events passed on.
    pub const NOTES: [&str; 2] = ["follow", "forward"];
}

/// How far something is, for people; nothing is shown where nobody looks.
fn progress(bytes: u64, what: &str) -> ProgressBar {
    let bar = ProgressBar::new(bytes);
    let template = format!("{what} {{bytes}} of {{total_bytes}} {{bar:40}} {{eta}}");
    bar.set_style(ProgressStyle::with_template(&template).unwrap_or(ProgressStyle::default_bar()));
    bar
}

/// The lines of the state that a backup has. They end where a part cannot be read, with why.
fn state(backup: &Unlocked) -> impl Iterator<Item = Result<String, BackupError>> {
    let parts = backup.objects().filter(|(_, name, _)| name.kind().0 == kind::STATE);
    parts.flat_map(move |(number, name, _)| {
        let read = backup.read(number).and_then(|bytes| {
            let place = || format!("objects/{number:06} ({name})");
            let text = str::from_utf8(&bytes)
                .map_err(|_| BackupError::Object { place: place(), what: "it is no text".to_owned() })?;
            Ok(text.lines().map(str::to_owned).collect::<Vec<_>>())
        });
        let lines: Vec<Result<String, BackupError>> = match read {
            Ok(lines) => lines.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        };
        lines
    })
}
