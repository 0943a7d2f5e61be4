//! Chooses the store by its URL.

use std::sync::Arc;

use super::EventStore;
use super::kurrentdb::{ConnectionString, InvalidConnectionString, KurrentDbStore};
use super::memory::MemoryStore;
use super::sqlite::{SqliteOpenError, SqliteStore};
use crate::sqlite_file::mistaken_path;

/// Why a store could not be opened. The text tells the operator what to change.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// No store has this scheme.
    #[error(
        "{url:?} is not the URL of an event store: use sqlite://PATH for a file, \
         kurrentdb://HOST for KurrentDB, or memory: for a store that is lost when the process ends"
    )]
    UnknownScheme {
        /// The URL that was given, without credentials.
        url: String,
    },
    /// The path has a special meaning to SQLite, but not to this program.
    #[error("{url:?} does not name a file: {reason}")]
    MistakenPath {
        /// The URL that was given.
        url: String,
        /// What to use instead.
        reason: &'static str,
    },
    /// The SQLite file cannot be used.
    #[error(transparent)]
    Sqlite(#[from] SqliteOpenError),
    /// The KurrentDB connection string cannot be used.
    #[error(transparent)]
    KurrentDb(#[from] InvalidConnectionString),
}

/// Opens the store that the URL names: `memory:`, `sqlite://PATH` or `kurrentdb://…`.
///
/// A SQLite path is relative to the working directory unless it begins with a third slash. It has no
/// parameters: `sqlite://:memory:` and `sqlite://PATH?mode=rwc` are refused. For
/// KurrentDB, the schemes `esdb`, `kurrent` and `kdb` mean the same as `kurrentdb`, and each of
/// the four may end with `+discover`.
pub async fn open(url: &str) -> Result<Arc<dyn EventStore>, OpenError> {
    if url == "memory:" {
        return Ok(Arc::new(MemoryStore::new()));
    }
    if let Some(path) = url
        .strip_prefix("sqlite://")
        .filter(|path| !path.is_empty())
    {
        if let Some(reason) = mistaken_path(path) {
            let url = url.to_owned();
            return Err(OpenError::MistakenPath { url, reason });
        }
        return Ok(Arc::new(SqliteStore::open(path).await?));
    }
    if ConnectionString::has_known_scheme(url) {
        return Ok(Arc::new(KurrentDbStore::open(url.parse()?).await?));
    }
    let public = url
        .rsplit_once('@')
        .map_or(url, |(_credentials, rest)| rest);
    Err(OpenError::UnknownScheme {
        url: public.to_owned(),
    })
}
