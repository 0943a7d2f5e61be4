//! A file that is only read, also while a service writes to it.
//!
//! It takes no lock, so the service does not notice it, and the database file is not changed. Every
//! read sees a snapshot, which SQLite provides from the write-ahead log. SQLite may create the files
//! `-wal` and `-shm` if they do not exist. A reader cannot remove them again; the next service that
//! stops does.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use rusqlite::Connection;
use tokio::{task, time};

use super::error::not_read;
use super::open_error::SqliteOpenError;
use super::subscription::recorded;
use super::{reader, schema, tombstone};
use crate::event_store::{
    Appended, AtPosition, EventStore, EventStoreError, ExpectedRevision, GlobalPosition, NewEvent,
    RecordedEvent, StreamName, StreamRevision, StreamSlice, Subscription, SubscriptionMessage,
};
use crate::sqlite_file::Readers;

const SETTINGS: &str = "PRAGMA busy_timeout = 2000;";

/// How long a subscription waits before it looks for new events. No other process can tell it.
const PAUSE: Duration = Duration::from_millis(50);

/// How many events a subscription reads at a time.
const BATCH: usize = 1024;

/// Reads the events of a SQLite file. Every append is refused.
#[derive(Debug, Clone)]
pub struct ReadOnlySqliteStore {
    path: PathBuf,
    readers: Arc<Readers>,
}

impl ReadOnlySqliteStore {
    /// Opens a file that exists. Another process, or another store of this process, may be using it.
    ///
    /// # Errors
    ///
    /// When the file does not exist, is not an event store of this version, or cannot be read.
    pub async fn open(path: impl AsRef<Path>) -> Result<ReadOnlySqliteStore, SqliteOpenError> {
        let path = path.as_ref().to_owned();
        let given = path.clone();
        let opened = task::spawn_blocking(move || blocking_open(&path)).await;
        opened.unwrap_or_else(|error| {
            Err(SqliteOpenError::Io {
                path: given,
                source: error.into(),
            })
        })
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, EventStoreError> {
        self.readers
            .read(read)
            .await
            .map_err(|error| not_read(&error))
    }
}

fn blocking_open(given: &Path) -> Result<ReadOnlySqliteStore, SqliteOpenError> {
    let path = given
        .canonicalize()
        .map_err(|error| SqliteOpenError::not_found(given, error))?;
    if path.is_dir() {
        return Err(SqliteOpenError::IsADirectory { path });
    }
    let failed = |source| SqliteOpenError::not_readable(&path, source);
    let readers = Readers::open(&path, SETTINGS).map_err(failed)?;
    let checked = readers.blocking_read(|connection| schema::check_tables(&path, connection));
    checked.map_err(|error| SqliteOpenError::io(&path, std::io::Error::other(error)))??;
    Ok(ReadOnlySqliteStore {
        path,
        readers: Arc::new(readers),
    })
}

#[async_trait]
impl EventStore for ReadOnlySqliteStore {
    async fn append(
        &self,
        stream: &StreamName,
        _expected: ExpectedRevision,
        _events: Vec<NewEvent>,
    ) -> Result<Appended, EventStoreError> {
        Err(EventStoreError::Refused {
            reason: format!("nothing can be appended to {stream}: the file was opened to be read"),
        })
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: StreamRevision,
    ) -> Result<StreamSlice, EventStoreError> {
        let stream = stream.clone();
        self.read(move |connection| reader::read_stream(connection, &stream, from))
            .await
    }

    async fn read_all(
        &self,
        prefix: &'static str,
        after: Option<GlobalPosition>,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, EventStoreError> {
        if let Some(position) = after {
            if !position.is_counted() || position.commit() == 0 {
                return Err(EventStoreError::NoEventAtPosition { position });
            }
            if Some(position) > self.head().await? {
                return Err(EventStoreError::PositionBeyondHead { position });
            }
        }
        self.read(move |connection| reader::read_all(connection, prefix, after, limit))
            .await
    }

    async fn event_at(&self, position: GlobalPosition) -> Result<AtPosition, EventStoreError> {
        let event = self
            .read(move |connection| reader::event_at(connection, position))
            .await?;
        Ok(match event {
            Some(event) if tombstone::is_tombstone(event.revision) => AtPosition::Removed,
            Some(event) => AtPosition::Event(event),
            None if Some(position) <= self.head().await? => AtPosition::Removed,
            None => AtPosition::Nothing,
        })
    }

    fn subscribe_all(&self, prefix: &'static str, after: Option<GlobalPosition>) -> Subscription {
        let place = Place {
            store: self.clone(),
            after,
            caught_up: false,
        };
        stream::unfold(place, move |mut place| async move {
            let messages = place.next_messages(prefix).await;
            Some((stream::iter(messages), place))
        })
        .flatten()
        .boxed()
    }

    async fn head(&self) -> Result<Option<GlobalPosition>, EventStoreError> {
        self.read(reader::last_position).await
    }

    async fn check(&self) -> Result<(), EventStoreError> {
        self.head().await.map(drop)
    }

    fn location(&self) -> String {
        format!("SQLite file {}", self.path.display())
    }
}

/// Where a subscription is. It reads the file again and again.
struct Place {
    store: ReadOnlySqliteStore,
    after: Option<GlobalPosition>,
    caught_up: bool,
}

impl Place {
    async fn next_messages(&mut self, prefix: &'static str) -> Vec<SubscriptionMessage> {
        loop {
            let after = self.after;
            let read = self
                .store
                .read(move |connection| reader::read_log(connection, after, BATCH))
                .await;
            match read {
                Ok(events) if events.is_empty() => {
                    if !std::mem::replace(&mut self.caught_up, true) {
                        return vec![SubscriptionMessage::CaughtUp];
                    }
                }
                Ok(events) => {
                    self.after = events.last().map(|event| event.position);
                    self.caught_up &= events.len() < BATCH;
                    return recorded(events.into_iter(), prefix);
                }
                Err(error) => {
                    tracing::warn!(%error, "a subscription could not read the event store");
                    self.caught_up = false;
                }
            }
            time::sleep(PAUSE).await;
        }
    }
}
