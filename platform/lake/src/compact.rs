//! Few large files in the place of many small ones.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use datafusion::logical_expr::{SortExpr, col};
use futures_util::StreamExt as _;
use garrison_base::TenantId;

use crate::provider::View;
use crate::query::Budget;
use crate::room::has_room;
use crate::writer::{HOT_GROUP, SORTED_GROUP, Writer};
use crate::{FileEntry, FileId, Lake, LakeError};

/// As many files of one hour are joined before the day is over.
const MANY: usize = 8;
/// Rows of one file; it is in memory while it is written.
const FILE_ROWS: u64 = 2 << 20;
/// What sorting may take; more goes to the disk. A day that did not fit there would never be sorted.
const BUDGET: Budget = Budget { time: Duration::MAX, memory: 256 << 20, disk: 100 << 30 };

/// Files that can stand in the place of others, with the same events.
#[derive(Debug)]
pub struct Compacted {
    /// Those.
    pub old: Vec<FileId>,
    /// These.
    pub new: Vec<FileEntry>,
}

impl Lake {
    /// Joins the files of an hour of today of which there are many, or those of a day that is over, which are also
    /// sorted. `now` is in hours since 1970. Answers what was written; it counts after [`Lake::replace`].
    pub async fn compact(
        self: &Arc<Self>,
        tenant: TenantId,
        now: i64,
    ) -> Result<Option<Compacted>, LakeError> {
        let Some((files, sorted)) = due(&self.files(tenant), now) else { return Ok(None) };
        let Some(first) = files.first().cloned() else { return Ok(None) };
        self.leaves_room(&files).map_err(LakeError::io(&self.dir))?;
        let (stream, day) = (first.stream.clone(), first.hour.div_euclid(24) * 24);
        let old = files.iter().map(|file| file.id.clone()).collect();
        let mut new = Vec::new();
        let place = (tenant, stream.as_str(), if sorted { day } else { first.hour }, sorted);
        if let Err(error) = self.join(files, place, &mut new).await {
            self.discard(&new);
            return Err(error);
        }
        Ok(Some(Compacted { old, new }))
    }

    /// Refuses where the disk has no room for these files once more.
    fn leaves_room(&self, files: &[Arc<FileEntry>]) -> io::Result<()> {
        let bytes = files.iter().map(|file| file.bytes).sum();
        if has_room(File::open(&self.dir)?, bytes) {
            return Ok(());
        }
        let what = "joining files would take of the disk what acts and records need";
        Err(io::Error::new(io::ErrorKind::StorageFull, what))
    }

    /// Writes what is in these files again, into `new`.
    async fn join(
        self: &Arc<Self>,
        files: Files,
        place: (TenantId, &str, i64, bool),
        new: &mut Vec<FileEntry>,
    ) -> Result<(), LakeError> {
        let (tenant, stream, _, sorted) = place;
        let context = self.context_of(View::of_files(self.clone(), tenant, files), BUDGET)?;
        let by = if sorted { (self.layout.sorted_by)(stream) } else { &[] };
        let order = by.iter().chain([&self.layout.time]).map(|name| SortExpr::new(col(*name), true, true));
        let mut rows =
            context.table(self.layout.table).await?.sort(order.collect())?.execute_stream().await?;
        let group = if sorted { SORTED_GROUP } else { HOT_GROUP };
        let (mut writer, mut written) = (Writer::new(&self.layout, group)?, 0);
        while let Some(batch) = rows.next().await {
            let batch = batch?;
            written += batch.num_rows() as u64;
            writer.add(&batch)?;
            if written >= FILE_ROWS {
                let full = std::mem::replace(&mut writer, Writer::new(&self.layout, group)?);
                new.push(self.put(place, full.finish()?)?);
                written = 0;
            }
        }
        if written > 0 {
            new.push(self.put(place, writer.finish()?)?);
        }
        Ok(())
    }
}

type Files = Vec<Arc<FileEntry>>;

/// What is worth joining: a day that is over and not sorted yet first, then an hour of many files.
fn due(files: &[Arc<FileEntry>], now: i64) -> Option<(Files, bool)> {
    let mut days: BTreeMap<(&str, i64), Files> = BTreeMap::new();
    let mut hours: BTreeMap<(&str, i64), Files> = BTreeMap::new();
    for file in files.iter().filter(|file| file.hour < now) {
        let day = file.hour.div_euclid(24);
        if day < now.div_euclid(24) {
            days.entry((&file.stream, day)).or_default().push(file.clone());
        } else {
            hours.entry((&file.stream, file.hour)).or_default().push(file.clone());
        }
    }
    if let Some(day) = days.into_values().find(|files| files.iter().any(|file| !file.sorted)) {
        return Some((day, true));
    }
    hours.into_values().find(|files| files.len() > MANY).map(|files| (files, false))
}
