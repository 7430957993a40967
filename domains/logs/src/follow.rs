//! Following a file of this machine, also over its rotation: renamed and made anew, or copied and cut.
//!
//! Where it stands is kept beside the state, after the lines are on the disk. A process that ends between the two reads
//! the last lines again: no line is lost, and a few may be there twice.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use garrison_base::limits::EVENT_BYTES;
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::NamedSource;
use crate::intake::{Intake, Limit, Sender, Target};
use garrison_decode::Events;

/// What is read at once.
const CHUNK: usize = 1 << 20;
/// How often it is looked for more.
const LOOK: Duration = Duration::from_millis(500);

/// Where a file was read to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    device: u64,
    inode: u64,
    offset: u64,
    /// The line that stands here is too long, and what is left of it is passed over.
    #[serde(default)]
    skip: bool,
}

/// A file that is followed.
pub struct Followed {
    /// The file.
    pub path: PathBuf,
    /// Where it is noted how far it was read.
    pub note: PathBuf,
    /// The source of its lines; nothing while it is disabled.
    pub source: NamedSource,
}

/// Lines that were read, and where the reading ended.
struct Piece {
    events: Events,
    refused: u64,
    place: Place,
    /// There may be more at once.
    more: bool,
}

impl Followed {
    /// Follows until it is stopped.
    pub async fn run(self, intake: Arc<Intake>, stop: CancellationToken) {
        let mut place = note(&self.note).unwrap_or_default();
        let mut told = false;
        while !stop.is_cancelled() {
            let path = self.path.clone();
            let read = spawn_blocking(move || read(&path, place))
                .await
                .unwrap_or_else(|_| Err(io::ErrorKind::Other.into()));
            let piece = match read {
                Ok(piece) => piece,
                Err(error) => {
                    if !told {
                        tracing::warn!(file = %self.path.display(), %error, "a followed file cannot be read");
                    }
                    told = true;
                    wait(&stop).await;
                    continue;
                }
            };
            told = false;
            let Some(target) = self.source.target().await else {
                wait(&stop).await;
                continue;
            };
            intake.refuse(&target, Limit::Length, piece.refused);
            let more = piece.more;
            if piece.place != place && self.take((&intake, &target), piece, &mut place, &stop).await.is_none()
            {
                return;
            }
            if !more {
                wait(&stop).await;
            }
        }
    }

    /// Keeps lines and notes the place; nothing when it is stopped.
    async fn take(
        &self,
        (intake, target): (&Intake, &Target),
        piece: Piece,
        place: &mut Place,
        stop: &CancellationToken,
    ) -> Option<()> {
        if !piece.events.is_empty() {
            let sender = Sender::default();
            loop {
                let taken = tokio::select! {
                    taken = intake.take_patiently(&sender, target, piece.events.clone()) => taken,
                    () = stop.cancelled() => return None,
                };
                match taken {
                    Ok(_) => break,
                    Err(error) => {
                        tracing::error!(file = %self.path.display(), %error, "lines wait in their file");
                    }
                }
                wait(stop).await;
            }
        }
        *place = piece.place;
        if let Err(error) = keep_note(&self.note, piece.place) {
            tracing::warn!(file = %self.note.display(), %error, "it could not be noted how far a file was read");
        }
        Some(())
    }
}

async fn wait(stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = sleep(LOOK) => {}
    }
}

/// Reads the next lines. A file that was renamed is read to its end before the one that took its name.
fn read(path: &Path, place: Place) -> io::Result<Piece> {
    let current = fs::metadata(path)?;
    let fresh = Place { device: current.dev(), inode: current.ino(), offset: 0, skip: false };
    if (place.device, place.inode) == (fresh.device, fresh.inode) {
        let start = if current.len() < place.offset { fresh } else { place };
        return lines(&mut File::open(path)?, start, false);
    }
    if let Some(mut old) = renamed(path, place) {
        let piece = lines(&mut old, place, true)?;
        if piece.place != place {
            return Ok(piece);
        }
    }
    lines(&mut File::open(path)?, fresh, false)
}

/// The file of a place under its new name: in the same folder, beginning with the old name.
fn renamed(path: &Path, place: Place) -> Option<File> {
    let name = path.file_name()?.to_str()?;
    let entries = fs::read_dir(path.parent()?).ok()?;
    let same = |entry: &fs::DirEntry| {
        let begins = entry.file_name().to_str().is_some_and(|other| other.starts_with(name));
        begins && entry.metadata().is_ok_and(|meta| (meta.dev(), meta.ino()) == (place.device, place.inode))
    };
    entries.filter_map(Result::ok).find(same).and_then(|entry| File::open(entry.path()).ok())
}

/// The whole lines from a place on; where the file is over, its last line also without an end.
fn lines(file: &mut File, place: Place, over: bool) -> io::Result<Piece> {
    file.seek(SeekFrom::Start(place.offset))?;
    let mut bytes = Vec::new();
    file.take((CHUNK + EVENT_BYTES) as u64).read_to_end(&mut bytes)?;
    let full = bytes.len() >= CHUNK + EVENT_BYTES;
    let end = match memchr::memrchr(b'\n', &bytes) {
        Some(last) => last + 1,
        // A line without an end that fills everything is too long to be one.
        None if full || over => bytes.len(),
        None => 0,
    };
    let end = if over && !full { bytes.len() } else { end };
    let whole = bytes.get(..end).unwrap_or_default();
    let unended = full && !whole.contains(&b'\n');
    let (mut events, mut refused) = (Events::default(), 0);
    let mut parts = whole.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
    if place.skip {
        parts.next();
    }
    for line in parts {
        if line.len() > EVENT_BYTES {
            refused += 1;
        } else if !line.is_empty() {
            events.push(line);
        }
    }
    let offset = place.offset + end as u64;
    Ok(Piece {
        events,
        refused,
        place: Place { offset, skip: unended, ..place },
        more: full || (over && end > 0),
    })
}

fn note(path: &Path) -> Option<Place> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

fn keep_note(path: &Path, place: Place) -> io::Result<()> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    let fresh = path.with_extension("new");
    fs::write(&fresh, serde_json::to_vec(&place)?)?;
    fs::rename(fresh, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads until there is nothing new.
    fn all(path: &Path, place: &mut Place) -> Vec<String> {
        let mut seen = Vec::new();
        loop {
            let piece = read(path, *place).unwrap();
            seen.extend(piece.events.iter().map(|line| String::from_utf8_lossy(line).into_owned()));
            if piece.place == *place {
                return seen;
            }
            *place = piece.place;
        }
    }

    #[test]
    fn lines_are_read_once_over_every_kind_of_rotation() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("app.log");
        let append = |path: &Path, text: &str| {
            use std::io::Write as _;
            File::options().append(true).create(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
        };
        let mut place = Place::default();
        append(&path, "one\ntwo\nthr");
        assert_eq!(all(&path, &mut place), ["one", "two"]);
        append(&path, "ee\n\n");
        assert_eq!(all(&path, &mut place), ["three"]);
        append(&path, "four\nlast");
        fs::rename(&path, dir.path().join("app.log.1")).unwrap();
        append(&path, "five\n");
        assert_eq!(all(&path, &mut place), ["four", "last", "five"]);
        fs::copy(&path, dir.path().join("app.log.2")).unwrap();
        File::options().write(true).open(&path).unwrap().set_len(0).unwrap();
        append(&path, "6\n");
        assert_eq!(all(&path, &mut place), ["6"]);
        append(&path, &format!("{}\nend\n", "x".repeat(EVENT_BYTES + 1)));
        assert_eq!(all(&path, &mut place), ["end"]);
        append(&path, &format!("{}\nafter\n", "x".repeat(3 * EVENT_BYTES)));
        assert_eq!(all(&path, &mut place), ["after"]);
    }
}
