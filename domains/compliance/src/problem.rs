//! What can be wrong with an act on a review.

use garrison_base::{ReviewId, Timestamp};
use garrison_kernel::{KernelError, Problem, ProblemType};

use crate::model::ReviewState;

garrison_kernel::problem_types! {
    /// The review's state does not allow it.
    STATE = "review/state", "the review is in another state", 409, Conflict,
        "look at the review again: somebody may have signed it meanwhile";
    /// Items have no verdict yet.
    UNDECIDED = "review/undecided", "items have no verdict yet", 409, Conflict,
        "`garrison review show REVIEW --undecided` lists them, `garrison review note` says what they are";
    /// Whoever reviews has a part in it.
    INVOLVED = "review/involved", "who reviews must have no part in it", 403, Denied,
        "ask an auditor who holds no other role there, and neither did nor approved anything of what is reviewed";
}

/// Why a review is not noted on or signed.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// The state does not allow it.
    #[error("{review} is {state}, so nothing of it is noted or signed")]
    State {
        /// Which review.
        review: ReviewId,
        /// As it is.
        state: ReviewState,
    },
    /// Items have no verdict yet.
    #[error("{undecided} of {items} items of {review} have no verdict: {operations}")]
    Undecided {
        /// Which review.
        review: ReviewId,
        /// How many have none.
        undecided: usize,
        /// Of how many.
        items: usize,
        /// How many of which operation.
        operations: String,
    },
    /// Whoever reviews holds a role beside that of an auditor.
    #[error("you hold the role {role} at {path}, and what is done there is reviewed here")]
    Operates {
        /// The role.
        role: String,
        /// Where.
        path: String,
    },
    /// Whoever reviews did or approved some of it.
    #[error("record {seq} is your own, or you approved it, so another auditor must review it")]
    Own {
        /// Which.
        seq: i64,
    },
    /// The kernel.
    #[error(transparent)]
    Kernel(#[from] KernelError),
}

impl Problem for ReviewError {
    fn kind(&self) -> &'static ProblemType {
        match self {
            Self::State { .. } => &STATE,
            Self::Undecided { .. } => &UNDECIDED,
            Self::Operates { .. } | Self::Own { .. } => &INVOLVED,
            Self::Kernel(error) => error.kind(),
        }
    }

    fn retry_at(&self) -> Option<Timestamp> {
        if let Self::Kernel(error) = self { error.retry_at() } else { None }
    }
}
