//! When logs go: never before they are due, never while a hold covers them, and always by an act.

use std::collections::{HashMap, HashSet};

use garrison_base::{Day, HoldId, TenantId};
use garrison_kernel::{KernelError, ReadTx};
use garrison_lake::{FileEntry, FileId};

use crate::acts::{ExpireLogs, KeptFile};
use crate::keeper::{KeepError, are_listed};
use crate::model::{Hold, Name};
use crate::{Logs, reads, store, system};

/// Days for which the logs of a stream are kept at least, whatever a row says.
pub const LEAST: i64 = 180;
/// Days where nothing was set.
pub const USUAL: i64 = 365;
/// Days at most.
pub const MOST: i64 = 36_500;
/// Days of a pause that are believed. In a longer one the server was off, or the clock jumped ahead, and nobody can tell
/// which: the days beyond do not count, so that nothing goes early by a clock that is wrong.
const BELIEVED: i64 = 7;
/// Files that go by one act; their names and digests stand in its record.
pub(crate) const AT_ONCE: usize = 100;

/// What decides whether a file is due.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules {
    /// Those that are not the usual ones, by stream.
    days: HashMap<String, i64>,
    /// Those that have not ended.
    holds: Vec<Hold>,
    /// Pauses of which not all is believed, from which day to which.
    pauses: Vec<(Day, Day)>,
}

impl Rules {
    /// As the rows are.
    pub(crate) async fn read(tx: &mut ReadTx<'_>) -> Result<Self, KernelError> {
        let (days, holds) = (store::kept_for(tx).await?, store::open_holds(tx).await?);
        Ok(Self { days, holds, pauses: store::long_outages(tx, Day::FIRST.plus(BELIEVED).begin()).await? })
    }

    /// For how many days a stream is kept.
    pub(crate) fn days(&self, stream: &str) -> i64 {
        self.days.get(stream).copied().unwrap_or(USUAL).max(LEAST)
    }

    /// The same with another time for a stream.
    pub(crate) fn with(&self, stream: &str, days: i64) -> Self {
        let mut rules = self.clone();
        rules.days.insert(stream.to_owned(), days);
        rules
    }

    /// The same without a hold.
    pub(crate) fn without(&self, hold: HoldId) -> Self {
        let mut rules = self.clone();
        rules.holds.retain(|other| other.id != hold);
        rules
    }

    /// Whether a file is due; why not. Whole days count, from the end of the day of its last event: no event goes early,
    /// and what is due stays the same for a day. The day of its folder counts too: a row that was changed by hand makes
    /// nothing due.
    pub(crate) fn check(&self, file: &FileEntry, today: Day) -> Result<(), String> {
        if let Some(hold) = self.held(file) {
            return Err(format!("{hold} holds it"));
        }
        let last = Day::of_nanos(file.last).max(Day::FIRST.plus(file.day()));
        let due = last.plus(self.days(&file.stream)).plus(1).plus(self.unbelieved(last, today));
        if today < due { Err(format!("it is due on {due}")) } else { Ok(()) }
    }

    /// How many days from one to another are not believed.
    fn unbelieved(&self, from: Day, today: Day) -> i64 {
        let beyond = |&(begun, ended): &(Day, Day)| {
            let within = ended.min(today).number() - begun.max(from).number();
            (within - BELIEVED).max(0)
        };
        self.pauses.iter().map(beyond).sum()
    }

    /// The hold that covers a file, whatever its age.
    pub(crate) fn held(&self, file: &FileEntry) -> Option<HoldId> {
        let (first, last) = (Day::of_nanos(file.first), Day::of_nanos(file.last));
        self.holds.iter().find(|hold| hold.covers(&file.stream, first, last)).map(|hold| hold.id)
    }

    /// The files that are due by other rules and not by these, and their events.
    pub(crate) fn newly_due(&self, other: &Self, files: &[FileEntry], today: Day) -> (usize, u64) {
        let due =
            files.iter().filter(|file| self.check(file, today).is_err() && other.check(file, today).is_ok());
        due.fold((0, 0), |(count, events), file| (count + 1, events + file.rows))
    }
}

impl Hold {
    /// Whether any event may be covered that a file of this stream holds, from the first to the last of its days.
    fn covers(&self, stream: &str, first: Day, last: Day) -> bool {
        let of_stream = self.stream.as_ref().is_none_or(|held| held.as_str() == stream);
        of_stream && self.from_day.is_none_or(|from| from <= last) && self.to_day.is_none_or(|to| first <= to)
    }

    /// What it covers, in words.
    pub(crate) fn scope(&self) -> String {
        scope(self.stream.as_ref(), self.from_day, self.to_day)
    }
}

/// What a hold covers, in words.
pub(crate) fn scope(stream: Option<&Name>, from: Option<Day>, to: Option<Day>) -> String {
    let mut words =
        stream.map_or_else(|| "all logs".to_owned(), |stream| format!("the logs of the stream `{stream}`"));
    if let Some(from) = from {
        words += &format!(" from {from} on");
    }
    if let Some(to) = to {
        words += &format!(" up to {to}");
    }
    words
}

impl Logs {
    /// Deletes what is due now.
    pub async fn expire(&self) -> Result<(), String> {
        expire(self).await.map_err(|error| error.to_string())
    }
}

/// Takes files off the list until none of them is due.
pub(crate) async fn expire(logs: &Logs) -> Result<(), KeepError> {
    // Questions that read what went before this have ended long ago.
    logs.0.keys.forget_retired();
    // Whether the clock jumped must stand in the state before anything is judged by it.
    logs.note_pause().await.map_err(KeepError::Pause)?;
    let tenants = logs.0.kernel.tenants().await.map_err(|error| KeepError::Act(error.into()))?;
    let mut done = Ok(());
    for (tenant, _) in tenants {
        // One whose files cannot go does not hold up the others.
        done = done.and(expire_tenant(logs, tenant).await);
    }
    done
}

async fn expire_tenant(logs: &Logs, tenant: TenantId) -> Result<(), KeepError> {
    loop {
        let due = due(logs, tenant).await.map_err(|error| KeepError::Act(error.into()))?;
        if due.is_empty() || logs.is_stopping() {
            return Ok(());
        }
        let_go(logs, tenant, &due).await?;
    }
}

/// Some of what is due.
async fn due(logs: &Logs, tenant: TenantId) -> Result<Vec<FileEntry>, KernelError> {
    let mut tx = logs.0.kernel.read(&system(tenant), reads::SOURCES).await?;
    let (rules, files) = (Rules::read(&mut tx).await?, store::files(&mut tx).await?);
    let today = Day::of(tx.now());
    drop(tx);
    let held = logs.lake().files(tenant);
    let held: HashMap<&FileId, &FileEntry> = held.iter().map(|file| (&file.id, &**file)).collect();
    let same = |file: &FileEntry| {
        let same = held.get(&file.id).is_none_or(|held| *held == file);
        if !same {
            tracing::error!(file = %file.id, "the row of a file was changed by hand; the file stays");
        }
        same
    };
    let due = files.into_iter().filter(|file| rules.check(file, today).is_ok() && same(file));
    Ok(due.take(AT_ONCE).collect())
}

/// Takes files off the list, then out of the lake, and forgets the keys that nothing is sealed by any more.
async fn let_go(logs: &Logs, tenant: TenantId, due: &[FileEntry]) -> Result<(), KeepError> {
    // No event may be sealed by a key that goes meanwhile.
    let _filing = logs.0.filing.lock().await;
    let act = ExpireLogs { files: due.iter().map(KeptFile::from).collect() };
    let done = logs.0.kernel.act(&system(tenant), act).await.map(|_| ()).map_err(KeepError::Act);
    if done.is_err() && are_listed(logs, tenant, due).await? {
        return done;
    }
    let gone: Vec<FileId> = due.iter().map(|file| file.id.clone()).collect();
    logs.lake().replace(tenant, &gone, Vec::new());
    let day = |file: &FileEntry| (file.stream.clone(), file.day());
    let left: HashSet<_> = logs.lake().files(tenant).iter().map(|file| day(file)).collect();
    let unused: HashSet<_> = due.iter().map(day).filter(|day| !left.contains(day)).collect();
    logs.0.keys.retire(tenant, unused);
    done
}

#[cfg(test)]
mod tests {
    use garrison_base::Timestamp;

    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    fn file(stream: &str, first: &str, last: &str) -> FileEntry {
        let at = |text: &str| i64::try_from(text.parse::<Timestamp>().unwrap().as_nanosecond()).unwrap();
        FileEntry {
            id: FileId("1".into()),
            tenant: TenantId::from_bytes([1; 16]),
            stream: stream.into(),
            hour: 0,
            sorted: false,
            sealed: true,
            rows: 7,
            bytes: 0,
            first: at(first),
            last: at(last),
            nodes: Vec::new(),
            digest: [0; 32],
        }
    }

    fn hold(stream: Option<&str>, from: Option<&str>, to: Option<&str>) -> Hold {
        Hold {
            id: HoldId::from_bytes([1; 16]),
            stream: stream.map(|name| name.parse().unwrap()),
            from_day: from.map(day),
            to_day: to.map(day),
            reason: "a test".into(),
            creator: "per_1".into(),
            created: Timestamp::UNIX_EPOCH,
            ended: None,
            end_reason: None,
        }
    }

    #[test]
    fn a_file_is_due_when_its_last_day_and_the_days_of_its_stream_are_over() {
        let file = file("auth", "2026-01-01T00:00:00Z", "2026-01-02T23:59:59Z");
        for (days, stays, goes) in [
            (None, "2027-01-02", "2027-01-03"),
            (Some(180), "2026-07-01", "2026-07-02"),
            // A row that was changed by hand.
            (Some(1), "2026-07-01", "2026-07-02"),
        ] {
            let rules = days.map_or_else(Rules::default, |days| Rules::default().with("auth", days));
            assert!(rules.check(&file, day(stays)).is_err(), "{days:?}");
            assert_eq!(rules.check(&file, day(goes)), Ok(()), "{days:?}");
        }
        let forged = FileEntry { first: 0, last: 0, hour: 490_920, ..file.clone() };
        assert!(Rules::default().check(&forged, day("2027-01-02")).is_err(), "{}", forged.path());
        let other = Rules::default().with("web", 180);
        assert!(other.check(&file, day("2026-12-31")).is_err());
        let shorter = Rules::default().with("auth", 180);
        assert_eq!(
            Rules::default().newly_due(&shorter, std::slice::from_ref(&file), day("2026-08-01")),
            (1, 7)
        );
        assert_eq!(Rules::default().newly_due(&shorter, &[file], day("2026-06-01")), (0, 0));
    }

    #[test]
    fn a_pause_counts_as_a_week_at_most() {
        let file = file("auth", "2026-01-01T00:00:00Z", "2026-01-02T23:59:59Z");
        for (begun, ended, due) in [
            ("2026-03-01", "2026-03-08", "2027-01-03"),
            ("2026-03-01", "2026-03-11", "2027-01-06"),
            // Only what is between its last event and today.
            ("2025-01-01", "2026-01-12", "2027-01-06"),
            ("2026-12-20", "2036-12-30", "2036-12-26"),
        ] {
            let rules = Rules { pauses: vec![(day(begun), day(ended))], ..Rules::default() };
            assert!(rules.check(&file, day(due).plus(-1)).is_err(), "{begun} {ended}");
            let checked = rules.check(&file, day(due));
            assert_eq!(checked.is_ok(), ended < due, "{begun} {ended}: {checked:?}");
        }
    }

    #[test]
    fn a_hold_covers_what_may_hold_one_of_its_days() {
        let file = file("auth", "2026-01-03T00:00:00Z", "2026-01-05T01:00:00Z");
        for (hold, covers) in [
            (hold(None, None, None), true),
            (hold(Some("auth"), None, None), true),
            (hold(Some("web"), None, None), false),
            (hold(None, Some("2026-01-05"), None), true),
            (hold(None, Some("2026-01-06"), None), false),
            (hold(None, None, Some("2026-01-03")), true),
            (hold(None, None, Some("2026-01-02")), false),
            (hold(Some("auth"), Some("2026-01-04"), Some("2026-01-04")), true),
        ] {
            let rules = Rules { holds: vec![hold.clone()], ..Rules::default() };
            assert_eq!(rules.check(&file, day("2030-01-01")).is_err(), covers, "{hold:?}");
            assert_eq!(rules.without(hold.id).check(&file, day("2030-01-01")), Ok(()));
        }
    }
}
