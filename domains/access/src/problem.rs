//! What can go wrong at the door.

use garrison_kernel::{KernelError, Problem, ProblemType, problems};

/// The problem types of this domain.
pub mod types {
    garrison_kernel::problem_types! {
        /// The proof was wrong. It is not told which part: name, password or code.
        WRONG = "login/wrong", "the name, the password or the code is wrong", 401, Denied,
            "try again; after several failures the account and the address must wait";
        /// The login has ended.
        ENDED = "login/ended", "this login has ended", 401, Denied,
            "begin again";
        /// The link has ended.
        LINK = "invitation/ended", "this link has been used, or has expired", 401, Denied,
            "ask an administrator for another; on the machine itself, `garrison recover` makes one";
        /// The link that hands a session over has ended.
        HANDED_OVER = "hand-over/ended", "this link has been used, or has ended", 401, Denied,
            "make another with `garrison console`";
        /// The new password is too weak.
        WEAK = "password/weak", "this password is too easy to guess", 422, Usage,
            "use 12 to 256 characters that are not your name and not a common password; several words are good";
    }
}

/// Why access is not given.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// What was shown does not prove who it is.
    #[error("what was shown does not prove who you are")]
    Wrong,
    /// The login is over.
    #[error("the login is done, has failed too often, or took too long")]
    Ended,
    /// The link is over.
    #[error("the link does not open anything any more")]
    Link,
    /// The link that hands a session over is over, or the session is.
    #[error("the link hands no session over any more")]
    HandedOver,
    /// The password is too weak.
    #[error("the password {0}")]
    Weak(&'static str),
    /// A token tried what needs a person.
    #[error("{0} needs a person who is logged in")]
    NeedsLogin(&'static str),
    /// The kernel.
    #[error(transparent)]
    Kernel(#[from] KernelError),
}

impl Problem for AccessError {
    fn kind(&self) -> &'static ProblemType {
        match self {
            Self::Wrong => &types::WRONG,
            Self::Ended => &types::ENDED,
            Self::Link => &types::LINK,
            Self::HandedOver => &types::HANDED_OVER,
            Self::Weak(_) => &types::WEAK,
            Self::NeedsLogin(_) => &problems::NEEDS_LOGIN,
            Self::Kernel(error) => error.kind(),
        }
    }

    fn retry_at(&self) -> Option<garrison_base::Timestamp> {
        if let Self::Kernel(error) = self { error.retry_at() } else { None }
    }
}
