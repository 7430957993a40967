//! The list of all checkpoints: a file for each day, a line for each, in base64.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use garrison_transparency::{Checkpoint, root_of};

use super::open::read;
use super::{Fault, Kind, SEALED, Tree, TreeError};

impl Tree {
    /// Reads the list of checkpoints again: each was signed here, tells of no fewer records than the one before, and has the
    /// root of the tree as it was then. Answers how many there are. A line that is missing whole is not found here: where a
    /// server was not there, there are none either.
    pub fn verify_history(&self) -> Result<u64, TreeError> {
        let mut count = 0;
        let mut last: Option<Checkpoint> = None;
        for path in days(&self.folder.0.join(SEALED))? {
            let bytes = fs::read(&path).map_err(TreeError::io(&path))?;
            let text = String::from_utf8_lossy(&bytes);
            for (number, line) in (1..).zip(text.split_inclusive('\n')) {
                let place = PathBuf::from(format!("{}:{number}", path.display()));
                last = Some(self.verify_line(line, &place, last.as_ref())?);
                count += 1;
            }
        }
        Ok(count)
    }

    fn verify_line(
        &self,
        line: &str,
        place: &Path,
        before: Option<&Checkpoint>,
    ) -> Result<Checkpoint, TreeError> {
        let wrong = |kind: Kind, what: &str| Fault::new(kind, place.display().to_string(), what);
        let whole = line.strip_suffix('\n').ok_or_else(|| wrong(Kind::Truncated, "the line has no end"))?;
        let text = STANDARD.decode(whole).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let text = text.ok_or_else(|| wrong(Kind::Edited, "the line is no checkpoint in base64"))?;
        let (checkpoint, _) = read(&text, self.verifier(), place)?;
        let (size, sealed) = (checkpoint.size, self.sealed_size());
        if size > sealed {
            let what = format!("it tells of {size} records, and {sealed} are sealed");
            return Err(wrong(Kind::RolledBack, &what).into());
        }
        let root = match before {
            Some(before) if before.size > size => {
                return Err(wrong(Kind::Reordered, "it tells of fewer records than the one before").into());
            }
            Some(before) if before.size == size => before.root,
            _ => root_of(|id| self.folder.tile(id, sealed), size)
                .map_err(|error| wrong(Kind::Unreadable, &format!("its tiles cannot be read: {error}")))?,
        };
        if root != checkpoint.root {
            return Err(wrong(Kind::Edited, "it tells of other records than those that are sealed").into());
        }
        Ok(checkpoint)
    }
}

/// The files of the days, in order; none where nothing was sealed yet.
fn days(folder: &Path) -> Result<Vec<PathBuf>, TreeError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(TreeError::io(folder)(error)),
    };
    let mut days: Vec<PathBuf> = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .map_err(TreeError::io(folder))?;
    days.sort();
    Ok(days)
}
