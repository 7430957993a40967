use std::collections::BTreeMap;

use garrison_base::{Line, ReviewId};
use garrison_kernel::{Act, Done, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auditor;
use crate::model::{Review, ReviewItem, ReviewState, Verdict};
use crate::problem::ReviewError;
use crate::store;

/// Signs a review, all of whose items have a verdict. Nothing of it changes after that.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignReview {
    /// Which.
    pub review: ReviewId,
    /// What whoever signs thinks of the day.
    pub opinion: Line,
}

/// A review that was signed.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReviewSigned {
    /// How many items it has.
    pub items: usize,
    /// How many of them are findings.
    pub findings: usize,
}

impl SignReview {
    /// The review and its items, if they are ready for whoever asks.
    async fn ready(&self, tx: &mut ReadTx<'_>) -> Result<(Review, Vec<ReviewItem>), ReviewError> {
        let review = store::review(tx, self.review).await?;
        auditor::may_change(&review)?;
        let node = tx.node_of(&self.review.into()).await?;
        auditor::does_not_operate(tx, tx.actor(), node)?;
        let items = store::items(tx, &review).await?;
        auditor::did_none_of(tx, tx.actor(), &items)?;
        match lacking(&items) {
            None => Ok((review, items)),
            Some((undecided, operations)) => {
                Err(ReviewError::Undecided { review: review.id, undecided, items: items.len(), operations })
            }
        }
    }
}

/// How many items have no verdict, and how many of which operation; nothing where all have one.
fn lacking(items: &[ReviewItem]) -> Option<(usize, String)> {
    let mut lacking: BTreeMap<&str, usize> = BTreeMap::new();
    for item in items.iter().filter(|item| item.verdict.is_none()) {
        *lacking.entry(item.operation.as_str()).or_default() += 1;
    }
    let told: Vec<String> =
        lacking.iter().map(|(operation, count)| format!("{count} of {operation}")).collect();
    (!told.is_empty()).then(|| (lacking.values().sum(), told.join(", ")))
}

fn findings(items: &[ReviewItem]) -> usize {
    items.iter().filter(|item| item.verdict == Some(Verdict::Finding)).count()
}

impl Act for SignReview {
    const VERB: Verb = Verb::new("review:sign");
    const NEEDS_LOGIN: bool = true;
    type Output = ReviewSigned;
    type Fact = ();
    type Error = ReviewError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.review.into()]
    }

    async fn preview(&self, tx: &mut ReadTx<'_>) -> Result<Preview, ReviewError> {
        let (review, items) = self.ready(tx).await?;
        let sentence = format!(
            "sign the review of {} at {}, {} findings in {} items of {} records: {}",
            review.day,
            review.path,
            findings(&items),
            items.len(),
            review.records,
            self.opinion
        );
        Ok(Preview::sentence(sentence))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, ReviewError> {
        let (mut review, items) = self.ready(&mut tx.read()).await?;
        let findings = findings(&items);
        review.state = ReviewState::Signed;
        review.signed = Some(permit.now());
        review.signer = Some(permit.actor().id);
        review.opinion = Some(self.opinion.to_string());
        store::put_review(tx, &review).await?;
        tx.touch(&self.review.into()).await?;
        let words = format!(
            "signed the review of {} with {findings} findings in {} items of {} records: {}",
            review.day,
            items.len(),
            review.records,
            self.opinion
        );
        Ok(Done::new(ReviewSigned { items: items.len(), findings }, Summary::of(words), ()))
    }
}
