//! The words and numbers of reviews.

use std::fmt;

use garrison_base::{Day, NodeId, ReviewId, Timestamp};
use garrison_kernel::{ActorId, FromCell, ReadTx, Record, Value};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auditor;
use crate::choice::{self, Seed};

/// Days after the one on which it was opened, after which a review is overdue.
pub const DUE_DAYS: i64 = 7;
/// How many records one act looks through.
pub(crate) const RECORDS: i64 = 1_000;
/// How many reviews one act completes.
pub(crate) const REVIEWS: i64 = 500;
/// Of how many items one act notes a verdict.
pub(crate) const NOTED: i64 = 1_000;

/// Declares words that stand in columns and answers alike.
macro_rules! words {
    ($($name:ident { $($variant:ident = $word:literal),* $(,)? })*) => { $(
        impl $name {
            const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(self.as_str())
            }
        }

        impl FromCell for $name {
            fn from_cell(cell: &Value) -> Option<Self> {
                let text = String::from_cell(cell)?;
                Self::ALL.iter().copied().find(|word| word.as_str() == text)
            }
        }
    )* };
}

/// Where a review stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReviewState {
    /// The records of its day are still being looked through.
    Gathering,
    /// It waits for an auditor.
    Open,
    /// The same, and its time is over.
    Overdue,
    /// An auditor has signed it.
    Signed,
}

/// Why a record is put before an auditor; of several reasons the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ItemReason {
    /// It was refused or failed, was done at the machine's console, or tells of a gap.
    Exception,
    /// An operation of high risk.
    HighRisk,
    /// Chance chose it.
    Sample,
}

/// What an auditor says of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Fine,
    /// Somebody must look after it.
    Finding,
}

words! {
    ReviewState { Gathering = "gathering", Open = "open", Overdue = "overdue", Signed = "signed" }
    ItemReason { Exception = "exception", HighRisk = "high_risk", Sample = "sample" }
    Verdict { Fine = "fine", Finding = "finding" }
}

/// A review: the records of a day at a node, of which some are put before an auditor.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Review {
    /// Its id.
    pub id: ReviewId,
    /// The node.
    pub node: NodeId,
    /// The node's path.
    pub path: String,
    /// The day, in UTC.
    #[schema(value_type = String)]
    pub day: Day,
    /// Where it stands.
    pub state: ReviewState,
    /// When it must be signed.
    #[schema(value_type = String, format = DateTime)]
    pub due: Timestamp,
    /// How many records there are of the day at the node.
    pub records: i64,
    /// How many of them are put before an auditor as exceptions.
    pub exceptions: i64,
    /// How many as operations of high risk.
    pub high_risk: i64,
    /// How many as the sample of all others.
    pub sampled: i64,
    /// How many items have no verdict yet.
    pub undecided: i64,
    /// How many items are findings.
    pub findings: i64,
    /// What the sample was chosen by: 32 bytes in hexadecimal digits.
    #[schema(value_type = String)]
    pub seed: Seed,
    /// The other record that comes first by the seed: it is the sample where chance chose none.
    #[serde(skip)]
    pub(crate) nearest: Option<i64>,
    /// When it was opened.
    #[schema(value_type = String, format = DateTime)]
    pub opened: Timestamp,
    /// When it was signed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub signed: Option<Timestamp>,
    /// Who signed it.
    pub signer: Option<ActorId>,
    /// What whoever signed it wrote.
    pub opinion: Option<String>,
}

impl Review {
    /// One that has no records yet.
    pub(crate) fn begun(id: ReviewId, (node, day): (NodeId, Day), seed: Seed, now: Timestamp) -> Self {
        Self {
            id,
            node,
            path: String::new(),
            day,
            state: ReviewState::Gathering,
            due: Day::of(now).plus(DUE_DAYS).midnight(),
            records: 0,
            exceptions: 0,
            high_risk: 0,
            sampled: 0,
            undecided: 0,
            findings: 0,
            seed,
            nearest: None,
            opened: now,
            signed: None,
            signer: None,
            opinion: None,
        }
    }

    /// Counts a record, and tells whether it is put before an auditor.
    pub(crate) fn take(&mut self, record: &Record) -> Option<ItemReason> {
        self.records += 1;
        let reason = choice::reason(record).or_else(|| self.sample(record.seq))?;
        self.put(reason);
        Some(reason)
    }

    fn sample(&mut self, seq: i64) -> Option<ItemReason> {
        if self.seed.chooses(seq) {
            return Some(ItemReason::Sample);
        }
        if self.nearest.is_none_or(|nearest| self.seed.mark(seq) < self.seed.mark(nearest)) {
            self.nearest = Some(seq);
        }
        None
    }

    /// Counts an item.
    pub(crate) fn put(&mut self, reason: ItemReason) {
        match reason {
            ItemReason::Exception => self.exceptions += 1,
            ItemReason::HighRisk => self.high_risk += 1,
            ItemReason::Sample => self.sampled += 1,
        }
    }

    /// How many items there are.
    pub(crate) fn items(&self) -> i64 {
        self.exceptions + self.high_risk + self.sampled
    }
}

/// A record that a review puts before an auditor, and what the auditor said of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReviewItem {
    #[serde(skip)]
    pub(crate) review: ReviewId,
    #[serde(skip)]
    pub(crate) node: NodeId,
    #[serde(skip)]
    pub(crate) operation: String,
    #[serde(skip)]
    pub(crate) actor: ActorId,
    /// Who else has a part in it.
    #[serde(skip)]
    pub(crate) involved: Vec<ActorId>,
    /// The number of the record.
    pub seq: i64,
    /// Why it is here.
    pub reason: ItemReason,
    /// What an auditor said of it.
    pub verdict: Option<Verdict>,
    /// In words.
    pub note: Option<String>,
    /// Who said it.
    pub author: Option<ActorId>,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub noted: Option<Timestamp>,
}

impl ReviewItem {
    /// A record without a verdict.
    pub(crate) fn of(tx: &ReadTx<'_>, review: &Review, record: &Record, reason: ItemReason) -> Self {
        Self {
            review: review.id,
            node: review.node,
            operation: record.operation.clone(),
            actor: record.actor.id,
            involved: auditor::involved(tx, record),
            seq: record.seq,
            reason,
            verdict: None,
            note: None,
            author: None,
            noted: None,
        }
    }
}

/// An item with its record.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReviewedItem {
    /// The item.
    #[serde(flatten)]
    pub item: ReviewItem,
    /// The record.
    pub record: Record,
}

/// A review with a part of its items, by the numbers of their records.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReviewDetail {
    /// The review.
    #[serde(flatten)]
    pub review: Review,
    /// The items.
    pub items: Vec<ReviewedItem>,
    /// Where the next part begins; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// How far the record was looked through.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Progress {
    /// The day that is looked through, or was last.
    pub(crate) day: Day,
    /// The number of the last record that was looked at.
    pub(crate) seq: i64,
    /// What the sample of the day is chosen by.
    pub(crate) seed: Seed,
    /// How far the reviews of the day are.
    pub(crate) stage: Stage,
}

/// How far the reviews of a day are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Its records are looked through.
    Looking,
    /// All its records were looked through, and some reviews are not open yet.
    Opening,
    /// All are open.
    Whole,
}

impl Stage {
    const ALL: [(Self, i64); 3] = [(Self::Looking, 0), (Self::Whole, 1), (Self::Opening, 2)];
}

impl From<Stage> for Value {
    fn from(stage: Stage) -> Self {
        Stage::ALL.iter().find(|(known, _)| *known == stage).map(|(_, number)| *number).into()
    }
}

impl FromCell for Stage {
    fn from_cell(cell: &Value) -> Option<Self> {
        let number = i64::from_cell(cell)?;
        Stage::ALL.iter().find(|(_, known)| *known == number).map(|(stage, _)| *stage)
    }
}
