//! Holding the files of a log that another process writes, so that they stay when it lets go of them.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::Path;

use crate::OpenError;
use crate::segment::{numbers, path};

/// Gives each segment of a log a second name in a folder on the same file system. Done again, it adds those that came
/// meanwhile. What [`Archive`](crate::Archive) opens there is the log as far as it was written; one that came and went
/// between two times is missed there as the segment behind another.
pub fn pin(log: &Path, into: &Path) -> Result<(), OpenError> {
    if !log.exists() {
        return Ok(());
    }
    for number in numbers(log)? {
        let to = path(into, number);
        match fs::hard_link(path(log, number), &to) {
            // The other process let go of it between the listing and now: what is in it is kept elsewhere.
            Err(error) if matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::NotFound) => {}
            done => done.map_err(OpenError::io(to))?,
        }
    }
    File::open(into).and_then(|folder| folder.sync_all()).map_err(OpenError::io(into))
}
