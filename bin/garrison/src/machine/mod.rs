//! Commands for the machine that Garrison runs on: to make it, to check it, to look at it.

pub mod backup;
pub mod config;
pub mod doctor;
pub mod init;
pub mod key;
pub mod recover;
pub mod status;
pub mod tenant;
pub mod verify;

use std::future::Future;

use anyhow::Context as _;

use crate::cli::ConfigArgs;
use crate::config::{Loaded, Sources, load};

impl ConfigArgs {
    /// Reads and checks the configuration.
    pub fn load(&self) -> anyhow::Result<Loaded> {
        load(&Sources::of_process(self.config.clone(), self.set.clone())?)
    }
}

/// Runs what waits for the database, on this thread.
fn wait<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("starting the runtime")?.block_on(work)
}
