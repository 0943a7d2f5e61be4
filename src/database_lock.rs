//! Sees to it that a SQLite file has one user at a time: an event store, or a read model.

use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// The right to use a database file, until it is dropped or the process ends, however it ends.
///
/// The lock is on a file beside the database and never on the database itself: closing any
/// descriptor of that would take away the locks that SQLite holds on it. The side file stays
/// behind, empty, since removing it could take it from under a process that has just opened it.
#[derive(Debug)]
pub(crate) struct DatabaseLock {
    file: File,
}

/// Why the right was not given.
#[derive(Debug)]
pub(crate) enum LockError {
    /// Another process has it, or somebody else in this one.
    Taken,
    /// The side file cannot be used.
    Io(io::Error),
}

impl DatabaseLock {
    /// `database` has to be canonical, so that whoever comes through a link meets the same lock.
    pub(crate) fn take(database: &Path) -> Result<DatabaseLock, LockError> {
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(side_file(database))
            .map_err(LockError::Io)?;
        match file.try_lock() {
            Ok(()) => Ok(DatabaseLock { file }),
            Err(TryLockError::WouldBlock) => Err(LockError::Taken),
            Err(TryLockError::Error(error)) => Err(LockError::Io(error)),
        }
    }
}

impl Drop for DatabaseLock {
    fn drop(&mut self) {
        // To close the file is not enough: a process that is being started at this moment has
        // a copy of the descriptor, until it executes its program.
        if let Err(error) = self.file.unlock() {
            tracing::warn!(%error, "the lock of a SQLite file stays until the process ends");
        }
    }
}

fn side_file(database: &Path) -> PathBuf {
    let mut name = OsString::from(database);
    name.push(".lock");
    PathBuf::from(name)
}
