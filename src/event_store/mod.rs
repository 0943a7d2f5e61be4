//! Streams of events: the interface that every store implements, and the implementations.
//!
//! Nothing here knows about games. [`EventStore`] is the interface (the port). The test suite
//! `tests/event_store` checks its guarantees on every implementation (adapter). [`open`] chooses
//! the adapter by URL.

mod append_check;
mod error;
pub mod kurrentdb;
pub mod memory;
mod open;
mod record;
mod revision;
pub mod sqlite;

use std::fmt;

use async_trait::async_trait;
use futures_util::stream::BoxStream;

pub use error::EventStoreError;
pub use kurrentdb::KurrentDbStore;
pub use memory::MemoryStore;
pub use open::{OpenError, is_shared, open, open_to_read};
pub use record::{NewEvent, RecordedEvent};
pub use revision::{
    ExpectedRevision, GlobalPosition, InvalidPosition, InvalidStreamName, StreamName,
    StreamRevision,
};
pub use sqlite::{ReadOnlySqliteStore, SqliteOpenError, SqliteStore};

/// Stores events in streams. Events are only added at the end of a stream, never changed. They can
/// be deleted, but only with their whole stream.
///
/// An append succeeds only when it is durable. A read through the same store that begins
/// afterwards returns it.
#[async_trait]
pub trait EventStore: fmt::Debug + Send + Sync + 'static {
    /// Appends all of the events or none of them, if the stream is at the expected revision.
    ///
    /// Repeating an append with the same event ids and the same expected revision succeeds
    /// with the original revision and stores nothing. This also holds after later events and
    /// after a restart, so an append whose outcome is unknown can be sent again. The ids of an
    /// append at the stream's current revision are not checked: it is new by definition.
    ///
    /// An append that the store has accepted completes even if its caller drops the future, for
    /// instance because a client disconnected and its request was cancelled.
    ///
    /// # Errors
    ///
    /// - [`WrongExpectedRevision`](EventStoreError::WrongExpectedRevision) when the stream is
    ///   not at the expected revision, also when only some of the ids are the stored ones.
    /// - [`Refused`](EventStoreError::Refused) when there are no events.
    /// - [`OutcomeUnknown`](EventStoreError::OutcomeUnknown) when the store does not know
    ///   whether the events were stored.
    async fn append(
        &self,
        stream: &StreamName,
        expected: ExpectedRevision,
        events: Vec<NewEvent>,
    ) -> Result<Appended, EventStoreError>;

    /// Deletes the stream and its events for ever: from now on, reading it and appending to it fail
    /// with [`StreamDeleted`](EventStoreError::StreamDeleted), also in other processes and after a
    /// restart. Subscriptions deliver
    /// [`StreamTruncated`](SubscriptionMessage::StreamTruncated), also those that resume at an
    /// earlier position. Deleting it again succeeds; so does deleting a stream that does not exist,
    /// which then can never begin.
    ///
    /// The positions of the events are not used again. Whether their bytes are still on a disk, and
    /// for how long, is up to the store.
    ///
    /// # Errors
    ///
    /// [`Refused`](EventStoreError::Refused) by a store that cannot delete, which is the default.
    async fn delete_stream(&self, stream: &StreamName) -> Result<(), EventStoreError> {
        Err(EventStoreError::Refused {
            reason: format!("this store cannot delete stream {stream}"),
        })
    }

    /// The events of the stream from this revision to its current end, in order.
    ///
    /// A stream that does not exist gives no events and no last revision. A stream that ends
    /// before `from` gives no events and its last revision.
    async fn read_stream(
        &self,
        stream: &StreamName,
        from: StreamRevision,
    ) -> Result<StreamSlice, EventStoreError>;

    /// At most `limit` events of the streams whose names begin with `prefix`, ordered by
    /// position: those after the position `after`, or from the first event for `None`. Fewer
    /// than `limit` events mean that the read reached the end of the store.
    ///
    /// Use it for pages and for catching up. It holds no resources when it has returned.
    ///
    /// # Errors
    ///
    /// - [`NoEventAtPosition`](EventStoreError::NoEventAtPosition) when no event was ever
    ///   recorded at `after`.
    /// - [`PositionBeyondHead`](EventStoreError::PositionBeyondHead) when `after` is after the
    ///   last event of the store.
    async fn read_all(
        &self,
        prefix: &'static str,
        after: Option<GlobalPosition>,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, EventStoreError>;

    /// The event at exactly this position. With it, a caller can detect that the store was
    /// replaced by another one or restored from a backup, because a position and an event id
    /// together are unique.
    async fn event_at(&self, position: GlobalPosition) -> Result<AtPosition, EventStoreError>;

    /// Every event of the streams whose names begin with `prefix`: first the stored events
    /// after the position (all for `None`), then new events as they are appended. No event is
    /// missing or delivered twice, and the events of each stream come in order.
    ///
    /// The subscription neither fails nor ends. An adapter that loses its database logs that,
    /// delivers [`Disconnected`](SubscriptionMessage::Disconnected), waits, and continues after
    /// the last event that it delivered. The position must be that of an event, because a
    /// subscription cannot report an invalid one. If this is uncertain, check it with
    /// [`event_at`](EventStore::event_at) first.
    fn subscribe_all(&self, prefix: &'static str, after: Option<GlobalPosition>) -> Subscription;

    /// The position of the latest event of the whole store; `None` when it has no events. A
    /// subscription after this position delivers only new events.
    async fn head(&self) -> Result<Option<GlobalPosition>, EventStoreError>;

    /// Whether the store can be reached and answers.
    async fn check(&self) -> Result<(), EventStoreError>;

    /// Where the events are stored, as text for people. Never contains a password.
    fn location(&self) -> String;
}

/// The result of a successful append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The revision of the last event of this append.
    pub revision: StreamRevision,
    /// The position of that event.
    pub position: GlobalPosition,
    /// Whether an earlier append stored the events, as far as the store knows. If several equal
    /// appends run at the same time, at most one of those that one store carries out is not a
    /// repetition. KurrentDB does not say it, so that store knows only its own appends.
    pub is_repetition: bool,
}

/// The events that were read from a stream, and the revision of its last event.
#[derive(Debug, Clone, Default)]
pub struct StreamSlice {
    /// The events that were requested.
    pub events: Vec<RecordedEvent>,
    /// The revision of the stream's last event; `None` when the stream does not exist.
    pub last_revision: Option<StreamRevision>,
}

impl StreamSlice {
    /// Whether a slice that was read from the start of the stream begins with the stream's first
    /// event. False for a truncated stream, true for one that does not exist.
    pub fn has_its_first_event(&self) -> bool {
        let first = self.events.first().map(|event| event.revision);
        self.last_revision.is_none() || first == Some(StreamRevision::FIRST)
    }
}

/// What a store has recorded at a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AtPosition {
    /// This event.
    Event(RecordedEvent),
    /// An event was recorded at this position and has been removed permanently (deleted and
    /// scavenged).
    Removed,
    /// No event was ever recorded at this position, or it is after the last event of the store.
    Nothing,
}

/// What a subscription delivers.
#[derive(Debug, Clone)]
pub enum SubscriptionMessage {
    /// The next event.
    Recorded(RecordedEvent),
    /// The stream or its first events were deleted, or may be deleted from now on. Read the
    /// stream to see what is left. If the subscription still delivers events that were deleted,
    /// it delivers them before this message.
    StreamTruncated(StreamName),
    /// All stored events have been delivered; the events that follow are new. Sent again
    /// whenever the subscription has fallen behind and caught up. A store whose connection can
    /// be lost also sends it every few seconds while nothing is appended, to show that the
    /// subscription still works.
    CaughtUp,
    /// The database no longer answers. The next message comes when it answers again. Meanwhile
    /// it may have been restored to an earlier state.
    Disconnected,
}

/// A stream of messages that never ends.
pub type Subscription = BoxStream<'static, SubscriptionMessage>;
