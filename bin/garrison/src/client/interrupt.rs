//! Ctrl-C for commands that last: the first ends them in order, the second at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use garrison_base::Exit;
use signal_hook::consts::SIGINT;
use signal_hook::flag;

use crate::client::failure::Failure;

/// How often is looked whether it happened: a signal can only set a flag.
pub const LOOK: Duration = Duration::from_millis(100);

/// Whether Ctrl-C was pressed.
#[derive(Debug, Clone)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// From now on Ctrl-C is noticed.
    pub fn catch() -> anyhow::Result<Self> {
        let pressed = Arc::new(AtomicBool::new(false));
        // In this order: at the first one the flag is not yet set, and the process lives on.
        flag::register_conditional_default(SIGINT, pressed.clone())
            .and_then(|_| flag::register(SIGINT, pressed.clone()))
            .context("preparing for Ctrl-C")?;
        Ok(Self(pressed))
    }

    /// Whether it happened.
    pub fn happened(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Fails where it happened.
    pub fn check(&self) -> Result<(), Failure> {
        if self.happened() { Err(Failure::new(Exit::Interrupted, "interrupted")) } else { Ok(()) }
    }

    /// Waits about so long, or until it happens; that is a failure.
    pub fn wait(&self, time: Duration) -> Result<(), Failure> {
        let mut left = time;
        while !left.is_zero() {
            self.check()?;
            let now = left.min(LOOK);
            thread::park_timeout(now);
            left = left.saturating_sub(now);
        }
        self.check()
    }
}
