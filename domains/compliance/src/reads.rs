//! Questions about what can be proven, and about reviews.

use garrison_base::{Day, NodeId, ReviewId};
use garrison_kernel::{KernelError, ObjectRef, ReadAct, ReadTx, Verb};
use garrison_web::{Page, Question, page_limit};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::model::{Review, ReviewDetail, ReviewItem, ReviewState, ReviewedItem};
use crate::store;

/// Asking for the last checkpoint.
pub const CHECKPOINT: Verb = Verb::new("audit:checkpoint");

/// Asks for the proof that a record is in the log. That it was asked is recorded too.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProveRecord {
    /// Its number.
    pub seq: i64,
}

impl ReadAct for ProveRecord {
    const VERB: Verb = Verb::new("audit:prove");
    type Output = Vec<u8>;
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![ObjectRef::anywhere()]
    }

    /// The record's bytes, as they are a leaf of the tree.
    async fn read(&self, tx: &mut ReadTx<'_>) -> Result<Vec<u8>, KernelError> {
        tx.record_bytes(self.seq).await
    }
}

/// The proof that a record is in the log.
#[derive(Debug, Serialize, ToSchema)]
pub struct Proof {
    /// The record.
    pub seq: i64,
    /// The proof with the record in it, in the form of C2SP tlog-proof: a file for somebody without a server.
    pub proof: String,
    /// The public key of the log, as C2SP signed-note writes it. Hand it over by another way than the proof.
    pub key: String,
}

/// How far the log is sealed.
#[derive(Debug, Serialize, ToSchema)]
pub struct Checkpoint {
    /// The signed note; nothing in the first seconds of a new installation.
    pub checkpoint: Option<String>,
    /// The public key of the log.
    pub key: String,
}

/// Lists reviews.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ListReviews {
    /// Only those in this state: `gathering`, `open`, `overdue`, `signed`.
    #[param(value_type = Option<String>)]
    pub state: Option<ReviewState>,
    /// Only those at this node and below.
    #[param(value_type = Option<String>)]
    pub node: Option<NodeId>,
    /// Only those of this day of UTC, such as `2026-11-22`.
    #[param(value_type = Option<String>)]
    pub day: Option<Day>,
    /// How many at most, 1 to 500; 100 where nothing is said.
    pub limit: Option<i64>,
    /// Where to go on: `next` of the page before.
    pub cursor: Option<String>,
}

impl Question for ListReviews {
    const VERB: Verb = Verb::new("review:list");
    const PATH: &'static str = "/review";
    const SUMMARY: &'static str = "Reviews of the record, the newest first.";
    type Answer = Page<Review>;

    async fn answer(self, tx: &mut ReadTx<'_>) -> Result<Self::Answer, KernelError> {
        let limit = page_limit(self.limit)?;
        let before: Option<ReviewId> = tx.open_cursor(Self::VERB, self.cursor.as_deref())?;
        let items = store::reviews(tx, &self, before, limit + 1).await?;
        Page::cut(items, limit, (tx, Self::VERB), |last: &Review| last.id)
    }
}

/// Shows a review, with the records that it puts before an auditor. That it was asked is recorded too.
#[derive(Debug, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ShowReview {
    /// Which.
    #[param(value_type = String)]
    pub review: ReviewId,
    /// Only items that have no verdict yet: `true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undecided: Option<bool>,
    /// Only items of this operation, such as `grant:create`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// How many items at most, 1 to 500; 100 where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
    /// Where to go on: `next` of the part before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

impl ReadAct for ShowReview {
    const VERB: Verb = Verb::new("review:show");
    type Output = ReviewDetail;
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.review.into()]
    }

    async fn read(&self, tx: &mut ReadTx<'_>) -> Result<ReviewDetail, KernelError> {
        let limit = page_limit(self.limit)?;
        let after: i64 = tx.open_cursor(Self::VERB, self.cursor.as_deref())?;
        let review = store::review(tx, self.review).await?;
        let items = store::items_asked(tx, self, after, limit + 1).await?;
        let page = Page::cut(items, limit, (tx, Self::VERB), |last: &ReviewItem| last.seq)?;
        let mut items = Vec::with_capacity(page.items.len());
        for item in page.items {
            let record = tx.record(item.seq).await?;
            items.push(ReviewedItem { item, record });
        }
        Ok(ReviewDetail { review, items, next: page.next })
    }
}
