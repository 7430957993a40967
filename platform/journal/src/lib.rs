//! The write-ahead log: what is acknowledged stands here first, on the disk.
//!
//! One thread writes. It takes all that waits, seals it into one buffer, writes and calls `fdatasync` once, and
//! only then answers; what arrives meanwhile is the next group. There is no timer: the next group starts when the
//! last one has ended.
//!
//! Segments are files of a fixed size, filled with zeros beforehand, so that a commit changes no metadata of the
//! file system. Each has a fresh key (AES-256-GCM), wrapped under the log's own; the nonce is the place of the
//! frame in the segment, and a frame's header is authenticated with it. A segment that was open when the process
//! ended is never written again: the next opening begins a new one.
//!
//! Reading stops at the first frame that does not verify. At the end of the last segment that is a write that was
//! cut off, which nobody was told of; anywhere else it is damage, and the log does not open.

mod archive;
mod error;
mod frame;
mod log;
mod pin;
mod reader;
mod records;
mod recover;
mod sealer;
mod segment;
mod spare;
mod tree;
mod writer;

pub use archive::Archive;
pub use error::{LogError, OpenError};
pub use frame::{Entry, Kept, Stream};
pub use log::{Log, Options};
pub use pin::pin;
pub use reader::Reader;
pub use records::Records;
pub use recover::{Recovered, Torn};
pub use sealer::Sealer;
pub use tree::{Fault, Kind, Proven, Sealed, Tree, TreeError, TreeOptions, Witnessed, remake, witnessed};
