//! Why a SQLite event store cannot be opened.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use crate::sqlite_file::ClaimError;

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

impl From<ClaimError> for SqliteOpenError {
    fn from(error: ClaimError) -> SqliteOpenError {
        match error {
            ClaimError::InUse(path) => SqliteOpenError::InUse { path },
            ClaimError::Io(path, source) => SqliteOpenError::io(&path, source),
        }
    }
}
