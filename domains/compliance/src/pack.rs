//! Evidence packs: which records go into one.

use garrison_base::Timestamp;
use garrison_evidence::{Asked, Entry, MOST_RECORD_BYTES, MOST_RECORDS, Made, Pack};
use garrison_journal::{Sealer, TreeError};
use garrison_kernel::{Holder, KernelError, ObjectRef, ReadAct, ReadTx, Verb};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use crate::filter::Filter;

/// Records that are read at a time.
const PAGE: i64 = 200;
/// Records that are looked at for one pack: a few seconds.
const LOOKED_AT: usize = 250_000;

/// Asks for an evidence pack: records with their proofs. That it was asked is recorded too.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct PackEvidence {
    /// Only records that pass this filter, in the language of log searches, such as `verb:grant* result:denied`.
    pub query: Option<String>,
    /// Only records from this time on, in RFC 3339.
    #[param(value_type = Option<String>)]
    pub from: Option<Timestamp>,
    /// Only records before this time.
    #[param(value_type = Option<String>)]
    pub to: Option<Timestamp>,
    /// Only records after this number: where to go on, as the pack before says.
    pub after: Option<i64>,
}

/// What was found for a pack.
#[derive(Debug)]
pub struct Found {
    asked: Asked,
    made: Made,
    /// Numbers and bytes, oldest first.
    records: Vec<(u64, Vec<u8>)>,
    /// The number after which to go on, where there may be more.
    next: Option<i64>,
}

impl PackEvidence {
    /// Refuses a filter that cannot be asked.
    pub(crate) fn filter(&self) -> Result<Filter, KernelError> {
        Filter::parse(self.query.as_deref().unwrap_or_default()).map_err(KernelError::Invalid)
    }

    fn asked(&self) -> Asked {
        Asked {
            query: self.query.clone().unwrap_or_default(),
            from: self.from.map(|at| at.to_string()),
            to: self.to.map(|at| at.to_string()),
            after: self.after.and_then(|seq| u64::try_from(seq).ok()),
        }
    }
}

impl ReadAct for PackEvidence {
    const VERB: Verb = Verb::new("evidence:pack");
    type Output = Found;
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![ObjectRef::anywhere()]
    }

    async fn read(&self, tx: &mut ReadTx<'_>) -> Result<Found, KernelError> {
        let filter = self.filter()?;
        let made = Made {
            at: tx.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            by: tx.name_of(Holder::Actor(tx.actor())),
            id: tx.actor().to_string(),
        };
        let mut found = Found { asked: self.asked(), made, records: Vec::new(), next: None };
        let (mut bytes, mut looked_at) = (0, 0);
        let mut last = self.after.unwrap_or(0);
        loop {
            let page = tx.records_after(last, (self.from, self.to), PAGE).await?;
            if page.is_empty() {
                return Ok(found);
            }
            looked_at += page.len();
            for (record, raw) in page {
                if filter.holds(&raw) {
                    // With the line break behind it.
                    bytes += raw.len() + 1;
                    if found.records.len() == MOST_RECORDS || bytes > MOST_RECORD_BYTES {
                        return found.cut(record.seq, last);
                    }
                    found.records.push((u64::try_from(record.seq).unwrap_or_default(), raw));
                }
                last = record.seq;
            }
            if looked_at >= LOOKED_AT {
                return found.cut(last, last);
            }
        }
    }
}

impl Found {
    /// As much as there is room for, up to `last`; `at` is the record that had none.
    fn cut(mut self, at: i64, last: i64) -> Result<Self, KernelError> {
        if self.records.is_empty() {
            let what = if at == last {
                format!("no record up to number {last} passes the filter; go on after it (--after {last})")
            } else {
                format!(
                    "record {at} is longer than a pack; `garrison audit prove {at}` proves it alone, and a pack goes on after it (--after {at})"
                )
            };
            return Err(KernelError::Invalid(what));
        }
        self.next = Some(last);
        Ok(self)
    }

    /// The pack of these records; nothing where there is none. Blocks on files.
    pub(crate) fn pack(self, sealer: &Sealer, now: Timestamp) -> Result<Option<Pack>, TreeError> {
        if self.records.is_empty() {
            return Ok(None);
        }
        let proven = sealer.prove_all(&self.records, now)?;
        let entry =
            |((seq, record), proof): ((u64, _), _)| Entry { index: seq.saturating_sub(1), proof, record };
        let entries: Vec<_> = self.records.into_iter().zip(proven.ways).map(entry).collect();
        let pack = Pack {
            asked: self.asked,
            made: self.made,
            // What is beyond the checkpoint was left out.
            next: self
                .next
                .and_then(|seq| u64::try_from(seq).ok())
                .map(|seq| seq.min(proven.checkpoint.size)),
            key: sealer.checkpoint().1,
            checkpoint: proven.note,
            entries,
        };
        Ok((!pack.entries.is_empty()).then_some(pack))
    }
}
