//! The open file, which the clones of a store and its subscriptions share.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;
use tokio::sync::watch;

use super::error::{file_is_gone, not_read};
use super::heads::Heads;
use super::open::Database;
use super::open_error::SqliteOpenError;
use super::reader;
use super::tail::Tail;
use super::writer::Writer;
use crate::event_store::{EventStoreError, GlobalPosition};
use crate::sqlite_file::{FileLock, Readers};

/// Waits 2 s for a lock, in case somebody opens the file with a database tool. Other processes
/// of this program cannot open it.
const READER_SETTINGS: &str = "PRAGMA busy_timeout = 2000;";

/// The order of the fields matters, because they are dropped in it. The writer's connection must
/// close after the readers', so that SQLite removes the write-ahead log. The lock must be
/// released last.
#[derive(Debug)]
pub(super) struct Shared {
    readers: Arc<Readers>,
    pub(super) writer: Writer,
    pub(super) heads: Arc<Heads>,
    pub(super) committed: watch::Receiver<Option<GlobalPosition>>,
    pub(super) tail: Tail,
    pub(super) path: PathBuf,
    lock: Arc<FileLock>,
}

impl Shared {
    /// Blocks on the disk.
    pub(super) fn open(path: &Path) -> Result<Shared, SqliteOpenError> {
        let Database { path, lock, writer } = Database::open(path)?;
        let lock = Arc::new(lock);
        let failed = |source| SqliteOpenError::sqlite(&path, source);
        let last = reader::last_position(&writer).map_err(failed)?;
        let readers = Readers::open(&path, READER_SETTINGS).map_err(failed)?;
        let heads = Arc::new(Heads::new());
        let (head, committed) = watch::channel(last);
        let tail = Tail::new();
        let writer = Writer::start(writer, lock.clone(), heads.clone(), head, tail.clone())
            .map_err(|error| SqliteOpenError::io(&path, error))?;
        Ok(Shared {
            readers: Arc::new(readers),
            writer,
            heads,
            committed,
            tail,
            path,
            lock,
        })
    }

    /// Runs the read on a thread where it may block.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, EventStoreError> {
        let read = self.readers.read(read).await;
        read.map_err(|error| not_read(&error))
    }

    /// Whether reads and writes work.
    pub(super) async fn check(&self) -> Result<(), EventStoreError> {
        if !self.lock.is_at_its_path() {
            return Err(file_is_gone());
        }
        self.writer.check().await?;
        self.read(reader::last_position).await?;
        Ok(())
    }
}
