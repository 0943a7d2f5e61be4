//! The connections: one that writes, and those that read beside it.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use tokio::task;

use super::open::{OpenReadModelError, Opened, open_file, open_memory};
use crate::sqlite_file::{FileLock, ReadError, Readers};

/// The games of one player lie far apart among a million: room for pages that are read often.
const READER_SETTINGS: &str = "PRAGMA cache_size = -65536;";

/// Why a question was not answered, or events were not applied.
#[derive(Debug, thiserror::Error)]
pub enum ReadModelError {
    /// SQLite failed.
    #[error("the read model failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The thread that worked on it did not come to its end.
    #[error("the read model failed: {0}")]
    Interrupted(#[from] task::JoinError),
}

/// The database. Dropped in the order of the fields: the writer closes last, so that it can
/// leave a single file; then the file may be somebody else's.
#[derive(Debug)]
pub(super) struct Database {
    /// `None` in memory, where the writer's connection is the only one.
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
    /// Blocks on the disk.
    pub(super) fn open(path: &Path, anew: bool) -> Result<Database, OpenReadModelError> {
        let Opened { path, lock, writer } = open_file(path, anew)?;
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

    /// The connection that writes, for one at a time. A panic rolls its transaction back, so a
    /// poisoned lock guards a sound connection.
    pub(super) fn writer(&self) -> MutexGuard<'_, Connection> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs the read where it may block, in a transaction of its own: it sees one moment.
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
