//! `garrison log export`: everything that a filter finds, into a file that is there whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use garrison_base::Exit;
use serde_json::json;

use super::{Ended, GRACE, columns, print, stdout};
use crate::cli::client::LogExportArgs;
use crate::client::Client;
use crate::client::interrupt::Interrupt;
use crate::client::sheet::Sheet;
use crate::output::counted;
use crate::say;

/// The most that the server gives.
const ROWS: u64 = 100_000_000;
const SECONDS: u64 = 3_600;

/// `garrison log export`
pub fn run(args: &LogExportArgs) -> anyhow::Result<Exit> {
    let client = Client::open(&args.client())?;
    let columns = columns(&client)?;
    let body = json!({
        "query": args.query, "from": args.from, "to": args.to,
        "limit": ROWS, "seconds": SECONDS, "unordered": true,
    });
    let patience = Duration::from_secs(SECONDS + GRACE);
    let lines = client.wire.lines("log/search", &body, patience, &Interrupt::catch()?)?;
    let part = args.out.as_deref().map(Part::create).transpose()?;
    let out: Box<dyn Write> = match &part {
        Some(part) => Box::new(BufWriter::new(part.file.try_clone().context("preparing the file")?)),
        None => Box::new(stdout()),
    };
    let mut sheet = Sheet::new(out, client.format, Some(columns), None);
    let written = print(&lines, &mut sheet).and_then(|ended| sheet.finish().map(|()| ended));
    let ended = match (written, part) {
        (Ok(ended), None) => ended,
        (Ok(ended), Some(part)) => part.end(ended)?,
        (Err(error), part) => {
            part.iter().for_each(Part::remove);
            return Err(error);
        }
    };
    if ended.is_whole() {
        say!("{}", counted(ended.rows, "row"));
        if ended.rows >= ROWS {
            say!("that is as many as one export brings, there may be more: take out less time at once");
        }
    }
    Ok(ended.told())
}

/// The file while it is being written.
struct Part {
    file: File,
    path: PathBuf,
    wanted: PathBuf,
}

impl Part {
    /// Beside the file, so that it can take its name; for its owner only, since logs tell of people.
    fn create(wanted: &Path) -> anyhow::Result<Self> {
        let mut path = OsString::from(wanted);
        path.push(".part");
        let path = PathBuf::from(path);
        let removed = match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
        let open = || OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let file = removed.and_then(|()| open()).with_context(|| format!("writing {}", path.display()))?;
        Ok(Self { file, path, wanted: wanted.to_owned() })
    }

    /// Gives the file its name where it is whole; else it keeps the name of a part.
    fn end(self, ended: Ended) -> anyhow::Result<Ended> {
        let done = self.file.sync_all();
        if !ended.is_whole() {
            say!("what came until then is in {}", self.path.display());
            return Ok(ended);
        }
        done.and_then(|()| fs::rename(&self.path, &self.wanted))
            .with_context(|| format!("writing {}", self.wanted.display()))?;
        Ok(ended)
    }

    /// Forgets a file that nobody needs: the answer was none.
    fn remove(&self) {
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::super::End;
    use super::*;

    fn ended(complete: bool) -> Ended {
        Ended { rows: 1, end: Some(End { complete, kind: String::new(), detail: String::new() }) }
    }

    #[test]
    fn a_file_appears_only_when_it_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let wanted = dir.path().join("logs.ndjson");
        fs::write(&wanted, "before").unwrap();
        for (complete, text) in [(false, "before"), (true, "after")] {
            let mut part = Part::create(&wanted).unwrap();
            part.file.write_all(b"after").unwrap();
            part.end(ended(complete)).unwrap();
            assert_eq!(fs::read_to_string(&wanted).unwrap(), text);
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "the part has the name of the whole");
    }
}
