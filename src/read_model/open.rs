//! From a location to a database, refusing whatever is not ours to use.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::schema::{self, Kind};
use crate::database_lock::{DatabaseLock, LockError};

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

/// A file that is ours, with its tables.
pub(super) struct Opened {
    pub(super) path: PathBuf,
    pub(super) lock: DatabaseLock,
    pub(super) writer: Connection,
}

/// Opens the file, which is created when there is none; one of another version, or one that is
/// damaged, is made anew, and any of ours if that is `wanted_anew`. Blocks on the disk.
pub(super) fn open_file(path: &Path, wanted_anew: bool) -> Result<Opened, OpenReadModelError> {
    let failed = |source| OpenReadModelError::io(path, source);
    // A path has to exist to be made canonical, and an empty file is an empty database.
    match File::create_new(path) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(failed(error)),
    }
    let path = path.canonicalize().map_err(failed)?;
    if path.is_dir() {
        return Err(failed(io::ErrorKind::IsADirectory.into()));
    }
    // Before the file is opened: to close it again would take away the locks that SQLite holds
    // on it for somebody else in this process.
    let lock = DatabaseLock::take(&path).map_err(|error| match error {
        LockError::Taken => OpenReadModelError::InUse { path: path.clone() },
        LockError::Io(source) => OpenReadModelError::io(&path, source),
    })?;
    let header = read_header(&path).map_err(|error| OpenReadModelError::io(&path, error))?;
    let file = path.display();
    let anew = match schema::kind_of(&header) {
        Kind::Empty => false,
        Kind::Ours => wanted_anew,
        Kind::OurOther { version } => {
            tracing::info!(
                version,
                "{file} is of another version; the read model is rebuilt"
            );
            true
        }
        Kind::Foreign | Kind::NotADatabase => return Err(OpenReadModelError::Foreign { path }),
    };
    if anew {
        remove(&path)?;
    }
    let writer = match open_writer(&path) {
        Err(error) if is_damage(&error) => {
            tracing::warn!(%error, "{file} is damaged; the read model is rebuilt");
            remove(&path)?;
            open_writer(&path)
        }
        opened => opened,
    }
    .map_err(|error| OpenReadModelError::sqlite(&path, error))?;
    Ok(Opened { path, lock, writer })
}

/// The beginning of the file, which has to be writable as well.
fn read_header(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::options().read(true).write(true).open(path)?;
    let mut header = Vec::new();
    file.take(100).read_to_end(&mut header)?;
    Ok(header)
}

/// Removes the database and what SQLite keeps beside it, but not the lock.
fn remove(path: &Path) -> Result<(), OpenReadModelError> {
    // The database last: without it, what is beside it would be taken for the next one's.
    for suffix in ["-journal", "-wal", "-shm", ""] {
        let mut name = OsString::from(path);
        name.push(suffix);
        match fs::remove_file(&name) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(OpenReadModelError::io(path, error)),
        }
    }
    Ok(())
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

/// Opens one more connection to a file that the writer keeps open.
pub(super) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    // The games of one player lie far apart among a million: room for what is asked for often.
    connection.execute_batch("PRAGMA cache_size = -65536;")?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}
