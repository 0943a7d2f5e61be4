//! A pool of read-only connections. Reads run on threads that may block.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task;

/// How many reads run at the same time, each on its own connection.
const CONNECTIONS: usize = 4;

/// As many permits as there are connections.
const ALL: u32 = CONNECTIONS as u32;

/// How many prepared statements each connection caches.
const STATEMENTS: usize = 64;

/// A pool of read-only connections to a file that a writer keeps open. All connections are opened at
/// the start, so a read does not fail for lack of a file descriptor. Each read sees a snapshot of
/// the database. The pool can be closed while the file is replaced.
#[derive(Debug)]
pub(crate) struct Readers {
    path: PathBuf,
    settings: &'static str,
    /// `None` while the pool is closed.
    idle: Mutex<Option<Vec<Connection>>>,
    permits: Arc<Semaphore>,
}

/// Why a read failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// SQLite failed.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// The read panicked, or the process is stopping.
    #[error(transparent)]
    Interrupted(#[from] task::JoinError),
    /// The pool is closed, because the file is being replaced.
    #[error("the file is being replaced")]
    Closed,
}

/// A pool without a running read, and in which none can begin. If it is dropped without
/// [`reopen`](PausedReaders::reopen) after [`close`](PausedReaders::close), reads fail.
#[derive(Debug)]
pub(crate) struct PausedReaders {
    readers: Arc<Readers>,
    _permits: Option<OwnedSemaphorePermit>,
}

impl PausedReaders {
    /// Closes all connections.
    pub(crate) fn close(&self) {
        *self.readers.idle() = None;
    }

    /// Opens the connections to the file that is now at the path.
    pub(crate) fn reopen(self) -> rusqlite::Result<()> {
        let connections = open_all(&self.readers.path, self.readers.settings)?;
        *self.readers.idle() = Some(connections);
        Ok(())
    }
}

impl Readers {
    /// Opens the connections, and executes `settings` (SQL) on each.
    pub(crate) fn open(path: &Path, settings: &'static str) -> rusqlite::Result<Readers> {
        Ok(Readers {
            path: path.to_owned(),
            settings,
            idle: Mutex::new(Some(open_all(path, settings)?)),
            permits: Arc::new(Semaphore::new(CONNECTIONS)),
        })
    }

    /// Waits until all reads have ended. Later reads wait until the returned value is dropped.
    pub(crate) async fn pause(self: &Arc<Self>) -> PausedReaders {
        // Cannot fail: the semaphore is never closed.
        let permits = self.permits.clone().acquire_many_owned(ALL).await.ok();
        PausedReaders {
            readers: self.clone(),
            _permits: permits,
        }
    }

    /// Runs the read in its own transaction.
    pub(crate) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, ReadError> {
        let permits = self.permits.clone();
        // Cannot fail: the semaphore is never closed. A read without a permit would do no harm.
        let permit = permits.acquire_owned().await.ok();
        let readers = self.clone();
        let outcome = task::spawn_blocking(move || {
            // Released when the read ends, even if its caller has stopped waiting.
            let _permit = permit;
            readers.blocking_read(read)
        });
        outcome.await?
    }

    /// Like [`read`](Readers::read), on this thread.
    pub(crate) fn blocking_read<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, ReadError> {
        let pooled = self.idle().as_mut().ok_or(ReadError::Closed)?.pop();
        let mut connection = match pooled {
            Some(connection) => connection,
            // A read that panicked has dropped its connection.
            None => open(&self.path, self.settings)?,
        };
        let result = connection
            .transaction()
            .and_then(|transaction| read(&transaction));
        if let Some(idle) = self.idle().as_mut() {
            idle.push(connection);
        }
        Ok(result?)
    }

    /// No code panics while it holds this lock, so a poisoned lock can be used.
    fn idle(&self) -> MutexGuard<'_, Option<Vec<Connection>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn open_all(path: &Path, settings: &str) -> rusqlite::Result<Vec<Connection>> {
    (0..CONNECTIONS).map(|_| open(path, settings)).collect()
}

fn open(path: &Path, settings: &str) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.execute_batch(settings)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // SQLite opens the files at the first read, so read once now.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(connection)
}
