//! The words that every Garrison crate shares. Pure: nothing here reads, writes or waits.
//!
//! - [`Clock`]: the time as a parameter (invariant I7);
//! - [`Fields`] and [`Value`]: what a decoder says of an event and a rule engine asks of it, so that the
//!   engines need not know each other;
//! - [`Exit`]: the exit codes of the command line;
//! - [`limits`]: what a stranger's bytes may cost.

mod clock;
mod exit;
mod fields;
pub mod limits;

pub use clock::{Clock, FixedClock, SystemClock};
pub use exit::Exit;
pub use fields::{Fields, Value};
