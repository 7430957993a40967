//! `garrison log`.

pub mod generate;
pub mod shop;

use clap::ValueEnum;

/// A story that can be told in logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Story {
    /// A web shop with 14 hosts
    Shop,
}
