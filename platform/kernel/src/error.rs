use garrison_base::Timestamp;

use crate::Verb;
use crate::db::DbError;
use crate::problem::{Problem, ProblemType, problems};

/// Why the kernel does not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// It does not exist, or not for this actor.
    #[error("there is no such object, or you may not see it")]
    NotFound,
    /// Policy says no.
    #[error("{verb} is not allowed on {object}: {why}")]
    Denied {
        /// The operation.
        verb: String,
        /// The target.
        object: String,
        /// In a sentence.
        why: String,
    },
    /// A name or key is taken.
    #[error("the name is taken")]
    Exists,
    /// A value makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// No policy names this role.
    #[error("there is no role `{0}`")]
    UnknownRole(String),
    /// There is no such operation.
    #[error("there is no operation `{0}`")]
    UnknownVerb(String),
    /// The key came with another request before.
    #[error("this idempotency key came with another request before")]
    KeyReused,
    /// The waiting act was decided.
    #[error("the request is {0} already")]
    Decided(String),
    /// What it rests on has changed.
    #[error("the request is void: {0}")]
    Void(String),
    /// The actor may not fill a slot.
    #[error("{0}")]
    NotAnApprover(String),
    /// A token tried what needs a person who is logged in.
    #[error("`{0}` needs a person who is logged in")]
    NeedsLogin(Verb),
    /// Too many attempts.
    #[error("nothing is accepted until {until:.0}")]
    TooMany {
        /// When.
        until: Timestamp,
    },
    /// Stored bytes do not have the form they should have.
    #[error("stored bytes cannot be read: {0}")]
    Stored(#[source] serde_json::Error),
    /// The database.
    #[error(transparent)]
    Database(DbError),
    /// The journal does not take what the database has. Until it does, nothing is done.
    #[error("{0}")]
    Journal(crate::JournalError),
    /// A part of the program ended early.
    #[error("the act broke off: {0}")]
    BrokeOff(String),
}

impl Problem for KernelError {
    fn kind(&self) -> &'static ProblemType {
        match self {
            Self::NotFound => &problems::NOT_FOUND,
            Self::Denied { .. } => &problems::DENIED,
            Self::Exists => &problems::EXISTS,
            Self::Invalid(_) | Self::UnknownRole(_) | Self::UnknownVerb(_) => &problems::INVALID,
            Self::KeyReused => &problems::KEY_REUSED,
            Self::Decided(_) => &problems::REQUEST_DECIDED,
            Self::Void(_) => &problems::REQUEST_VOID,
            Self::NotAnApprover(_) => &problems::NOT_AN_APPROVER,
            Self::NeedsLogin(_) => &problems::NEEDS_LOGIN,
            Self::TooMany { .. } => &problems::TOO_MANY,
            Self::Database(DbError::Tampered { .. }) => &problems::TAMPERED,
            Self::Database(_) => &problems::UNAVAILABLE,
            Self::Journal(_) => &problems::JOURNAL,
            Self::Stored(_) | Self::BrokeOff(_) => &problems::INTERNAL,
        }
    }

    fn retry_at(&self) -> Option<Timestamp> {
        if let Self::TooMany { until } = self { Some(*until) } else { None }
    }
}
