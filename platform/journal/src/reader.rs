use std::sync::Arc;

use crate::log::Shared;
use crate::segment::{BLOCK, Named, Place, Segment, Step};
use crate::{Kept, OpenError};

/// Reads a log in order, up to what is on the disk. Blocks on files.
pub struct Reader {
    shared: Arc<Shared>,
    at: Option<At>,
    seq: u64,
}

/// A place in a segment.
struct At {
    segment: Segment,
    offset: u64,
}

impl Reader {
    pub(crate) fn new(shared: Arc<Shared>, from: u64) -> Self {
        Self { shared, at: None, seq: from.max(1) }
    }

    /// The number of the next entry that will be read.
    pub fn next_seq(&self) -> u64 {
        self.seq
    }

    /// The next entries, as many as fit into about so many bytes; none where nothing new is on the disk.
    pub fn read(&mut self, bytes: usize) -> Result<Vec<Kept>, OpenError> {
        let durable = *self.shared.durable.borrow();
        let (mut entries, mut size) = (Vec::new(), 0);
        while self.seq <= durable && size < bytes && self.find()? {
            let Some(at) = &mut self.at else { break };
            match at.segment.step(at.offset, self.seq)? {
                Step::Frame(kept, _, after) => {
                    at.offset = after;
                    size += kept.entry.framed();
                    entries.push(kept);
                    self.seq += 1;
                }
                Step::End | Step::Broken => {
                    let what = format!("entry {} does not verify", self.seq);
                    return Err(OpenError::damaged(&at.segment.path, what));
                }
            }
        }
        Ok(entries)
    }

    /// Goes to the segment of the next entry; tells whether there is one.
    fn find(&mut self) -> Result<bool, OpenError> {
        let (place, next) = {
            let segments = self.shared.segments();
            self.seq = self.seq.max(segments.first().map_or(1, |first| first.first));
            let here = segments.partition_point(|segment| segment.first <= self.seq).checked_sub(1);
            let Some(place) = here.and_then(|here| segments.get(here)) else { return Ok(false) };
            (*place, self.seq)
        };
        if self.at.as_ref().is_none_or(|at| at.segment.place != place) {
            self.at = Some(self.seek(place, next)?);
        }
        Ok(true)
    }

    fn seek(&self, place: Place, seq: u64) -> Result<At, OpenError> {
        let dir = &self.shared.options.dir;
        let Named::Segment(segment) = Segment::open(dir, place.number, self.shared.keys())? else {
            return Err(OpenError::damaged(place.path(dir), "its first block is missing"));
        };
        let mut offset = BLOCK as u64;
        for before in place.first..seq {
            match segment.step(offset, before)? {
                Step::Frame(_, _, after) => offset = after,
                Step::End | Step::Broken => {
                    return Err(OpenError::damaged(&segment.path, format!("entry {before} does not verify")));
                }
            }
        }
        Ok(At { segment: *segment, offset })
    }
}
