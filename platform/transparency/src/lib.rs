//! A transparency log: whoever holds one signed checkpoint can tell that nothing before it was changed since.
//!
//! - The tree and its proofs: RFC 6962, section 2.1; they are verified as RFC 9162, section 2.1, says.
//! - [Tiles](https://c2sp.org/tlog-tiles), in which the tree is kept: [`TileWriter`] makes them, and [`inclusion`],
//!   [`consistency`] and [`root_of`] read them by a function of the caller.
//! - [Signed notes](https://c2sp.org/signed-note): [`Note`], [`Signer`], [`Verifier`]; Ed25519 only.
//! - [Checkpoints](https://c2sp.org/tlog-checkpoint): [`Checkpoint`], the size and root that a log stands for.
//! - [Proofs as text](https://c2sp.org/tlog-proof): [`Evidence`], for a machine that has neither server nor secret.
//!
//! Pure: no files, no clock, no randomness. Sizes and indexes count entries; a tree has fewer than 2^64.

mod checkpoint;
mod decimal;
mod evidence;
mod frontier;
mod hash;
mod key;
mod note;
mod proof;
mod reader;
#[cfg(test)]
mod sample;
mod tile;
mod verify;
mod writer;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use evidence::{Evidence, EvidenceError};
pub use frontier::Frontier;
pub use hash::{Hash, empty_root, leaf_hash, node_hash};
pub use key::{KeyError, Signer, Verifier};
pub use note::{Note, NoteError, VerifyError};
pub use proof::{consistency, inclusion};
pub use reader::{ReadError, root_of};
pub use tile::{TileId, TilePathError, new_tiles};
pub use verify::{ProofError, verify_consistency, verify_inclusion};
pub use writer::{Tile, TileWriter};
