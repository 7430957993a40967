use garrison_base::{Day, HoldId, KeyChangeId, Line};
use garrison_kernel::{
    Act, Done, KernelError, ObjectRef, Permit, Preview, Problem, ProblemType, ReadTx, Summary, Verb, WriteTx,
    problems,
};
use garrison_lake::FileEntry;
use garrison_secrets::Class;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::Name;
use crate::renewal::NewChange;
use crate::retention::Rules;
use crate::{problem, store};

/// After so long nothing of a day waits to be written to files, in microseconds.
const SETTLED: i64 = 60 * 60 * 1_000_000;

/// Destroys a customer's data of some days of a stream. Their keys and files are off the lists at once; then the keys of
/// all other days are wrapped anew, and the versions of the tenant's key that wrapped them are destroyed in the key store,
/// so that no copy of the data can be read either.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DestroyKey {
    /// Which stream.
    pub stream: Name,
    /// From which day on (UTC); from the first where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_day: Option<Day>,
    /// Up to which day.
    pub to_day: Day,
    /// Why.
    pub reason: Line,
}

/// What is destroyed.
#[derive(Debug, Serialize, ToSchema)]
pub struct CondemnedData {
    /// The id of the change: `key:list` shows the certificate when it is done.
    pub change: KeyChangeId,
    /// The days that there were.
    pub days: u64,
    /// Their files.
    pub files: u64,
    /// Their events.
    pub events: u64,
    /// The bytes of the files.
    pub bytes: u64,
}

/// Why nothing is destroyed.
#[derive(Debug, thiserror::Error)]
pub enum DestroyError {
    /// Events of the last day may still be on their way into files.
    #[error("{0} is not over for an hour yet: events of it may still be on their way into files")]
    NotOver(Day),
    /// There is nothing.
    #[error("the stream `{0}` has no data on these days")]
    Nothing(Name),
    /// Security records go when they are due, and not before.
    #[error("the stream `{stream}` holds security records on {day}")]
    Security {
        /// The stream.
        stream: Name,
        /// The first such day.
        day: Day,
    },
    /// A hold covers it.
    #[error("{0} holds data of these days")]
    Held(HoldId),
    /// The kernel.
    #[error(transparent)]
    Kernel(#[from] KernelError),
}

impl Problem for DestroyError {
    fn kind(&self) -> &'static ProblemType {
        match self {
            Self::NotOver(_) | Self::Nothing(_) => &problems::INVALID,
            Self::Security { .. } => &problem::SECURITY,
            Self::Held(_) => &problem::HELD,
            Self::Kernel(error) => error.kind(),
        }
    }
}

/// What there is of the days.
struct Found {
    days: u64,
    files: Vec<FileEntry>,
    events: u64,
}

impl DestroyKey {
    /// Whether it destroys what a stream has of a day, in days since 1970.
    pub fn covers(&self, stream: &str, day: i64) -> bool {
        let (from, to) = self.span();
        stream == self.stream.as_str() && (from.number()..=to.number()).contains(&day)
    }

    fn span(&self) -> (Day, Day) {
        (self.from_day.unwrap_or(Day::FIRST), self.to_day)
    }

    /// Everything that would be destroyed; refused where a part of it must stay.
    async fn find(&self, tx: &mut ReadTx<'_>) -> Result<Found, DestroyError> {
        if tx.now().as_microsecond() < self.to_day.end() + SETTLED {
            return Err(DestroyError::NotOver(self.to_day));
        }
        let mut files = store::files(tx).await?;
        files.retain(|file| self.covers(&file.stream, file.day()));
        let mut keys = store::keys(tx).await?;
        keys.retain(|key| self.covers(&key.stream, key.day));
        // A file that is not sealed is older than keys: nobody can have said that it is no security record.
        let secured = keys.iter().filter(|key| key.class == Class::Security).map(|key| key.day);
        let open = files.iter().filter(|file| !file.sealed).map(FileEntry::day);
        if let Some(day) = secured.chain(open).min() {
            return Err(DestroyError::Security { stream: self.stream.clone(), day: Day::FIRST.plus(day) });
        }
        let rules = Rules::read(tx).await?;
        if let Some(hold) = files.iter().find_map(|file| rules.held(file)) {
            return Err(DestroyError::Held(hold));
        }
        if files.is_empty() && keys.is_empty() {
            return Err(DestroyError::Nothing(self.stream.clone()));
        }
        let events = files.iter().map(|file| file.rows).sum();
        Ok(Found { days: keys.len() as u64, files, events })
    }

    fn scope(&self) -> String {
        let from = self.from_day.map(|day| format!(" from {day}")).unwrap_or_default();
        format!("the stream `{}`{from} up to {}", self.stream, self.to_day)
    }
}

impl Act for DestroyKey {
    const VERB: Verb = Verb::new("key:destroy");
    type Output = CondemnedData;
    type Fact = ();
    type Error = DestroyError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![ObjectRef::tenant()]
    }

    async fn preview(&self, tx: &mut ReadTx<'_>) -> Result<Preview, DestroyError> {
        // Files may be joined until it is approved; events stay the same.
        let Found { days, events, .. } = self.find(tx).await?;
        let words = format!(
            "destroy {events} events of {days} days, for good: {}, because: {}",
            self.scope(),
            self.reason
        );
        Ok(Preview::sentence(words))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, DestroyError> {
        let Found { days, files, events } = self.find(&mut tx.read()).await?;
        for file in &files {
            store::remove_file(tx, permit, &file.id.0).await?;
        }
        store::remove_keys(tx, permit, &self.stream, self.span()).await?;
        let bytes = files.iter().map(|file| file.bytes).sum();
        let new = NewChange {
            class: Class::Customer,
            stream: Some(&self.stream),
            from: self.from_day,
            to: Some(self.to_day),
            reason: Some(&self.reason),
            days,
            files: files.len() as u64,
            events,
            bytes,
        };
        let change = store::add_change(tx, permit, &new).await?;
        let words = format!("destroys {events} events: {}; {change}", self.scope());
        let output = CondemnedData { change, days, files: new.files, events, bytes };
        Ok(Done::new(output, Summary::of(words), ()))
    }
}
