//! The words that every Garrison crate shares. Pure: nothing here reads, writes or waits.
//!
//! - [`Clock`]: the time as a parameter (invariant I7); [`Day`]: a day of UTC;
//! - [`Fields`] and [`Value`]: what a decoder says of an event and a rule engine asks of it, so that the
//!   engines need not know each other;
//! - [`Entropy`] and [`ids!`]: randomness as a parameter, and one type for each kind of id;
//! - [`Line`], [`AccountName`] and their kin: text that people type, limited where it comes in;
//! - [`Exit`]: the exit codes of the command line;
//! - [`limits`]: what a stranger's bytes may cost.

mod clock;
mod day;
mod exit;
mod fields;
#[doc(hidden)]
pub mod id;
pub mod limits;
mod text;

pub use clock::{Clock, FixedClock, SystemClock};
pub use day::Day;
pub use exit::Exit;
pub use fields::{Fields, Value};
pub use id::{
    AlertId, BackupId, BadId, DeliveryId, DepositId, Entropy, GrantId, GroupId, HandOverId, HoldId,
    InvitationId, KeyChangeId, LoginId, NodeId, PersonId, PostId, RequestId, ReviewId, SearchId, ServiceId,
    SessionId, SourceId, TenantId, TokenId,
};
pub use jiff::Timestamp;
pub use text::{AccountName, BadText, Email, Line, PathName, is_plain};

// For the macro `ids!`, wherever it is used.
#[doc(hidden)]
pub use serde;
#[cfg(feature = "openapi")]
#[doc(hidden)]
pub use utoipa;
