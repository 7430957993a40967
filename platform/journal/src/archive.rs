use std::path::Path;

use garrison_secrets::SealKey;

use crate::segment::{BLOCK, Named, Segment, Step, numbers};
use crate::{Kept, OpenError, recover};

/// A log that is only read: nothing is locked, repaired or written, so that it can be looked at beside the process that
/// writes it, and after somebody changed it.
pub struct Archive {
    segments: Vec<Segment>,
    /// The number behind the last whole append.
    next: u64,
}

impl Archive {
    /// Opens the log of this name in a folder. `first` is the number of the first entry that must be there.
    pub fn open(dir: &Path, (name, key): (&str, &SealKey), first: u64) -> Result<Self, OpenError> {
        let (mut segments, numbers) = (Vec::new(), numbers(dir)?);
        for number in &numbers {
            match Segment::open(dir, *number, (name, key))? {
                Named::Segment(segment) => segments.push(*segment),
                Named::Unwritten if Some(number) == numbers.last() => {}
                Named::Unwritten => {
                    let path = crate::segment::path(dir, *number);
                    return Err(OpenError::damaged(path, "its first block is missing"));
                }
            }
        }
        if segments.first().is_some_and(|begin| begin.place.first > first) {
            return Err(OpenError::damaged(dir, "its first segment is missing"));
        }
        recover::chained(&segments)?;
        let next = match segments.last() {
            Some(last) => recover::end(last)?.0,
            None => first,
        };
        Ok(Self { segments, next })
    }

    /// The number that the next entry would get.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// The files in order, and how many bytes of each hold whole appends. What lies behind is not written yet, or torn, and
    /// a copy must not have it: of two frames that are written while it is copied it could have the later one alone, which
    /// tells that the first was on the disk, and so looks like damage. Bytes before that end never change.
    pub fn extents(&self) -> impl Iterator<Item = Result<(&Path, u64), OpenError>> {
        let ends = self.segments.iter().skip(1).map(|next| next.place.first).chain([self.next]);
        self.segments.iter().zip(ends).map(|(segment, end)| {
            let mut offset = BLOCK as u64;
            for seq in segment.place.first..end {
                match segment.step(offset, seq)? {
                    Step::Frame(_, _, after) => offset = after,
                    Step::End | Step::Broken => {
                        return Err(OpenError::damaged(
                            &segment.path,
                            format!("entry {seq} does not verify"),
                        ));
                    }
                }
            }
            Ok((segment.path.as_path(), offset))
        })
    }

    /// All entries in order, each verified. Ends after the first error.
    pub fn entries(&self) -> impl Iterator<Item = Result<Kept, OpenError>> {
        let ends = self.segments.iter().skip(1).map(|next| next.place.first).chain([self.next]);
        let mut broken = false;
        let parts = self.segments.iter().zip(ends).flat_map(|(segment, end)| {
            let mut offset = BLOCK as u64;
            (segment.place.first..end).map(move |seq| match segment.step(offset, seq)? {
                Step::Frame(kept, _, after) => {
                    offset = after;
                    Ok(kept)
                }
                Step::End | Step::Broken => {
                    Err(OpenError::damaged(&segment.path, format!("entry {seq} does not verify")))
                }
            })
        });
        parts.take_while(move |read| !std::mem::replace(&mut broken, read.is_err()))
    }
}
