//! Sigma rules: reading, checking, compiling, judging events.
//!
//! The way of an event: [`Taxonomy`] tells which log source it is from, the log source selects a [`Shard`],
//! and the shard finds the rules that match without asking each of them. Nothing here does I/O: rules
//! come as text, events as [`garrison_base::Fields`].
//!
//! [`Shard`]: shard::Shard
//! [`Taxonomy`]: taxonomy::Taxonomy

mod condition;
pub mod expr;
mod modifiers;
mod pattern;
mod regex_syntax;
pub mod rule;
mod set;
pub mod shard;
pub mod taxonomy;
pub mod yaml;

pub use rule::{Level, LogSource, Placeholders, Refused, Rule};
pub use set::{Gate, RuleSet};
pub use shard::{Scratch, Verdict};
pub use taxonomy::{SourceId, Taxonomy};
