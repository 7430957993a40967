//! `garrison rule`: look at rules, check them, test them.

pub mod lint;
pub mod list;
pub mod load;
mod regression;
pub mod show;
pub mod test;
