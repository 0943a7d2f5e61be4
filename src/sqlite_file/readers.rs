//! Connections that only read, each in a thread where it may block.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::Semaphore;
use tokio::task;

/// How many reads run at once, each on a connection of its own.
const CONNECTIONS: usize = 4;

/// How many statements each connection keeps prepared.
const STATEMENTS: usize = 64;

/// A pool of read-only connections to a file that a writer keeps open. All of them are opened
/// at the start, so that reading needs no file descriptor later. Each read sees the database as
/// it was at one moment.
#[derive(Debug)]
pub(crate) struct Readers {
    path: PathBuf,
    settings: &'static str,
    idle: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
}

/// Why a read failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// SQLite failed.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// The read panicked, or the process stops.
    #[error(transparent)]
    Interrupted(#[from] task::JoinError),
}

impl Readers {
    /// `settings` are executed on each connection.
    pub(crate) fn open(path: &Path, settings: &'static str) -> rusqlite::Result<Readers> {
        let connections = (0..CONNECTIONS).map(|_| open(path, settings));
        Ok(Readers {
            path: path.to_owned(),
            settings,
            idle: Mutex::new(connections.collect::<rusqlite::Result<_>>()?),
            permits: Arc::new(Semaphore::new(CONNECTIONS)),
        })
    }

    /// Runs the read in a transaction of its own.
    pub(crate) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, ReadError> {
        let permits = self.permits.clone();
        // It is never closed; a read without a permit would do no harm either.
        let permit = permits.acquire_owned().await.ok();
        let readers = self.clone();
        let outcome = task::spawn_blocking(move || {
            // Given back when the read is over, not when its caller stops waiting.
            let _permit = permit;
            readers.blocking_read(read)
        });
        Ok(outcome.await??)
    }

    fn blocking_read<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let pooled = self.idle().pop();
        let mut connection = match pooled {
            Some(connection) => connection,
            // One was lost to a read that panicked.
            None => open(&self.path, self.settings)?,
        };
        let result = connection
            .transaction()
            .and_then(|transaction| read(&transaction));
        self.idle().push(connection);
        result
    }

    /// Nothing panics while holding it.
    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn open(path: &Path, settings: &str) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.execute_batch(settings)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // SQLite opens the files when they are first read.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(connection)
}
