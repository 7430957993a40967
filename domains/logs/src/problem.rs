//! What can go wrong with logs, for the person who asked.

use garrison_kernel::{KernelError, Problem, ProblemType, problems};
use garrison_lake::LakeError;
use garrison_web::Refusal;

use crate::intake::Refused;

garrison_kernel::problem_types! {
    /// The filter or the SQL cannot be understood.
    QUERY = "log/query", "the question cannot be understood", 422, Usage,
        "the detail points at the place; `garrison log fields` names what can be asked";
    /// The question took too much.
    COSTS = "log/costs", "the question takes too much", 422, Failed,
        "ask for less time, or narrow the filter";
    /// There is no room.
    NO_ROOM = "log/no-room", "there is no room for logs", 507, Failed,
        "free some room on the server's disk; it goes on by itself then";
    /// The sender is too fast.
    TOO_FAST = "log/too-fast", "events come too fast", 429, Failed,
        "send again after a second: nothing of this request was kept";
    /// The events cannot be read.
    EVENTS = "log/events", "the events cannot be read", 400, Usage,
        "the detail tells what was expected";
    /// Too many questions at once.
    BUSY = "log/busy", "too many questions at once", 429, Failed,
        "ask again when some of them have been answered";
    /// Security records stay until they are due.
    SECURITY = "key/security", "there are security records", 409, Conflict,
        "they are kept until they are due; choose days that hold data of the customer alone";
    /// A hold covers it.
    HELD = "key/held", "a hold covers it", 409, Conflict,
        "end the hold first, or choose days that it does not cover";
    /// More than may come at once.
    TOO_MUCH = "log/too-much", "too much at once", 413, Usage,
        "send in parts of at most 12 MiB";
}

/// What a sender is told.
pub(crate) fn refused(error: &Refused) -> Refusal {
    match error {
        Refused::TooMuch(_) => Refusal::new(&TOO_MUCH, error.to_string()),
        Refused::Rate(_) | Refused::Busy => Refusal::new(&TOO_FAST, error.to_string()).retry_after(1),
        Refused::Full => Refusal::new(&NO_ROOM, error.to_string()).retry_after(30),
        Refused::Log(_) => {
            tracing::error!(%error, "events were refused");
            Refusal::new(&problems::UNAVAILABLE, "the log cannot be written")
        }
    }
}

/// A failure of the lake, for whoever asked.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Asked(#[from] pub(crate) LakeError);

impl Problem for Asked {
    fn kind(&self) -> &'static ProblemType {
        match &self.0 {
            LakeError::Question(_) => &QUERY,
            LakeError::Memory(_) | LakeError::Disk(_) | LakeError::Time(_) => &COSTS,
            LakeError::BrokeOff | LakeError::File(..) | LakeError::Engine(_) | LakeError::Key(_) => {
                &problems::INTERNAL
            }
        }
    }
}

pub(crate) fn asked(error: LakeError) -> Refusal {
    Refusal::from(Box::new(Asked(error)) as Box<dyn Problem>)
}

/// A filter that cannot be understood.
pub(crate) fn query(detail: impl Into<String>) -> Refusal {
    Refusal::new(&QUERY, detail)
}

/// The same, of a filter: what is wrong, and where.
pub(crate) fn syntax(error: &garrison_search::SyntaxError, text: &str) -> Refusal {
    query(format!("{error}\n{}", error.pointed(text)))
}

pub(crate) fn kernel(error: KernelError) -> Refusal {
    Refusal::from(Box::new(error) as Box<dyn Problem>)
}
