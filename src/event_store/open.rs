//! Chooses the store by its URL.

use std::sync::Arc;

use super::EventStore;
use super::kurrentdb::{ConnectionString, InvalidConnectionString, KurrentDbStore};
use super::memory::MemoryStore;
use super::sqlite::{ReadOnlySqliteStore, SqliteOpenError, SqliteStore};
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
        /// The URL that was given, or only its scheme: the rest may contain a password.
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
    if let Some(path) = sqlite_path(url)? {
        return Ok(Arc::new(SqliteStore::open(path).await?));
    }
    if ConnectionString::has_known_scheme(url) {
        return Ok(Arc::new(KurrentDbStore::open(url.parse()?).await?));
    }
    Err(OpenError::UnknownScheme {
        url: without_secrets(url),
    })
}

/// Opens the store that the URL names for reading, as [`open`] does. A SQLite file must exist, may be
/// in use by a service, and is not changed. A store at another kind of URL is the same as with `open`.
pub async fn open_to_read(url: &str) -> Result<Arc<dyn EventStore>, OpenError> {
    match sqlite_path(url)? {
        Some(path) => Ok(Arc::new(ReadOnlySqliteStore::open(path).await?)),
        None => open(url).await,
    }
}

/// Whether several processes can use the store at this URL at once, each with a read model of its own.
pub fn is_shared(url: &str) -> bool {
    ConnectionString::has_known_scheme(url)
}

/// The path in the URL of a SQLite file; `None` for another URL.
fn sqlite_path(url: &str) -> Result<Option<&str>, OpenError> {
    let path = url.strip_prefix("sqlite://");
    let Some(path) = path.filter(|path| !path.is_empty()) else {
        return Ok(None);
    };
    match mistaken_path(path) {
        None => Ok(Some(path)),
        Some(reason) => Err(OpenError::MistakenPath {
            url: url.to_owned(),
            reason,
        }),
    }
}

/// Only the scheme of a URL. A text without a scheme is probably a path, which helps in the message.
fn without_secrets(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, _)) => format!("{scheme}://…"),
        None => url.rsplit('@').next().unwrap_or(url).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_error_about_an_unknown_store_contains_no_password() {
        for url in [
            "postgres://user:secret@host/games",
            "kurentdb://user:secret@host",
            "esdb+x://user:secret",
            "redis://host?password=secret",
            "user:secret@host",
            "kurrentdb://user:secret",
            "kurrentdb://user:secret?x@host",
            "kurrentdb://user:se:secret",
            "kurrentdb://user:secret/x@host",
            "kurrentdb://user:secret@ho st",
        ] {
            let error = open(url).await.expect_err("no store").to_string();
            assert!(!error.contains("secret"), "{error}");
        }
        let error = open("games.db").await.expect_err("no store").to_string();
        assert!(error.contains("\"games.db\" is not the URL"), "{error}");
    }
}
