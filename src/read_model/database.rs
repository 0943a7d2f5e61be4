//! The SQLite connections: one that writes, and several that read at the same time.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use tokio::task;

use super::open::{OpenReadModelError, Opened, open_file, open_memory};
use crate::sqlite_file::{FileLock, ReadError, Readers};

/// 64 MiB of page cache. The games of one player are spread over the whole table, so that a list of
/// them reads many pages.
const READER_SETTINGS: &str = "PRAGMA cache_size = -65536;";

/// Why a query was not answered, or events were not applied.
#[derive(Debug, thiserror::Error)]
pub enum ReadModelError {
    /// SQLite failed.
    #[error("the read model failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The blocking task panicked or was cancelled.
    #[error("the read model failed: {0}")]
    Interrupted(#[from] task::JoinError),
}

/// The database. Fields are dropped in this order: the writer closes after all readers, so that
/// SQLite can remove the write-ahead log; the lock is released last.
#[derive(Debug)]
pub(super) struct Database {
    /// `None` for a database in memory, which has the writer's connection only.
    readers: Option<Arc<Readers>>,
    writer: Mutex<Connection>,
    _lock: Option<FileLock>,
}

impl From<ReadError> for ReadModelError {
    fn from(error: ReadError) -> ReadModelError {
        match error {
            ReadError::Sqlite(error) => error.into(),
            ReadError::Interrupted(error) => error.into(),
        }
    }
}

impl Database {
    /// Opens the file; if `is_rebuild`, empties it first. Does blocking I/O.
    pub(super) fn open(path: &Path, is_rebuild: bool) -> Result<Database, OpenReadModelError> {
        let Opened { path, lock, writer } = open_file(path, is_rebuild)?;
        let readers = Readers::open(&path, READER_SETTINGS)
            .map_err(|error| OpenReadModelError::sqlite(&path, error))?;
        Ok(Database {
            readers: Some(Arc::new(readers)),
            writer: Mutex::new(writer),
            _lock: Some(lock),
        })
    }

    pub(super) fn in_memory() -> rusqlite::Result<Database> {
        Ok(Database {
            readers: None,
            writer: Mutex::new(open_memory()?),
            _lock: None,
        })
    }

    /// The writing connection, for one caller at a time. A poisoned lock is safe to use: a panic
    /// rolls back the open transaction.
    pub(super) fn writer(&self) -> MutexGuard<'_, Connection> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs the read on a blocking thread, in one transaction: all its queries see the same state.
    pub(super) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, ReadModelError> {
        if let Some(readers) = &self.readers {
            return Ok(readers.read(read).await?);
        }
        let database = self.clone();
        let read = task::spawn_blocking(move || read(&*database.writer().transaction()?));
        Ok(read.await??)
    }
}
