//! Opens the database of a read model. Refuses files that are not a read model.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use percent_encoding::{AsciiSet, CONTROLS, percent_encode};
use rusqlite::{Connection, OpenFlags};

use super::damage::is_damage;
use super::location::SUFFIX;
use super::schema;
use crate::sqlite_file::{Claim, ClaimError, FileLock, Kind};

/// Why a read model cannot be opened. The text tells the operator what to do. A file that is
/// refused is not changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenReadModelError {
    /// Another process, or another read model in this process, has locked the file.
    #[error(
        "the read model {} is in use by another process: stop that one, or give this one a \
         file of its own with --read-model",
        path.display()
    )]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The file exists and is not a read model.
    #[error(
        "{} is not a read model and was left alone: name another file with --read-model",
        path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be opened, created or written.
    #[error(
        "the read model {} cannot be used ({source}): make sure that its directory exists and \
         that both are writable, or keep it in memory with --read-model memory:",
        path.display()
    )]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// SQLite failed.
    #[error("SQLite cannot work with the read model {location} ({source})")]
    Sqlite {
        /// The file, or `memory`.
        location: String,
        /// The error of SQLite.
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

/// An open read model: the file is locked and has its tables.
pub(super) struct Opened {
    pub(super) path: PathBuf,
    pub(super) lock: FileLock,
    pub(super) writer: Connection,
}

/// Opens the file, or creates it. Empties a read model that has another version or that SQLite cannot
/// open, and any read model if `is_rebuild`. The projector finds other damage. Does blocking I/O.
pub(super) fn open_file(path: &Path, is_rebuild: bool) -> Result<Opened, OpenReadModelError> {
    let claim = Claim::stake(path, schema::APPLICATION_ID)?;
    let path = claim.path.clone();
    let lock = claim.lock;
    let file = path.display();
    let empty = || {
        let emptied = lock.empty();
        emptied.map_err(|error| OpenReadModelError::io(&path, error))
    };
    match claim.kind {
        Kind::Empty => {}
        Kind::Ours { version } if version == schema::VERSION => {
            if is_rebuild {
                empty()?;
            }
        }
        Kind::Ours { version } => {
            tracing::info!(
                version,
                "{file} has another version; the read model is rebuilt"
            );
            empty()?;
        }
        Kind::NotADatabase if is_named_by_us(&path) => {
            tracing::warn!("{file} is damaged: it is not a database; the read model is rebuilt");
            empty()?;
        }
        Kind::Unmarked if has_only_our_tables(&path) => {
            tracing::warn!("{file} is damaged: it is not marked; the read model is rebuilt");
            empty()?;
        }
        Kind::Foreign | Kind::Unmarked | Kind::NotADatabase => {
            return Err(OpenReadModelError::Foreign { path });
        }
    }
    let writer = match open_writer(&path) {
        Ok(writer) => writer,
        Err(error) if is_damage(&error) => {
            tracing::warn!(%error, "{file} is damaged: {error}; the read model is rebuilt");
            open_emptied(&path, &lock)?
        }
        Err(error) => return Err(OpenReadModelError::sqlite(&path, error)),
    };
    Ok(Opened { path, lock, writer })
}

/// Empties the locked file, to which no connection may be open, and creates the tables.
pub(super) fn open_emptied(path: &Path, lock: &FileLock) -> Result<Connection, OpenReadModelError> {
    lock.empty()
        .map_err(|error| OpenReadModelError::io(path, error))?;
    open_writer(path).map_err(|error| OpenReadModelError::sqlite(path, error))
}

/// Whether the file has the name that this program gives to a read model.
fn is_named_by_us(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| name.ends_with(SUFFIX))
}

/// What has a meaning in the path of a URI.
const RESERVED: &AsciiSet = &CONTROLS.add(b'%').add(b'?').add(b'#');

/// Whether the database is a read model that lost its application id. `immutable` keeps SQLite from
/// changing anything in a database of another program.
fn has_only_our_tables(path: &Path) -> bool {
    let path = percent_encode(path.as_os_str().as_encoded_bytes(), RESERVED);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let opened = Connection::open_with_flags(format!("file:{path}?immutable=1"), flags);
    opened.is_ok_and(|opened| schema::has_only_our_tables(&opened) == Ok(true))
}

fn open_writer(path: &Path) -> rusqlite::Result<Connection> {
    let mut connection = Connection::open(path)?;
    // In case somebody opens the file with a database tool. A commit that fails is tried again.
    connection.busy_timeout(Duration::from_millis(200))?;
    // Before switching to the write-ahead log, so that the application id is in the file itself.
    schema::create(&mut connection)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    // Commits do not wait for the disk: events that are lost in a crash of the machine are applied
    // again.
    connection.execute_batch(
        "PRAGMA synchronous = NORMAL;
         PRAGMA wal_autocheckpoint = 16384;
         PRAGMA journal_size_limit = 67108864;
         PRAGMA cache_size = -65536;",
    )?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Opens a database in memory, which is lost when this connection closes.
pub(super) fn open_memory() -> rusqlite::Result<Connection> {
    let mut connection = Connection::open_in_memory()?;
    schema::create(&mut connection)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}
