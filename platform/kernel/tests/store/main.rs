//! The store suite: every promise of the kernel, kept on both databases. Each file is one theme.
//!
//! `PostgreSQL` takes part where `GARRISON_TEST_POSTGRES` names a server (`scripts/postgres start DIR`).

#![expect(
    clippy::cast_possible_wrap,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail loudly, and take what they were given"
)]

#[path = "../support/mod.rs"]
mod support;

mod by_hand;
mod copy;
mod crash;
mod deposits;
mod full_disk;
mod grants;
mod jobs;
mod keys;
mod laundering;
mod load;
mod may;
mod opening;
mod performing;
mod put_back;
mod rules;
mod scope;
mod targets;
mod tenants;
mod tree;
mod tree_model;
mod waiting;
mod waiting_changes;
