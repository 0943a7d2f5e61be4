//! From a location to a database, refusing whatever is not ours to use.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use super::schema;
use crate::sqlite_file::{Claim, ClaimError, FileLock, Kind};

/// Why a read model cannot be kept where it was asked to. The text tells the operator what to
/// do; a file that is refused is left as it was.
#[derive(Debug, thiserror::Error)]
pub enum OpenReadModelError {
    /// Another process, or another service in this one, has the file.
    #[error(
        "the read model {} is in use by another process: stop that one, or give this one a \
         file of its own with --read-model",
        path.display()
    )]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The file holds something else than a read model.
    #[error(
        "{} is no read model and was left alone: name another file with --read-model",
        path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be opened, created or written.
    #[error(
        "the read model {} cannot be used ({source}): the file and its directory have to be \
         there and writable; or keep it in memory, with --read-model memory:",
        path.display()
    )]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// SQLite failed.
    #[error("SQLite cannot work with the read model {location} ({source})")]
    Sqlite {
        /// The file, or `memory`.
        location: String,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

impl OpenReadModelError {
    pub(super) fn io(path: &Path, source: io::Error) -> OpenReadModelError {
        OpenReadModelError::Io {
            path: path.to_owned(),
            source,
        }
    }

    pub(super) fn sqlite(path: &Path, source: rusqlite::Error) -> OpenReadModelError {
        OpenReadModelError::Sqlite {
            location: path.display().to_string(),
            source,
        }
    }
}

impl From<ClaimError> for OpenReadModelError {
    fn from(error: ClaimError) -> OpenReadModelError {
        match error {
            ClaimError::InUse(path) => OpenReadModelError::InUse { path },
            ClaimError::Io(path, source) => OpenReadModelError::Io { path, source },
        }
    }
}

/// A file that is ours, with its tables.
pub(super) struct Opened {
    pub(super) path: PathBuf,
    pub(super) lock: FileLock,
    pub(super) writer: Connection,
}

/// Opens the file, which is created when there is none. One of another version, or one that is
/// damaged, is emptied, and any of ours if `is_rebuild`. Blocks on the disk.
pub(super) fn open_file(path: &Path, is_rebuild: bool) -> Result<Opened, OpenReadModelError> {
    let mut claim = Claim::stake(path, schema::APPLICATION_ID)?;
    let path = claim.path.clone();
    let file = path.display();
    let empty = |claim: &mut Claim| {
        let emptied = claim.empty();
        emptied.map_err(|error| OpenReadModelError::io(&path, error))
    };
    match claim.kind {
        Kind::Empty => {}
        Kind::Ours { version } if version == schema::VERSION => {
            if is_rebuild {
                empty(&mut claim)?;
            }
        }
        Kind::Ours { version } => {
            tracing::info!(
                version,
                "{file} is of another version; the read model is rebuilt"
            );
            empty(&mut claim)?;
        }
        Kind::Foreign | Kind::NotADatabase => return Err(OpenReadModelError::Foreign { path }),
    }
    let writer = match open_writer(&path) {
        Err(error) if is_damage(&error) => {
            tracing::warn!(%error, "{file} is damaged; the read model is rebuilt");
            empty(&mut claim)?;
            open_writer(&path)
        }
        opened => opened,
    }
    .map_err(|error| OpenReadModelError::sqlite(&path, error))?;
    let lock = claim.lock;
    Ok(Opened { path, lock, writer })
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

fn open_writer(path: &Path) -> rusqlite::Result<Connection> {
    let mut connection = Connection::open(path)?;
    // For a database tool that somebody runs on the file. A commit that fails is tried again.
    connection.busy_timeout(Duration::from_millis(200))?;
    // Before the write-ahead log, so that the file itself says what it is.
    schema::create(&mut connection)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    // What a crash of the machine takes is projected again: no commit waits for the disk.
    connection.execute_batch(
        "PRAGMA synchronous = NORMAL;
         PRAGMA wal_autocheckpoint = 16384;
         PRAGMA journal_size_limit = 67108864;
         PRAGMA cache_size = -65536;",
    )?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Opens a database that ends with its only connection.
pub(super) fn open_memory() -> rusqlite::Result<Connection> {
    let mut connection = Connection::open_in_memory()?;
    schema::create(&mut connection)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}
