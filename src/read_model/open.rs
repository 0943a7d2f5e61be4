//! Opens the database of a read model. Refuses files that are not a read model.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use percent_encoding::{AsciiSet, CONTROLS, percent_encode};
use rusqlite::{Connection, OpenFlags};

use super::damage::is_damage;
use super::location::MARK;
use super::schema;
use crate::sqlite_file::{Claim, ClaimError, FileLock, Kind};

/// What the name of a file ends with while it is built beside the one in use.
pub(super) const BUILDING: &str = ".building";

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
    /// Another rebuild of the same read model has not ended.
    #[error(
        "{} is in use: another rebuild is running, or a service is taking over its result; try \
         again in a moment",
        path.display()
    )]
    Rebuilding {
        /// The file that is built.
        path: PathBuf,
    },
    /// The file cannot be renamed, or replaced by another.
    #[error(
        "{} cannot be replaced: another program has the file open, or the disk is full",
        path.display()
    )]
    NotMovable {
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
    /// The error about a file that only rebuilds use.
    pub(super) fn of_a_rebuild(self) -> OpenReadModelError {
        if let OpenReadModelError::InUse { path } = self {
            return OpenReadModelError::Rebuilding { path };
        }
        self
    }

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
    open_claimed(Claim::stake(path, schema::APPLICATION_ID)?, is_rebuild)
}

/// Like [`open_file`], for a file that must exist.
pub(super) fn open_existing(path: &Path) -> Result<Opened, OpenReadModelError> {
    open_claimed(Claim::stake_existing(path, schema::APPLICATION_ID)?, false)
}

fn open_claimed(claim: Claim, is_rebuild: bool) -> Result<Opened, OpenReadModelError> {
    let defect = defect(&claim)?;
    let Claim { path, lock, .. } = claim;
    let file = path.display();
    if let Some(defect) = defect {
        tracing::warn!("{file} {defect}; the read model is rebuilt");
    }
    if is_rebuild || defect.is_some() {
        let emptied = lock.empty();
        emptied.map_err(|error| OpenReadModelError::io(&path, error))?;
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

/// Why the content of the file has to be deleted before it is used; `None` if it can be used.
///
/// # Errors
///
/// When the file is not a read model.
pub(super) fn defect(claim: &Claim) -> Result<Option<&'static str>, OpenReadModelError> {
    match claim.kind {
        Kind::Empty => Ok(None),
        Kind::Ours { version } if version == schema::VERSION => Ok(None),
        Kind::Ours { .. } => Ok(Some("has another version")),
        Kind::NotADatabase if is_named_by_us(&claim.path) => {
            Ok(Some("is damaged: it is not a database"))
        }
        Kind::Unmarked if has_only_our_tables(&claim.path) => {
            Ok(Some("is damaged: it is not marked"))
        }
        Kind::Foreign | Kind::Unmarked | Kind::NotADatabase => Err(OpenReadModelError::Foreign {
            path: claim.path.clone(),
        }),
    }
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
    name.is_some_and(|name| name.contains(MARK) || name.ends_with(BUILDING))
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

pub(super) fn open_writer(path: &Path) -> rusqlite::Result<Connection> {
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
    // A connection opens the log at its first read. The last connection removes the log when it closes,
    // but only if it has opened it.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(connection)
}

/// Opens a database in memory, which is lost when this connection closes.
pub(super) fn open_memory() -> rusqlite::Result<Connection> {
    let mut connection = Connection::open_in_memory()?;
    schema::create(&mut connection)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}
