//! Events in columns, to be asked in SQL.
//!
//! New events are record batches in memory, which questions see at once. Batches become Parquet files, one for
//! each tenant, stream and hour; small files become large, sorted ones. What exists is a list of [`FileEntry`]s
//! that somebody else keeps (in the state database), so that a file counts only when that is committed: what is
//! in the folder and not in the list is set aside.
//!
//! The lake does not know what an event is: a [`Layout`] tells which columns there are, and which of them say
//! when, where and what. Nobody asks a table itself; a question goes to a view of it that was narrowed to a
//! tenant, to nodes and to a time before the question is planned ([`Scope`]).

mod barrier;
mod check;
mod compact;
mod error;
mod file;
mod keyring;
mod layout;
mod provider;
mod query;
mod room;
mod sealed;
mod spill;
mod statement;
mod table;
mod words;
mod workers;
mod writer;

pub use check::{Wrong, WrongFile, check};
pub use compact::Compacted;
pub use error::LakeError;
pub use file::{FileEntry, FileId};
pub use keyring::Keyring;
pub use layout::{ForWords, Layout};
pub use provider::Scope;
pub use query::{Answer, Ask, Budget, Question};
pub use room::RESERVE;
pub use table::{GRACE, Hot, Lake, News};
