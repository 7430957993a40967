//! What `garrison init` has made so far, so that it can be told, and undone where a later step fails.

use std::fmt;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;

use crate::output::{Column, Row};
use crate::say;

/// One thing that was made.
#[derive(Serialize)]
pub struct Thing {
    made: &'static str,
    at: String,
    note: String,
}

impl Row for Thing {
    const COLUMNS: &'static [Column] =
        &[Column::new("MADE", 13), Column::whole("AT", 36), Column::new("NOTE", 40)];

    fn cells(&self) -> Vec<String> {
        vec![self.made.to_owned(), self.at.clone(), self.note.clone()]
    }
}

/// What is there already, in words: it would have to be replaced, and is not.
#[derive(Debug)]
pub struct InTheWay(pub String);

impl fmt::Display for InTheWay {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}; nothing was touched", self.0)
    }
}

impl std::error::Error for InTheWay {}

/// What was made, and how it is undone.
#[derive(Default)]
pub struct Made {
    things: Vec<Thing>,
    undo: Vec<Undo>,
}

enum Undo {
    /// A file or folder that was not there.
    Remove(PathBuf),
    /// A folder that was there, and empty.
    Empty(PathBuf),
}

impl Made {
    /// Tells of a thing.
    pub fn note(&mut self, made: &'static str, at: impl fmt::Display, note: impl Into<String>) {
        self.things.push(Thing { made, at: at.to_string(), note: note.into() });
    }

    /// Everything told.
    pub fn things(&self) -> &[Thing] {
        &self.things
    }

    /// A file with this text, and the folders above it.
    pub fn file(&mut self, path: &Path, text: &str, mode: u32) -> anyhow::Result<()> {
        let shown = path.display();
        // A link that leads nowhere is something too.
        if path.symlink_metadata().is_ok() {
            return Err(InTheWay(format!("{shown} is there already")).into());
        }
        if let Some(folder) = path.parent() {
            self.folders(folder, 0o755)?;
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(path)
            .with_context(|| format!("making {shown}"))?;
        self.undo.push(Undo::Remove(path.to_owned()));
        file.write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .with_context(|| format!("writing {shown}"))
    }

    /// A folder that only its owner may enter, with nothing in it.
    pub fn folder(&mut self, path: &Path) -> anyhow::Result<()> {
        if path.symlink_metadata().is_err() {
            return self.folders(path, 0o700);
        }
        let shown = path.display();
        if fs::read_dir(path).with_context(|| format!("reading the folder {shown}"))?.next().is_some() {
            return Err(InTheWay(format!("the folder {shown} is there already, and not empty")).into());
        }
        self.undo.push(Undo::Empty(path.to_owned()));
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))
            .with_context(|| format!("closing {shown}"))
    }

    /// From here on everything stays, whatever happens.
    pub fn keep(&mut self) {
        self.undo.clear();
    }

    /// Removes everything, the last thing first.
    pub fn undo(&mut self) {
        while let Some(step) = self.undo.pop() {
            let (path, done) = match &step {
                Undo::Remove(path) if path.is_dir() => (path, fs::remove_dir_all(path)),
                Undo::Remove(path) => (path, fs::remove_file(path)),
                Undo::Empty(path) => (path, empty(path)),
            };
            if let Err(error) = done {
                say!("garrison: removing {} again: {error}", path.display());
            }
        }
    }

    /// A folder with those above it, as far as they are missing.
    fn folders(&mut self, path: &Path, mode: u32) -> anyhow::Result<()> {
        let Some(first) = path.ancestors().take_while(|folder| !folder.exists()).last() else {
            return Ok(());
        };
        let made = DirBuilder::new().recursive(true).mode(mode).create(path);
        self.undo.push(Undo::Remove(first.to_owned()));
        made.with_context(|| format!("making the folder {}", path.display()))
    }
}

fn empty(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { fs::remove_dir_all(path)? } else { fs::remove_file(path)? }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_is_undone_and_what_was_there_stays() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        fs::create_dir(at("empty")).unwrap();
        fs::write(at("there"), "mine").unwrap();
        let mut made = Made::default();
        made.file(&at("a/b/file"), "text", 0o600).unwrap();
        made.folder(&at("a/data")).unwrap();
        made.folder(&at("empty")).unwrap();
        fs::write(at("a/data/x"), "").unwrap();
        fs::create_dir(at("empty/y")).unwrap();
        assert_eq!(fs::metadata(at("a/b/file")).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(made.file(&at("there"), "", 0o600).unwrap_err().is::<InTheWay>());
        assert!(made.folder(&at("empty")).unwrap_err().is::<InTheWay>());

        made.undo();
        assert!(!at("a").exists() && fs::read_dir(at("empty")).unwrap().next().is_none());
        assert_eq!(fs::read_to_string(at("there")).unwrap(), "mine");
    }

    #[test]
    fn what_is_kept_is_not_undone() {
        let place = tempfile::tempdir().unwrap();
        let mut made = Made::default();
        made.file(&place.path().join("file"), "text", 0o600).unwrap();
        made.keep();
        made.undo();
        assert!(place.path().join("file").exists());
    }
}
