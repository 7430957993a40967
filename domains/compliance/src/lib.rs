//! Compliance: proves to others what the record holds, and puts it before those who review it.

pub mod acts;
mod auditor;
mod choice;
mod filter;
mod model;
mod opening;
mod pack;
pub mod problem;
mod reads;
mod routes;
mod store;

use garrison_kernel::{FollowUp, Migration, Module};
use garrison_web::Question as _;

pub use choice::{HIGH_RISK, Seed};
pub use garrison_base::Day;
pub use model::{DUE_DAYS, ItemReason, Review, ReviewDetail, ReviewItem, ReviewState, ReviewedItem, Verdict};
pub use opening::{open_reviews, overdue_reviews};
pub use pack::PackEvidence;
pub use reads::{CHECKPOINT, Checkpoint, ListReviews, Proof, ProveRecord, ShowReview};
pub use routes::routes;

const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, sql: include_str!("../migrations/0001_reviews.sql") },
    Migration { version: 2, sql: include_str!("../migrations/0002_last_day.sql") },
    Migration { version: 3, sql: include_str!("../migrations/0003_involved.sql") },
];

/// The timer that looks whether a review is overdue.
pub(crate) const OVERDUE: &str = "review-due";

/// What the kernel folds in.
pub fn module() -> Module {
    Module::new("compliance", MIGRATIONS, include_str!("policy.cedar"))
        .read_act::<ProveRecord>()
        .read_act::<PackEvidence>()
        .read(CHECKPOINT)
        .act::<acts::OpenReviews>()
        .act::<acts::MarkOverdue>()
        .act::<acts::NoteReview>()
        .act::<acts::SignReview>()
        .read(opening::LOOK)
        .read(ListReviews::VERB)
        .read_act::<ShowReview>()
        .timer(OVERDUE, |review| Some(FollowUp::new(acts::MarkOverdue { review: review.parse().ok()? })))
}
