//! Streams of events: the port that every database signs, and its adapters.
//!
//! Nothing here knows about games. [`EventStore`] is the port; its clauses are tested by one
//! suite, `tests/event_store`, which every adapter runs. [`open`] chooses the adapter by URL.

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
pub use open::{OpenError, open};
pub use record::{NewEvent, RecordedEvent};
pub use revision::{
    ExpectedRevision, GlobalPosition, InvalidPosition, InvalidStreamName, StreamName,
    StreamRevision,
};
pub use sqlite::{SqliteOpenError, SqliteStore};

/// Where events are kept, in streams that only grow.
///
/// An append is acknowledged when it is durable, and a read that begins afterwards, through
/// the same store, sees it.
#[async_trait]
pub trait EventStore: fmt::Debug + Send + Sync + 'static {
    /// Appends all of the events or none of them, if the stream is where it is expected.
    ///
    /// Repeating an append with the same event ids and the same expected revision succeeds
    /// with the original revision and stores nothing, also after later events and after a
    /// restart. So an append whose outcome is unknown may be sent again. An append at the
    /// stream's current revision is not checked for ids: it is new by definition.
    ///
    /// An append that the store has taken up is carried through when nobody waits for it any
    /// more: dropping the future (a client that disconnects cancels its request) cuts nothing.
    ///
    /// # Errors
    ///
    /// [`WrongExpectedRevision`](EventStoreError::WrongExpectedRevision) when the stream is
    /// elsewhere, also when only some of the ids are the stored ones;
    /// [`Refused`](EventStoreError::Refused) for no events at all;
    /// [`OutcomeUnknown`](EventStoreError::OutcomeUnknown) when the store cannot say.
    async fn append(
        &self,
        stream: &StreamName,
        expected: ExpectedRevision,
        events: Vec<NewEvent>,
    ) -> Result<Appended, EventStoreError>;

    /// The events of the stream from this revision on, in order, to its end as it is now.
    ///
    /// An absent stream has no events and no last revision; one that ends before `from` has
    /// no events, but says where it ends.
    async fn read_stream(
        &self,
        stream: &StreamName,
        from: StreamRevision,
    ) -> Result<StreamSlice, EventStoreError>;

    /// The next events of the streams whose names begin with `prefix`, in store order: after
    /// the position, or from the first event for `None`. Fewer than `limit` events mean that
    /// the read reached the end of the store.
    ///
    /// A bounded read, for pages and for catching up. It holds nothing open afterwards.
    ///
    /// # Errors
    ///
    /// [`NoEventAtPosition`](EventStoreError::NoEventAtPosition) when no event was ever recorded
    /// at the position; [`PositionBeyondHead`](EventStoreError::PositionBeyondHead) when the
    /// store has not reached it.
    async fn read_all(
        &self,
        prefix: &'static str,
        after: Option<GlobalPosition>,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, EventStoreError>;

    /// What is recorded at exactly this position. Tells a store from another one, or from an
    /// earlier state of itself: positions and event ids together do not repeat.
    async fn event_at(&self, position: GlobalPosition) -> Result<AtPosition, EventStoreError>;

    /// Every event of the streams whose names begin with `prefix`: history after the
    /// position (all of it for `None`), then what is appended, with no gap and no repeat at
    /// the seam, each stream in its order.
    ///
    /// The subscription neither fails nor ends: an adapter that loses its database logs that,
    /// delivers [`Disconnected`](SubscriptionMessage::Disconnected), waits, and goes on after
    /// the last event that it delivered. The position must be that of an event; a
    /// subscription cannot report that it is not. Use [`event_at`](EventStore::event_at) first
    /// when in doubt.
    fn subscribe_all(&self, prefix: &'static str, after: Option<GlobalPosition>) -> Subscription;

    /// The position of the latest event of the whole store, `None` when there is none: a
    /// place to subscribe from for who wants to hear only what comes.
    async fn head(&self) -> Result<Option<GlobalPosition>, EventStoreError>;

    /// Whether the store can be reached and answers.
    async fn check(&self) -> Result<(), EventStoreError>;

    /// Where the events are, for people. Never holds a password.
    fn location(&self) -> String;
}

/// What an append came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The revision of the last event of this append.
    pub revision: StreamRevision,
    /// The position of that event.
    pub position: GlobalPosition,
}

/// A part of a stream.
#[derive(Debug, Clone, Default)]
pub struct StreamSlice {
    /// The events asked for.
    pub events: Vec<RecordedEvent>,
    /// The revision of the stream's last event; `None` when the stream is absent.
    pub last_revision: Option<StreamRevision>,
}

impl StreamSlice {
    /// Whether what was read from the start of a stream begins with its first event. An absent
    /// stream lacks nothing; one that was truncated does.
    pub fn has_its_first_event(&self) -> bool {
        let first = self.events.first().map(|event| event.revision);
        self.last_revision.is_none() || first == Some(StreamRevision::FIRST)
    }
}

/// What a store has at a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AtPosition {
    /// This event.
    Event(RecordedEvent),
    /// An event was recorded here and has been removed for good (deleted and scavenged).
    Removed,
    /// No event was ever recorded here, or the store has not reached this position.
    Nothing,
}

/// What a subscription delivers.
#[derive(Debug, Clone)]
pub enum SubscriptionMessage {
    /// The next event.
    Recorded(RecordedEvent),
    /// The stream was deleted, or its beginning was, or may be from now on: reading it tells.
    /// Its events, if a subscription still delivers them, came before this message.
    StreamTruncated(StreamName),
    /// All that was stored has been delivered; what follows is new. Comes again whenever the
    /// subscription fell behind and caught up. A store whose connection can be lost repeats
    /// it every few seconds as a sign of life while nothing is appended.
    CaughtUp,
    /// The database no longer answers. The next message comes when it answers again; it may
    /// have been restored to an earlier state meanwhile.
    Disconnected,
}

/// An endless stream of recorded events.
pub type Subscription = BoxStream<'static, SubscriptionMessage>;
