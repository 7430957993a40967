//! The acts, one to a file.

mod queue;
mod settle;

pub use queue::{QueueDeliveries, Queued};
pub use settle::{DeliveryOutcome, SettleDelivery};
