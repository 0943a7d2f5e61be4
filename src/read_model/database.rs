//! The SQLite connections: one that writes, and several that read at the same time.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use tokio::sync::watch;
use tokio::task;

use super::damage::is_damage;
use super::open::{
    OpenReadModelError, Opened, open_emptied, open_existing, open_file, open_memory, open_writer,
};
use crate::sqlite_file::{FileLock, PausedReaders, ReadError, Readers};

/// 64 MiB of page cache. The games of one player are spread over the whole table, so that a list of
/// them reads many pages.
const READER_SETTINGS: &str = "PRAGMA cache_size = -65536;";

/// Why a query was not answered, or events were not applied.
#[derive(Debug, thiserror::Error)]
pub enum ReadModelError {
    /// SQLite failed in a way that may pass, for example because the disk is full.
    #[error("the read model failed: {0}")]
    Sqlite(#[source] rusqlite::Error),
    /// The file is damaged. The projector discards it and builds a new one.
    #[error("the read model is damaged: {0}")]
    Damaged(#[source] rusqlite::Error),
    /// A damaged file was discarded, and the new one is not open yet.
    #[error("the read model is not open")]
    Closed,
    /// The blocking task panicked or was cancelled.
    #[error("the read model failed: {0}")]
    Interrupted(#[from] task::JoinError),
}

impl From<rusqlite::Error> for ReadModelError {
    fn from(error: rusqlite::Error) -> ReadModelError {
        match is_damage(&error) {
            true => ReadModelError::Damaged(error),
            false => ReadModelError::Sqlite(error),
        }
    }
}

impl From<ReadError> for ReadModelError {
    fn from(error: ReadError) -> ReadModelError {
        match error {
            ReadError::Sqlite(error) => error.into(),
            ReadError::Interrupted(error) => error.into(),
            ReadError::Closed => ReadModelError::Closed,
        }
    }
}

/// The database. Fields are dropped in this order: the writer closes after all readers, so that
/// SQLite can remove the write-ahead log.
#[derive(Debug)]
pub(super) struct Database {
    /// `None` for a database in memory, which has the writer's connection only.
    readers: Option<Arc<Readers>>,
    writer: Mutex<Writer>,
    /// What a query found to be damaged since the last [`discard`](Database::discard).
    damage: watch::Sender<Option<String>>,
}

/// Fields are dropped in this order: the lock is released after the connection has closed.
#[derive(Debug)]
struct Writer {
    /// `None` when the file was discarded and could not be opened again.
    connection: Option<Connection>,
    /// `None` for a database in memory.
    file: Option<OpenFile>,
}

#[derive(Debug)]
struct OpenFile {
    path: PathBuf,
    /// `None` when the file was no longer at its path, and could not be created again.
    lock: Option<FileLock>,
}

impl Database {
    /// Opens the file; if `is_rebuild`, empties it first. Does blocking I/O.
    pub(super) fn open(path: &Path, is_rebuild: bool) -> Result<Database, OpenReadModelError> {
        Database::on(open_file(path, is_rebuild)?)
    }

    /// Opens a file that must exist. Does blocking I/O.
    pub(super) fn open_existing(path: &Path) -> Result<Database, OpenReadModelError> {
        Database::on(open_existing(path)?)
    }

    fn on(opened: Opened) -> Result<Database, OpenReadModelError> {
        let Opened { path, lock, writer } = opened;
        let readers = Readers::open(&path, READER_SETTINGS)
            .map_err(|error| OpenReadModelError::sqlite(&path, error))?;
        let lock = Some(lock);
        Ok(Database {
            readers: Some(Arc::new(readers)),
            writer: Mutex::new(Writer {
                connection: Some(writer),
                file: Some(OpenFile { path, lock }),
            }),
            damage: watch::Sender::new(None),
        })
    }

    pub(super) fn in_memory() -> rusqlite::Result<Database> {
        Ok(Database {
            readers: None,
            writer: Mutex::new(Writer {
                connection: Some(open_memory()?),
                file: None,
            }),
            damage: watch::Sender::new(None),
        })
    }

    /// A poisoned lock is safe to use: a panic rolls back the open transaction.
    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs the work on the writing connection, which has one user at a time. Blocks.
    pub(super) fn write<T, E: From<ReadModelError>>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        match &mut self.writer().connection {
            Some(connection) => work(connection),
            None => Err(ReadModelError::Closed.into()),
        }
    }

    /// Runs the read on a blocking thread, in one transaction: all its queries see the same state.
    pub(super) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, ReadModelError> {
        let database = self.clone();
        let read = move |connection: &Connection| {
            let read = read(connection);
            if let Err(error) = &read
                && is_damage(error)
            {
                // Here and not later: the file cannot be discarded while this read runs.
                database.damage.send_replace(Some(error.to_string()));
            }
            read
        };
        if let Some(readers) = &self.readers {
            return Ok(readers.read(read).await?);
        }
        let database = self.clone();
        let read = task::spawn_blocking(move || {
            database.write(|connection| Ok(read(&*connection.transaction()?)?))
        });
        read.await?
    }

    /// What queries find to be damaged. The projector has to discard the file then.
    pub(super) fn damage(&self) -> watch::Receiver<Option<String>> {
        self.damage.subscribe()
    }

    /// Discards the content and creates empty tables. If the file at the path is another one now, it
    /// is opened only if it is a read model.
    ///
    /// # Errors
    ///
    /// When the file cannot be written. Then reads and writes fail until another call succeeds.
    pub(super) async fn discard(self: &Arc<Self>) -> Result<(), OpenReadModelError> {
        let readers = self.pause().await;
        let database = self.clone();
        blocking(move || database.replace(readers)).await
    }

    /// Waits until all reads have ended; later reads wait. `None` for a database in memory.
    async fn pause(&self) -> Option<PausedReaders> {
        match &self.readers {
            Some(readers) => Some(readers.pause().await),
            None => None,
        }
    }

    /// Puts the file of the successor in the place of this one, and reads and writes it from now on.
    /// Reads wait meanwhile, and do not fail. Nobody may write to either of the two.
    ///
    /// SIGKILL at any moment leaves one of the two files at the path, and it is complete: before the
    /// file is renamed, all connections to both have closed, and neither has a write-ahead log.
    ///
    /// # Errors
    ///
    /// When another program has one of the files open, or the disk is full or fails. Then this
    /// database goes on with its own file; the successor's file is closed, and stays where it is.
    pub(super) async fn succeed_by(
        self: &Arc<Self>,
        successor: Arc<Database>,
    ) -> Result<(), OpenReadModelError> {
        let theirs = successor.pause().await;
        let ours = self.pause().await;
        let database = self.clone();
        blocking(move || database.blocking_succeed_by(ours, &successor, theirs)).await
    }

    fn blocking_succeed_by(
        &self,
        ours: Option<PausedReaders>,
        successor: &Database,
        theirs: Option<PausedReaders>,
    ) -> Result<(), OpenReadModelError> {
        // First, so that this database is not touched if it fails.
        let Some(lock) = successor.close(theirs.as_ref())? else {
            return Ok(());
        };
        let writer = &mut *self.writer();
        let (Some(file), Some(ours)) = (&mut writer.file, ours) else {
            return Ok(());
        };
        ours.close();
        writer.connection = None;
        let replaced = file.replace_with(lock);
        let failed = |error| OpenReadModelError::sqlite(&file.path, error);
        writer.connection = Some(open_writer(&file.path).map_err(failed)?);
        ours.reopen().map_err(failed)?;
        if replaced.is_ok() {
            self.damage.send_replace(None);
        }
        replaced
    }

    /// The path of the file, without symbolic links; `None` for a database in memory.
    pub(super) fn path(&self) -> Option<PathBuf> {
        self.writer().file.as_ref().map(|file| file.path.clone())
    }

    /// Closes the file and renames it. It is not locked any more.
    ///
    /// # Errors
    ///
    /// When another program has the file open, or the disk is full or fails.
    pub(super) async fn move_to(self: &Arc<Self>, path: PathBuf) -> Result<(), OpenReadModelError> {
        let readers = self.pause().await;
        let database = self.clone();
        blocking(move || {
            let lock = database.close(readers.as_ref())?;
            let renamed = lock.map_or(Ok(()), |mut lock| lock.rename(&path));
            renamed.map_err(|error| OpenReadModelError::io(&path, error))
        })
        .await
    }

    /// Closes and deletes the file.
    pub(super) async fn delete(self: &Arc<Self>) -> Result<(), OpenReadModelError> {
        let readers = self.pause().await;
        let database = self.clone();
        blocking(move || {
            if let Some(readers) = &readers {
                readers.close();
            }
            let writer = &mut *database.writer();
            writer.connection = None;
            let Some(file) = &mut writer.file else {
                return Ok(());
            };
            let deleted = file.lock.take().map_or(Ok(()), FileLock::delete);
            deleted.map_err(|error| OpenReadModelError::io(&file.path, error))
        })
        .await
    }

    /// Closes all connections, and returns the lock of the file, into which SQLite has written
    /// everything. `None` for a database in memory.
    fn close(
        &self,
        readers: Option<&PausedReaders>,
    ) -> Result<Option<FileLock>, OpenReadModelError> {
        if let Some(readers) = readers {
            readers.close();
        }
        let writer = &mut *self.writer();
        writer.connection = None;
        let Some(file) = &mut writer.file else {
            return Ok(None);
        };
        file.require_whole()?;
        Ok(file.lock.take())
    }

    fn replace(&self, readers: Option<PausedReaders>) -> Result<(), OpenReadModelError> {
        let writer = &mut *self.writer();
        if let Some(readers) = &readers {
            readers.close();
        }
        writer.connection = None;
        self.damage.send_replace(None);
        writer.connection = Some(match &mut writer.file {
            None => open_memory().map_err(|source| OpenReadModelError::Sqlite {
                location: "memory".to_owned(),
                source,
            })?,
            Some(file) => file.replace()?,
        });
        if let (Some(readers), Some(file)) = (readers, &writer.file) {
            let reopened = readers.reopen();
            reopened.map_err(|error| OpenReadModelError::sqlite(&file.path, error))?;
        }
        Ok(())
    }
}

/// Does blocking I/O on a thread for it.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, OpenReadModelError> + Send + 'static,
) -> Result<T, OpenReadModelError> {
    task::spawn_blocking(work).await.unwrap_or_else(|error| {
        let path = Path::new("the read model");
        Err(OpenReadModelError::io(path, error.into()))
    })
}

impl OpenFile {
    /// Fails if the file is not at its path, or if it lacks what is in a journal or a write-ahead log.
    fn require_whole(&self) -> Result<(), OpenReadModelError> {
        let is_whole = |lock: &FileLock| lock.is_at_its_path() && !lock.has_journal();
        match self.lock.as_ref().is_some_and(is_whole) {
            true => Ok(()),
            false => Err(OpenReadModelError::NotMovable {
                path: self.path.clone(),
            }),
        }
    }

    /// Renames the other file to the path of this one. There must be no open connection to either.
    fn replace_with(&mut self, mut other: FileLock) -> Result<(), OpenReadModelError> {
        self.require_whole()?;
        let renamed = other.rename(&self.path);
        renamed.map_err(|error| OpenReadModelError::io(&self.path, error))?;
        self.lock = Some(other);
        Ok(())
    }

    fn replace(&mut self) -> Result<Connection, OpenReadModelError> {
        if let Some(lock) = &self.lock
            && lock.is_at_its_path()
        {
            return open_emptied(&self.path, lock);
        }
        self.lock = None;
        let Opened { path, lock, writer } = open_file(&self.path, true)?;
        self.path = path;
        self.lock = Some(lock);
        Ok(writer)
    }
}
