use std::collections::BTreeSet;

use garrison_base::{Line, ReviewId};
use garrison_kernel::{Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auditor;
use crate::model::{NOTED, Review, ReviewItem, Verdict};
use crate::problem::ReviewError;
use crate::store;

/// Says what items of a review are. What was said of them before is replaced; the record keeps both.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NoteReview {
    /// Which review.
    pub review: ReviewId,
    /// These items, by the numbers of their records; at most 1,000.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<i64>,
    /// All items of this operation that have no verdict yet; at most 1,000 at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 100)]
    pub operation: Option<String>,
    /// What they are.
    pub verdict: Verdict,
    /// Why.
    pub note: Line,
}

/// What was noted.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReviewNoted {
    /// Of how many items.
    pub noted: usize,
    /// How many items of the review have no verdict yet.
    pub undecided: i64,
}

impl NoteReview {
    /// The review, and the items that are meant.
    async fn meant(&self, tx: &mut ReadTx<'_>) -> Result<(Review, Vec<ReviewItem>), ReviewError> {
        let review = store::review(tx, self.review).await?;
        auditor::may_change(&review)?;
        let node = tx.node_of(&self.review.into()).await?;
        auditor::does_not_operate(tx, tx.actor(), node)?;
        let invalid = |words: String| ReviewError::Kernel(KernelError::Invalid(words));
        let items = match &self.operation {
            Some(operation) if self.items.is_empty() => {
                store::undecided(tx, (review.id, operation), NOTED).await?
            }
            Some(_) => return Err(invalid("name items or an operation, not both".into())),
            None => self.named(tx).await?,
        };
        if items.is_empty() {
            let words = format!(
                "no item of {} is meant: name items that it has, or an operation of which some have no verdict",
                review.id
            );
            return Err(invalid(words));
        }
        auditor::did_none_of(tx, tx.actor(), &items)?;
        Ok((review, items))
    }

    async fn named(&self, tx: &mut ReadTx<'_>) -> Result<Vec<ReviewItem>, ReviewError> {
        let invalid = |words: String| ReviewError::Kernel(KernelError::Invalid(words));
        if !i64::try_from(self.items.len()).is_ok_and(|count| count <= NOTED) {
            return Err(invalid(format!("at most {NOTED} items are noted at once")));
        }
        let mut items = Vec::with_capacity(self.items.len());
        for seq in self.items.iter().collect::<BTreeSet<_>>() {
            let found = store::item(tx, self.review, *seq).await?;
            let absent = || invalid(format!("record {seq} is no item of {}", self.review));
            items.push(found.ok_or_else(absent)?);
        }
        Ok(items)
    }
}

impl Act for NoteReview {
    const VERB: Verb = Verb::new("review:note");
    type Output = ReviewNoted;
    type Fact = ();
    type Error = ReviewError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.review.into()]
    }

    async fn preview(&self, tx: &mut ReadTx<'_>) -> Result<Preview, ReviewError> {
        let (review, items) = self.meant(tx).await?;
        let sentence = format!(
            "note of {} items of the review of {} at {} that they are {}: {}",
            items.len(),
            review.day,
            review.path,
            self.verdict,
            self.note
        );
        Ok(Preview::sentence(sentence))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, ReviewError> {
        let (review, items) = self.meant(&mut tx.read()).await?;
        let noted = items.len();
        for item in items {
            let said = ReviewItem {
                verdict: Some(self.verdict),
                note: Some(self.note.to_string()),
                author: Some(permit.actor().id),
                noted: Some(permit.now()),
                ..item
            };
            store::put_item(tx, &said).await?;
        }
        // Whoever approves a signature must know what is signed.
        tx.touch(&self.review.into()).await?;
        let undecided = store::review(&mut tx.read(), review.id).await?.undecided;
        let words = format!(
            "noted of {noted} items of the review of {} that they are {}: {}",
            review.day, self.verdict, self.note
        );
        Ok(Done::new(ReviewNoted { noted, undecided }, Summary::of(words), ()))
    }
}
