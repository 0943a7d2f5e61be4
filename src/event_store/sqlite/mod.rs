//! Events in one SQLite file: the store that needs no installation.
//!
//! One thread writes (`writer`): it takes every append that waits, judges each (`batch`)
//! and commits all of them as one transaction, so that a sync of the disk is paid by many.
//! Reads run beside it on connections of their own (`reader`), except where the end of the
//! stream is all that they need: that is remembered (`heads`). The process has the file
//! for itself (`lock`), which is what makes remembering safe.

mod append;
mod batch;
mod error;
mod heads;
mod open;
mod open_error;
mod reader;
mod schema;
mod shared;
mod subscription;
mod tail;
mod values;
mod writer;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::task;

use super::{
    Appended, AtPosition, EventStore, EventStoreError, ExpectedRevision, GlobalPosition, NewEvent,
    RecordedEvent, StreamName, StreamRevision, StreamSlice, Subscription,
};
use shared::Shared;

pub use open_error::SqliteOpenError;

/// The most that the events of one append may hold together. SQLite would take a billion bytes
/// in one event; the queue has to have room for many appends.
const MAX_APPEND_BYTES: usize = 16 * 1024 * 1024;

/// Events in a SQLite file. Clones share it; when the last of them and the last of its
/// subscriptions are dropped, what waits is committed and the file is closed, which may take
/// the time of a few syncs.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    shared: Arc<Shared>,
}

impl SqliteStore {
    /// Opens the file, which is created when there is none, and keeps every other process and
    /// every other store of this one from it.
    ///
    /// # Errors
    ///
    /// When the file is another's or cannot be used; it is then as it was.
    pub async fn open(path: impl AsRef<Path>) -> Result<SqliteStore, SqliteOpenError> {
        let path = path.as_ref().to_owned();
        let given = path.clone();
        let opened = task::spawn_blocking(move || Shared::open(&path)).await;
        let shared = opened.unwrap_or_else(|error| {
            Err(SqliteOpenError::Io {
                path: given,
                source: error.into(),
            })
        })?;
        Ok(SqliteStore {
            shared: Arc::new(shared),
        })
    }
}

#[async_trait]
impl EventStore for SqliteStore {
    async fn append(
        &self,
        stream: &StreamName,
        expected: ExpectedRevision,
        events: Vec<NewEvent>,
    ) -> Result<Appended, EventStoreError> {
        if events.is_empty() {
            return Err(EventStoreError::empty_append(stream));
        }
        let size: usize = events
            .iter()
            .map(|event| event.data.len() + event.metadata.len())
            .sum();
        if size > MAX_APPEND_BYTES {
            return Err(EventStoreError::Refused {
                reason: format!(
                    "an append of {size} bytes to stream {stream}; {MAX_APPEND_BYTES} are allowed"
                ),
            });
        }
        self.shared
            .writer
            .append(stream.clone(), expected, events)
            .await
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: StreamRevision,
    ) -> Result<StreamSlice, EventStoreError> {
        if let Some(head) = self.shared.heads.get(stream)
            && from > head.last
        {
            return Ok(StreamSlice {
                events: Vec::new(),
                last_revision: Some(head.last),
            });
        }
        let stream = stream.clone();
        self.shared
            .read(move |connection| reader::read_stream(connection, &stream, from))
            .await
    }

    async fn read_all(
        &self,
        prefix: &'static str,
        after: Option<GlobalPosition>,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, EventStoreError> {
        if let Some(position) = after {
            // Positions are counted from 1 without a gap, so the head decides.
            if !position.is_counted() || position.commit() == 0 {
                return Err(EventStoreError::NoEventAtPosition { position });
            }
            if Some(position) > *self.shared.committed.borrow() {
                return Err(EventStoreError::PositionBeyondHead { position });
            }
        }
        self.shared
            .read(move |connection| reader::read_all(connection, prefix, after, limit))
            .await
    }

    async fn event_at(&self, position: GlobalPosition) -> Result<AtPosition, EventStoreError> {
        let event = self
            .shared
            .read(move |connection| reader::event_at(connection, position))
            .await?;
        Ok(event.map_or(AtPosition::Nothing, AtPosition::Event))
    }

    fn subscribe_all(&self, prefix: &'static str, after: Option<GlobalPosition>) -> Subscription {
        subscription::subscribe(self.shared.clone(), prefix, after)
    }

    async fn head(&self) -> Result<Option<GlobalPosition>, EventStoreError> {
        Ok(*self.shared.committed.borrow())
    }

    async fn check(&self) -> Result<(), EventStoreError> {
        self.shared.check().await
    }

    fn location(&self) -> String {
        format!("SQLite file {}", self.shared.path.display())
    }
}
