//! Why a SQLite event store cannot be opened.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use crate::sqlite_file::ClaimError;

/// Why a SQLite file cannot be used. The text tells the operator what to do. A refused file is
/// not changed.
#[derive(Debug, thiserror::Error)]
pub enum SqliteOpenError {
    /// Another process, or another store of this process, uses the file.
    #[error(
        "{} is in use by another process: stop that process, or use another file",
        path.display()
    )]
    InUse {
        /// The database file.
        path: PathBuf,
    },
    /// A file that is to be read does not exist.
    #[error("{} does not exist: correct the path", path.display())]
    NoFile {
        /// The path that was given.
        path: PathBuf,
    },
    /// The directory does not exist.
    #[error("the directory of {} does not exist: create it, or correct the path", path.display())]
    NoDirectory {
        /// The database file that could not be created.
        path: PathBuf,
    },
    /// The path is that of a directory.
    #[error("{} is a directory: use the path of a file", path.display())]
    IsADirectory {
        /// The directory.
        path: PathBuf,
    },
    /// The file or its directory cannot be written to.
    #[error(
        "cannot write to {} ({source}): this user must be able to write to the file and to its \
         directory, where SQLite creates its journal",
        path.display()
    )]
    NotWritable {
        /// The file or directory.
        path: PathBuf,
        /// The error of the operating system, or of SQLite.
        source: io::Error,
    },
    /// The file is not a SQLite database.
    #[error(
        "{} is not a SQLite database and was not changed: use another file, or move this one \
         away to start with an empty store",
        path.display()
    )]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// A SQLite database of another program.
    #[error(
        "{} is a SQLite database of another program and was not changed: use another file",
        path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file was written by a later version of this program.
    #[error(
        "{} has schema version {found}, but this program supports only versions up to {known}: \
         use the newer program that wrote the file",
        path.display()
    )]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The latest version that this program supports.
        known: u32,
    },
    /// A file that is to be read was written by an earlier version of this program.
    #[error(
        "{} has schema version {found}, and this program reads version {known}: start the service \
         on the file once, which updates it",
        path.display()
    )]
    OlderSchema {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The version that this program reads.
        known: u32,
    },
    /// The file system does not support SQLite's write-ahead log.
    #[error(
        "the file system of {} does not support the shared memory that SQLite's write-ahead log \
         needs: keep the file on a local disk",
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
        /// The error of SQLite.
        source: rusqlite::Error,
    },
    /// SQLite failed in another way.
    #[error(
        "SQLite cannot use {} ({source}): check that the disk works and has free space",
        path.display()
    )]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// The error of SQLite.
        source: rusqlite::Error,
    },
    /// The operating system failed in another way.
    #[error("cannot open {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
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

    /// The error of a file that is opened to be read.
    pub(super) fn not_readable(path: &Path, source: rusqlite::Error) -> SqliteOpenError {
        match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => SqliteOpenError::NotADatabase {
                path: path.to_owned(),
            },
            Some(_) | None => SqliteOpenError::sqlite(path, source),
        }
    }

    /// The error of a path that cannot be resolved.
    pub(super) fn not_found(path: &Path, source: io::Error) -> SqliteOpenError {
        if source.kind() == io::ErrorKind::NotFound {
            let path = path.to_owned();
            return SqliteOpenError::NoFile { path };
        }
        SqliteOpenError::io(path, source)
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

impl From<ClaimError> for SqliteOpenError {
    fn from(error: ClaimError) -> SqliteOpenError {
        match error {
            ClaimError::InUse(path) => SqliteOpenError::InUse { path },
            ClaimError::Io(path, source) => SqliteOpenError::io(&path, source),
        }
    }
}
