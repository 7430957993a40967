use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::{FileEntry, Keyring};

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// It is not there.
    #[error("the file is gone")]
    Missing,
    /// It is shorter or longer than it was.
    #[error("it has {found} bytes, and {written} were written")]
    Length {
        /// What there is.
        found: u64,
        /// What the list tells.
        written: u64,
    },
    /// Its bytes are not those that were written.
    #[error("its SHA-256 is not the one that was listed")]
    Digest,
    /// It does not open.
    #[error("{0}")]
    Unreadable(String),
}

/// A file that is not as it was written: of events, or of their words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {wrong}", path.display())]
pub struct WrongFile {
    /// Where it lies.
    pub path: PathBuf,
    /// What is wrong with it.
    pub wrong: Wrong,
}

/// Reads a file of the lake again, whole: its length, its digest, and that every part of it and of its index opens. Answers
/// how many bytes were read.
pub fn check(dir: &Path, file: &FileEntry, keys: &dyn Keyring) -> Result<u64, WrongFile> {
    let at = |path: String, checked: Result<u64, Wrong>| {
        checked.map_err(|wrong| WrongFile { path: dir.join(path), wrong })
    };
    let events = at(file.path(), check_events(dir, file, keys))?;
    let words = at(file.words_path(), check_words(dir, file, keys))?;
    Ok(events + words)
}

fn check_events(dir: &Path, file: &FileEntry, keys: &dyn Keyring) -> Result<u64, Wrong> {
    let bytes = read(&dir.join(file.path()))?;
    let found = bytes.len() as u64;
    if found != file.bytes {
        return Err(Wrong::Length { found, written: file.bytes });
    }
    if garrison_secrets::digest(&bytes) != file.digest {
        return Err(Wrong::Digest);
    }
    opens(file, &file.object(), &bytes, keys)
}

/// No list tells the length or the digest of the words: sealed, they open as they are or not at all.
fn check_words(dir: &Path, file: &FileEntry, keys: &dyn Keyring) -> Result<u64, Wrong> {
    opens(file, &file.words_object(), &read(&dir.join(file.words_path()))?, keys)
}

fn opens(file: &FileEntry, object: &str, bytes: &[u8], keys: &dyn Keyring) -> Result<u64, Wrong> {
    if file.sealed {
        let key = keys.find(file.tenant, &file.stream, file.day());
        let key = key.ok_or_else(|| Wrong::Unreadable("there is no key for it".to_owned()))?;
        key.open(object.as_bytes(), bytes).map_err(|error| Wrong::Unreadable(error.to_string()))?;
    }
    Ok(bytes.len() as u64)
}

fn read(path: &Path) -> Result<Vec<u8>, Wrong> {
    fs::read(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => Wrong::Missing,
        _ => Wrong::Unreadable(error.to_string()),
    })
}
