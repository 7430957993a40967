//! What the server stands on: its listener, its certificate, its log, its measurements.

#[cfg(feature = "console")]
pub mod console;
pub mod listen;
pub mod logs;
pub mod metrics;
pub mod tls;
