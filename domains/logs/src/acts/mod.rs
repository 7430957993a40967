//! The acts, one to a file.

mod change_source;
mod compact;
mod create_source;
mod delete_search;
mod keep;
mod save_search;
mod switch_source;

pub use change_source::ChangeSource;
pub use compact::CompactLogs;
pub use create_source::{CreateSource, CreatedSource};
pub use delete_search::DeleteSearch;
pub use keep::{Counted, KeepLogs, KeptFile};
pub use save_search::{SaveSearch, SavedAs};
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
