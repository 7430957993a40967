//! What stands on the disk when a log is opened.

use std::fs::File;
use std::path::{Path, PathBuf};

use garrison_secrets::SealKey;

use crate::OpenError;
use crate::segment::{BLOCK, Named, Place, Segment, Step, numbers};

/// What opening found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// The number of the first entry that is still kept; equal to `next` where there is none.
    pub first: u64,
    /// The number that the next entry gets.
    pub next: u64,
    /// A write that was cut off; nobody was told that it was kept.
    pub torn: Option<Torn>,
}

/// Where a write was cut off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Torn {
    /// The file.
    pub path: PathBuf,
    /// The place in it.
    pub offset: u64,
}

/// The segments of a log, verified frame by frame.
pub(crate) fn recover(
    dir: &Path,
    keys: (&str, &SealKey),
    first: u64,
) -> Result<(Vec<Place>, Recovered), OpenError> {
    let mut segments = Vec::new();
    let numbers = numbers(dir)?;
    for number in &numbers {
        match Segment::open(dir, *number, keys)? {
            Named::Segment(segment) => segments.push(*segment),
            Named::Unwritten if Some(number) == numbers.last() => {
                let path = crate::segment::path(dir, *number);
                std::fs::remove_file(&path).map_err(OpenError::io(path))?;
            }
            Named::Unwritten => {
                return Err(OpenError::damaged(
                    crate::segment::path(dir, *number),
                    "its first block is missing",
                ));
            }
        }
    }
    chained(&segments)?;
    for pair in segments.windows(2) {
        if let [one, other] = pair {
            whole(one, other.place.first)?;
        }
    }
    let (next, torn) = match segments.last() {
        Some(segment) => {
            let ended = end(segment)?;
            // What a process wrote that was killed before it flushed counts from now on.
            File::open(&segment.path)
                .and_then(|file| file.sync_data())
                .map_err(OpenError::io(&segment.path))?;
            ended
        }
        None => (first.max(1), None),
    };
    let first = segments.first().map_or(next, |segment| segment.place.first);
    Ok((segments.iter().map(|segment| segment.place).collect(), Recovered { first, next, torn }))
}

/// Whether each segment is followed by the next.
pub(crate) fn chained(segments: &[Segment]) -> Result<(), OpenError> {
    let missing = segments.windows(2).find_map(|pair| match pair {
        [one, other] => {
            let follows = other.place.number == one.place.number + 1 && other.place.first >= one.place.first;
            (!follows).then_some(one)
        }
        _ => None,
    });
    let damaged = |one: &Segment| OpenError::damaged(&one.path, "the segment behind it is missing");
    missing.map_or(Ok(()), |one| Err(damaged(one)))
}

/// Verifies a segment that another follows: it holds everything before `next`.
fn whole(segment: &Segment, next: u64) -> Result<(), OpenError> {
    let mut offset = BLOCK as u64;
    for seq in segment.place.first..next {
        match segment.step(offset, seq)? {
            Step::Frame(_, _, after) => offset = after,
            Step::End | Step::Broken => {
                return Err(OpenError::damaged(&segment.path, format!("entry {seq} does not verify")));
            }
        }
    }
    Ok(())
}

/// Finds the end of the last segment: behind the last append of which every frame is there.
pub(crate) fn end(segment: &Segment) -> Result<(u64, Option<Torn>), OpenError> {
    let (mut offset, mut seq) = (BLOCK as u64, segment.place.first);
    let mut complete = seq;
    let broken = loop {
        match segment.step(offset, seq)? {
            Step::Frame(_, header, after) => {
                (offset, seq) = (after, seq + 1);
                if header.last {
                    complete = seq;
                }
            }
            Step::End => break false,
            Step::Broken => break true,
        }
    };
    if segment.proves_durable(offset, seq)? {
        // Beside a process that writes, it may be there by now.
        if matches!(segment.step(offset, seq)?, Step::Frame(..)) {
            return end(segment);
        }
        return Err(OpenError::damaged(
            &segment.path,
            format!("entry {seq} does not verify, and a later one tells that it was on the disk"),
        ));
    }
    let torn = (broken || complete != seq).then(|| Torn { path: segment.path.clone(), offset });
    Ok((complete, torn))
}
