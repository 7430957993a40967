use garrison_base::ReviewId;
use garrison_facts::ReviewOverdue;
use garrison_kernel::{Act, Done, KernelError, ObjectRef, Permit, Preview, ReadTx, Summary, Verb, WriteTx};
use serde::{Deserialize, Serialize};

use crate::model::ReviewState;
use crate::store;

/// Notes that the time of a review is over, and tells it. A timer's act; of each review it is told once.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarkOverdue {
    /// Which.
    pub review: ReviewId,
}

impl Act for MarkOverdue {
    const VERB: Verb = Verb::new("review:overdue");
    type Output = ();
    type Fact = Option<ReviewOverdue>;
    type Error = KernelError;

    fn targets(&self) -> Vec<ObjectRef> {
        vec![self.review.into()]
    }

    async fn preview(&self, _: &mut ReadTx<'_>) -> Result<Preview, KernelError> {
        Ok(Preview::sentence(format!("note that {} is overdue", self.review)))
    }

    async fn perform(&self, permit: &Permit<Self>, tx: &mut WriteTx<'_>) -> Result<Done<Self>, KernelError> {
        let mut review = store::review(&mut tx.read(), self.review).await?;
        if review.state != ReviewState::Open || permit.now() < review.due {
            let words = format!("nothing: {} is {} and due at {:.0}", review.id, review.state, review.due);
            return Ok(Done::new((), Summary::of(words), None));
        }
        review.state = ReviewState::Overdue;
        store::put_review(tx, &review).await?;
        let words = format!(
            "the review of {} was due at {:.0}; {} of {} items have no verdict",
            review.day,
            review.due,
            review.undecided,
            review.items()
        );
        let (day, due) = (review.day.to_string(), review.due);
        let fact = ReviewOverdue { review: review.id, node: permit.node(), day, due };
        Ok(Done::new((), Summary::of(words), Some(fact)))
    }
}
