//! Chooses the store by its URL.

use std::sync::Arc;

use super::EventStore;
use super::memory::MemoryStore;
use super::sqlite::{SqliteOpenError, SqliteStore};

/// Why a store could not be opened. The text tells the operator what to change.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// No store goes by this scheme.
    #[error(
        "{url:?} names no event store: use sqlite://PATH for a file or memory: for a store \
         that ends with the process"
    )]
    UnknownScheme {
        /// What was given.
        url: String,
    },
    /// The SQLite file cannot be used.
    #[error(transparent)]
    Sqlite(#[from] SqliteOpenError),
}

/// Opens the store that the URL names: `memory:` or `sqlite://path`, the path relative to
/// the working directory unless it begins with a third slash.
pub async fn open(url: &str) -> Result<Arc<dyn EventStore>, OpenError> {
    if url == "memory:" {
        return Ok(Arc::new(MemoryStore::new()));
    }
    if let Some(path) = url
        .strip_prefix("sqlite://")
        .filter(|path| !path.is_empty())
    {
        return Ok(Arc::new(SqliteStore::open(path).await?));
    }
    Err(OpenError::UnknownScheme {
        url: url.to_owned(),
    })
}
