use std::path::PathBuf;

use datafusion::arrow::error::ArrowError;
use datafusion::error::DataFusionError;

/// Why something did not work.
#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    /// The question cannot be understood, or asks for what there is not.
    #[error("{0}")]
    Question(String),
    /// The question would have taken more memory than one may.
    #[error("the question needs more memory than {0} MiB; ask for less time, fewer columns or fewer groups")]
    Memory(usize),
    /// The question would have put more aside on the disk than one may, or than there is room for.
    #[error(
        "the question needs more of the disk than {0} MiB, or than is free; ask for less time or fewer columns"
    )]
    Disk(u64),
    /// The question took longer than one may.
    #[error("the question took longer than {0} s; ask for less time or narrow the filter")]
    Time(u64),
    /// Whoever worked on the question is gone.
    #[error("the question broke off")]
    BrokeOff,
    /// There is no key for what is to be written.
    #[error("the key for a file of logs: {0}")]
    Key(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A file that the list names cannot be read.
    #[error("{0}: {1}")]
    File(PathBuf, #[source] std::io::Error),
    /// Something in the engine.
    #[error("the lake: {0}")]
    Engine(#[source] Box<DataFusionError>),
}

impl LakeError {
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        |error| Self::File(path, error)
    }
}

impl From<DataFusionError> for LakeError {
    fn from(error: DataFusionError) -> Self {
        match error.find_root() {
            DataFusionError::SQL(..)
            | DataFusionError::Plan(_)
            | DataFusionError::SchemaError(..)
            | DataFusionError::NotImplemented(_)
            | DataFusionError::ArrowError(..)
            | DataFusionError::Execution(_)
            | DataFusionError::Configuration(_)
            // A function's own words about what it was given, such as a pattern.
            | DataFusionError::External(_) => Self::Question(error.strip_backtrace()),
            _ => Self::Engine(Box::new(error)),
        }
    }
}

impl From<ArrowError> for LakeError {
    fn from(error: ArrowError) -> Self {
        Self::from(DataFusionError::from(error))
    }
}

impl From<parquet::errors::ParquetError> for LakeError {
    fn from(error: parquet::errors::ParquetError) -> Self {
        Self::from(DataFusionError::from(error))
    }
}
