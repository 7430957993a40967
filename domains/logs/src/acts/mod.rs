//! The acts, one to a file.

mod change_source;
mod classify_stream;
mod compact;
mod create_backup;
mod create_hold;
mod create_source;
mod delete_search;
mod destroy_key;
mod end_hold;
mod expire;
mod forget_backup;
mod keep;
mod record_root_key;
mod restore_backup;
mod resume;
mod rewrap_keys;
mod rotate_key;
mod save_search;
mod set_retention;
mod settle_keys;
mod switch_source;

pub use change_source::ChangeSource;
pub use classify_stream::{ClassifiedStream, ClassifyStream};
pub use compact::CompactLogs;
pub use create_backup::CreateBackup;
pub use create_hold::{CreateHold, CreatedHold};
pub use create_source::{CreateSource, CreatedSource};
pub use delete_search::DeleteSearch;
pub use destroy_key::{CondemnedData, DestroyError, DestroyKey};
pub use end_hold::EndHold;
pub use expire::ExpireLogs;
pub use forget_backup::ForgetBackup;
pub use keep::{Counted, KeepLogs, KeptFile};
pub use record_root_key::RecordRootKey;
pub use restore_backup::{Lost, RestoreBackup};
pub use resume::ResumeLogs;
pub use rewrap_keys::{RewrapKeys, Rewrapped};
pub use rotate_key::{KeyChangeAsked, RotateKey};
pub use save_search::{SaveSearch, SavedAs};
pub use set_retention::SetRetention;
pub use settle_keys::{DestroyedVersion, SettleKeys};
pub use switch_source::{DisableSource, EnableSource};

use serde::Serialize;
use utoipa::ToSchema;

/// The answer of an act that makes nothing new.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LogsChanged)]
pub struct Changed {
    /// Whether anything is different now.
    pub changed: bool,
}
