//! Published facts: what domains tell each other. Types only, versioned, one file for each domain.

mod access;
mod compliance;
mod detection;
mod directory;

pub use access::AccountSecured;
pub use compliance::ReviewOverdue;
pub use detection::{AlertLevel, AlertsRaised, EntityKind, RaisedAlert};
pub use directory::PersonDisabled;
