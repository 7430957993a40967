//! The form of a backup: a folder that whoever has the recovery key opens, and nobody else.
//!
//! ```text
//! bak_01JDG4Q4ZK8V3T6W0R2Y5X7B9C/
//!   manifest            one line of JSON (Manifest), then a line with its MAC
//!   index               sealed: what each object is called
//!   objects/000000 ...  the objects, by number
//! ```
//!
//! The manifest has no secrets in it: what stands there whoever keeps the backup may know. It tells size and SHA-256 of
//! everything else, so that a backup can be looked over without a key ([`Backup::check`]). Its MAC is made under the
//! backup's own key, which stands in it sealed to the recovery key ([`BackupKey`](garrison_secrets::BackupKey)): whoever
//! cannot open the backup cannot change it unseen. A MAC, because only who has the recovery key is to be convinced, and
//! that it is *this* installation's state is shown by something stronger: the checkpoint of the record, which the
//! installation signs, and which the restored records must lead to.
//!
//! Objects are sealed in the Tink streaming form ([`StreamKey`](garrison_secrets::StreamKey)) to the id of the backup and
//! their name; what is sealed already is copied as it is. Which name an object has, only the sealed index tells.

mod error;
mod manifest;
mod name;
mod read;
mod write;

pub use error::BackupError;
pub use manifest::{Extent, Manifest, Told};
pub use name::{BadName, ObjectName};
pub use read::{Backup, Unlocked};
pub use write::{Made, Making};

/// A sealed object that is longer than this is none of ours: it is opened in memory.
const SEALED: u64 = 1 << 30;
/// A longer manifest is none of ours.
const LISTS: u64 = 256 << 20;
/// More objects than this are none of ours.
const OBJECTS: usize = 1 << 21;

/// How the name of a folder ends in which a backup is made, or was when its maker was killed.
pub const UNFINISHED: &str = ".making";

/// The folder of the objects.
const FOLDER: &str = "objects";
const INDEX: &str = "index";
const MANIFEST: &str = "manifest";

/// Where an object lies, below the folder of the backup.
fn place(number: usize) -> String {
    format!("{FOLDER}/{number:06}")
}

/// What an object of this name is sealed to.
fn associated(backup: garrison_base::BackupId, name: &str) -> Vec<u8> {
    format!("{backup}/{name}").into_bytes()
}
