//! Events in one SQLite file: the store that needs no installation.
//!
//! One thread writes (`writer`). It takes all waiting appends, checks each one (`batch`) and
//! commits them as one transaction, so that many appends share the cost of one disk sync. Reads
//! use their own connections (`reader`) and do not wait for the writer. A read that needs only
//! the end of a stream is answered from a cache (`heads`). The cache is safe because a lock
//! keeps other processes away from the file (`sqlite_file`).

mod append;
mod batch;
mod error;
mod heads;
mod open;
mod open_error;
mod positions;
mod read_only;
mod reader;
mod schema;
mod shared;
mod subscription;
mod tail;
mod tombstone;
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
pub use read_only::ReadOnlySqliteStore;

/// The largest size of one append: the data and metadata of its events together. SQLite would
/// accept a billion bytes per event, but the queue must have room for many appends in memory.
const MAX_APPEND_BYTES: usize = 16 * 1024 * 1024;

/// Stores events in a SQLite file. Clones share the open file. When the last clone and the last
/// subscription are dropped, the waiting appends are committed and the file is closed. This can
/// take as long as a few disk syncs.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    shared: Arc<Shared>,
}

impl SqliteStore {
    /// Opens the file, or creates it. While it is open, no other process and no other store of
    /// this process can use it.
    ///
    /// # Errors
    ///
    /// When the file is in use, belongs to another program or cannot be used. It is not changed.
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
                    "an append of {size} bytes to stream {stream} is larger than \
                     {MAX_APPEND_BYTES} bytes"
                ),
            });
        }
        self.shared
            .writer
            .append(stream.clone(), expected, events)
            .await
    }

    async fn delete_stream(&self, stream: &StreamName) -> Result<(), EventStoreError> {
        self.shared.writer.delete(stream.clone()).await
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
        let name = stream.clone();
        let slice = self
            .shared
            .read(move |connection| reader::read_stream(connection, &name, from))
            .await?;
        tombstone::refuse_deleted(stream, slice)
    }

    async fn read_all(
        &self,
        prefix: &'static str,
        after: Option<GlobalPosition>,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, EventStoreError> {
        positions::check_after(after, *self.shared.committed.borrow())?;
        self.shared
            .read(move |connection| reader::read_all(connection, prefix, after, limit))
            .await
    }

    async fn event_at(&self, position: GlobalPosition) -> Result<AtPosition, EventStoreError> {
        let event = self
            .shared
            .read(move |connection| reader::event_at(connection, position))
            .await?;
        let head = *self.shared.committed.borrow();
        Ok(positions::at(position, event, head))
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
