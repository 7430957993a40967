//! The acts, one to a file.

mod acknowledge;
mod assign;
mod close;
mod raise;
mod reopen;

pub use acknowledge::AcknowledgeAlert;
pub use assign::AssignAlert;
pub use close::CloseAlert;
pub use raise::{RaiseAlerts, Raised};
pub use reopen::ReopenAlert;

use serde::Serialize;
use utoipa::ToSchema;

/// The answer of an act that changes an alert.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertChanged {
    /// Whether anything is different now.
    pub changed: bool,
    /// The alert's revision.
    pub revision: i64,
}
