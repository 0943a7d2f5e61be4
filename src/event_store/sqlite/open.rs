//! From a path to connections, refusing whatever is not ours to use.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::schema;
use crate::database_lock::{DatabaseLock, LockError};

/// Why a SQLite file cannot be used. The text tells the operator what to do; a file that is
/// refused is left as it was.
#[derive(Debug, thiserror::Error)]
pub enum SqliteOpenError {
    /// Another process, or another store of this one, has the file.
    #[error(
        "{} is in use by another process: stop that one, or give this one a file of its own",
        path.display()
    )]
    InUse {
        /// The database file.
        path: PathBuf,
    },
    /// The directory does not exist.
    #[error("{} leads nowhere: create its directory, or correct the path", path.display())]
    NoDirectory {
        /// The database file that could not be created.
        path: PathBuf,
    },
    /// A directory was named.
    #[error("{} is a directory: name a file in it", path.display())]
    IsADirectory {
        /// The directory.
        path: PathBuf,
    },
    /// The file or its directory cannot be written to.
    #[error(
        "{} cannot be written ({source}): the file and its directory, where SQLite keeps its \
         journal, both have to be writable for this user",
        path.display()
    )]
    NotWritable {
        /// What could not be written.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file holds something else.
    #[error(
        "{} is not a SQLite database and was left alone: name another file, or move it away to \
         begin with an empty one",
        path.display()
    )]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// A SQLite database of another program.
    #[error(
        "{} is a SQLite database of another program and was left alone: name another file",
        path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// Written by a later version of this program.
    #[error(
        "{} has schema version {found} and this program knows only {known}: run the newer \
         program that wrote it",
        path.display()
    )]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The latest that this program knows.
        known: u32,
    },
    /// The file system lacks what SQLite's write-ahead log needs.
    #[error(
        "the file system of {} has no shared memory for SQLite's write-ahead log: keep the \
         file on a local disk",
        path.display()
    )]
    NoWriteAheadLog {
        /// The file.
        path: PathBuf,
    },
    /// The database is damaged.
    #[error("{} is damaged ({source}): restore it from a backup", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite found.
        source: rusqlite::Error,
    },
    /// SQLite failed in another way.
    #[error(
        "SQLite cannot work with {} ({source}): see that the disk is sound and has room",
        path.display()
    )]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The operating system failed in another way.
    #[error("cannot open {}: {source}", path.display())]
    Io {
        /// What was to be opened.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl SqliteOpenError {
    pub(super) fn sqlite(path: &Path, source: rusqlite::Error) -> SqliteOpenError {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                SqliteOpenError::Damaged { path, source }
            }
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen) => SqliteOpenError::NotWritable {
                path,
                source: io::Error::other(source),
            },
            Some(_) | None => SqliteOpenError::Sqlite { path, source },
        }
    }

    pub(super) fn io(path: &Path, source: io::Error) -> SqliteOpenError {
        let path = path.to_owned();
        let kind = source.kind();
        if kind == io::ErrorKind::IsADirectory {
            SqliteOpenError::IsADirectory { path }
        } else if matches!(kind, io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) {
            SqliteOpenError::NoDirectory { path }
        } else if matches!(
            kind,
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
        ) {
            SqliteOpenError::NotWritable { path, source }
        } else {
            SqliteOpenError::Io { path, source }
        }
    }
}

/// A database file that is ours, with its tables, ready to be written to.
#[derive(Debug)]
pub(super) struct Database {
    pub(super) path: PathBuf,
    pub(super) lock: DatabaseLock,
    pub(super) writer: Connection,
}

impl Database {
    /// Blocks on the disk.
    pub(super) fn open(path: &Path) -> Result<Database, SqliteOpenError> {
        // Created here and not by SQLite: an empty file is an empty database, and a path has to
        // exist to be made canonical.
        match File::create_new(path) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(SqliteOpenError::io(path, error)),
        }
        let path = path
            .canonicalize()
            .map_err(|error| SqliteOpenError::io(path, error))?;
        if path.is_dir() {
            return Err(SqliteOpenError::IsADirectory { path });
        }
        // Before the file is opened: to close it again would take away the locks that SQLite
        // holds on it for another store of this process.
        let lock = DatabaseLock::take(&path).map_err(|error| match error {
            LockError::Taken => SqliteOpenError::InUse { path: path.clone() },
            LockError::Io(source) => SqliteOpenError::io(&path, source),
        })?;
        let header = read_header(&path).map_err(|error| SqliteOpenError::io(&path, error))?;
        schema::check_header(&path, &header)?;
        let writer = open_writer(&path)?;
        Ok(Database { path, lock, writer })
    }
}

/// The beginning of the file, which has to be writable as well.
fn read_header(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::options().read(true).write(true).open(path)?;
    let mut header = Vec::new();
    file.take(100).read_to_end(&mut header)?;
    Ok(header)
}

fn open_writer(path: &Path) -> Result<Connection, SqliteOpenError> {
    let failed = |source| SqliteOpenError::sqlite(path, source);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    // For a database tool that somebody runs on the file; nobody else competes with us.
    connection
        .busy_timeout(Duration::from_secs(2))
        .map_err(failed)?;
    // Before the tables are made, so that they too are durable.
    connection
        .pragma_update(None, "synchronous", "FULL")
        .map_err(failed)?;
    schema::prepare(path, &mut connection)?;
    let mode: String = connection
        .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))
        .map_err(failed)?;
    if mode != "wal" {
        return Err(SqliteOpenError::NoWriteAheadLog {
            path: path.to_owned(),
        });
    }
    connection
        .execute_batch(
            // 64 MiB of journal between two checkpoints instead of 4, because each one stops
            // the writer to sync the whole database; and a cache that holds every page that
            // is written to again and again.
            "PRAGMA wal_autocheckpoint = 16384;
             PRAGMA journal_size_limit = 67108864;
             PRAGMA cache_size = -65536;",
        )
        .map_err(failed)?;
    Ok(connection)
}

/// Opens one more connection to a database that the writer keeps open.
pub(super) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(2))?;
    Ok(connection)
}
