//! Published facts: what domains tell each other. Types only, versioned, one file for each domain.

mod access;
mod directory;

pub use access::AccountSecured;
pub use directory::PersonDisabled;
