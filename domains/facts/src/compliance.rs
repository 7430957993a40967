use garrison_base::{NodeId, ReviewId, Timestamp};
use garrison_kernel::Fact;
use serde::{Deserialize, Serialize};

/// The time of a review is over, and nobody has signed it. Told once of each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewOverdue {
    /// Which.
    pub review: ReviewId,
    /// Where it hangs.
    pub node: NodeId,
    /// The day whose records it holds, in UTC: `2026-11-22`.
    pub day: String,
    /// When it was due.
    pub due: Timestamp,
}

impl Fact for ReviewOverdue {
    const KIND: &'static str = "review-overdue";
}
