//! The two transactions that the kernel lends: one to read what an actor may see, one to perform an act.

mod objects;
mod read;
mod rights;
mod write;

pub(crate) use objects::locate;
pub use read::ReadTx;
pub use rights::NewGrant;
pub use write::WriteTx;
