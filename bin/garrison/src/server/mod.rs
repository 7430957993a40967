//! What the server stands on: its listener, its certificate, its log, its measurements.

pub mod listen;
pub mod logs;
pub mod metrics;
pub mod tls;
