//! The store suite: every promise of the kernel, kept on both databases. Each file is one theme.
//!
//! `PostgreSQL` takes part where `GARRISON_TEST_POSTGRES` names a server (`scripts/postgres start DIR`).

#[path = "../support/mod.rs"]
mod support;

mod performing;
