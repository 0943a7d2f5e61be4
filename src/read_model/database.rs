//! The connections: one that writes, and those that read beside it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;
use tokio::task;

use super::open::{OpenReadModelError, Opened, open_file, open_memory, open_reader};
use crate::database_lock::DatabaseLock;

/// How many reads run at once.
const READS: usize = 4;

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
    /// `None` in memory, where all share the one connection that there is.
    readers: Option<Readers>,
    writer: Mutex<Connection>,
    permits: Arc<Semaphore>,
    _lock: Option<DatabaseLock>,
}

#[derive(Debug)]
struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Database {
    /// Blocks on the disk.
    pub(super) fn open(path: &Path, anew: bool) -> Result<Database, OpenReadModelError> {
        let Opened { path, lock, writer } = open_file(path, anew)?;
        let idle = Mutex::default();
        Ok(Database {
            readers: Some(Readers { path, idle }),
            writer: Mutex::new(writer),
            permits: Arc::new(Semaphore::new(READS)),
            _lock: Some(lock),
        })
    }

    pub(super) fn in_memory() -> rusqlite::Result<Database> {
        Ok(Database {
            readers: None,
            writer: Mutex::new(open_memory()?),
            permits: Arc::new(Semaphore::new(READS)),
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
        let permits = self.permits.clone();
        // It is never closed; a read without a permit would do no harm either.
        let permit = permits.acquire_owned().await.ok();
        let database = self.clone();
        let read = task::spawn_blocking(move || {
            // Given back when the read is over, not when somebody stops waiting for it.
            let _permit = permit;
            database.blocking_read(read)
        });
        Ok(read.await??)
    }

    fn blocking_read<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let Some(readers) = &self.readers else {
            return read(&*self.writer().transaction()?);
        };
        let idle = || readers.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let pooled = idle().pop();
        let mut connection = match pooled {
            Some(connection) => connection,
            None => open_reader(&readers.path)?,
        };
        // A connection that failed is not used again.
        let answer = read(&*connection.transaction()?)?;
        idle().push(connection);
        Ok(answer)
    }
}
