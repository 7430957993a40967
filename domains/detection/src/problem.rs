//! What can be wrong with an act on an alert.

use garrison_base::{AlertId, PersonId, Timestamp};
use garrison_kernel::{KernelError, Problem, ProblemType, problems};

use crate::model::AlertState;

/// The problem types of this domain.
pub mod types {
    garrison_kernel::problem_types! {
        /// The alert's state does not allow it.
        STATE = "alert/state", "the alert is in another state", 409, Conflict,
            "look at the alert again: somebody may have changed it meanwhile";
    }
}

/// Why an alert is not changed.
#[derive(Debug, thiserror::Error)]
pub enum AlertError {
    /// The state does not allow it.
    #[error("{alert} is {state}, so it cannot be {wanted}")]
    State {
        /// Which alert.
        alert: AlertId,
        /// As it is.
        state: AlertState,
        /// What was wanted: `acknowledged`, `closed`, `reopened`, `assigned`.
        wanted: &'static str,
    },
    /// Nobody who could look after it.
    #[error("{0} is not an active person of this tenant")]
    Assignee(PersonId),
    /// The kernel.
    #[error(transparent)]
    Kernel(#[from] KernelError),
}

impl Problem for AlertError {
    fn kind(&self) -> &'static ProblemType {
        match self {
            Self::State { .. } => &types::STATE,
            Self::Assignee(_) => &problems::INVALID,
            Self::Kernel(error) => error.kind(),
        }
    }

    fn retry_at(&self) -> Option<Timestamp> {
        if let Self::Kernel(error) = self { error.retry_at() } else { None }
    }
}
