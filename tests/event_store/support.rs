//! Helpers for the clauses of the contract.

use std::any::Any;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use connect_four::event_store::{
    Appended, EventStore, EventStoreError, ExpectedRevision, GlobalPosition, NewEvent,
    RecordedEvent, StreamName, StreamRevision, Subscription, SubscriptionMessage,
};
use futures_util::StreamExt;
use uuid::Uuid;

/// The prefix of the contract's streams. A store may be shared with other tests, and contain other
/// streams.
pub(crate) const PREFIX: &str = "contract-";

/// A store under test, and the values that have to live as long as it.
pub(crate) struct Opened {
    pub(crate) store: Arc<dyn EventStore>,
    _keep: Box<dyn Any + Send>,
}

impl Opened {
    pub(crate) fn new(store: Arc<dyn EventStore>, keep: impl Any + Send) -> Opened {
        Opened {
            store,
            _keep: Box::new(keep),
        }
    }
}

/// A new stream name, which no other test uses.
pub(crate) fn new_stream() -> StreamName {
    stream_named(PREFIX)
}

pub(crate) fn stream_named(prefix: &str) -> StreamName {
    StreamName::new(format!("{prefix}{}", Uuid::now_v7())).expect("the name has a first letter")
}

/// An event with a new id.
pub(crate) fn new_event() -> NewEvent {
    let id = Uuid::now_v7();
    NewEvent {
        id,
        event_type: "Happened".into(),
        data: Bytes::from(format!(r#"{{"what":"{id}"}}"#)),
        metadata: Bytes::new(),
    }
}

pub(crate) fn new_events(count: usize) -> Vec<NewEvent> {
    (0..count).map(|_| new_event()).collect()
}

pub(crate) fn at(revision: u64) -> ExpectedRevision {
    ExpectedRevision::Exact(StreamRevision::new(revision))
}

/// Appends to a stream that does not exist yet.
pub(crate) async fn begin(
    store: &dyn EventStore,
    stream: &StreamName,
    events: Vec<NewEvent>,
) -> Appended {
    store
        .append(stream, ExpectedRevision::NoStream, events)
        .await
        .expect("the stream is absent")
}

/// Appends to a stream that ends at the revision.
pub(crate) async fn go_on(
    store: &dyn EventStore,
    stream: &StreamName,
    revision: u64,
    events: Vec<NewEvent>,
) -> Appended {
    store
        .append(stream, at(revision), events)
        .await
        .expect("the stream ends there")
}

/// What the store answers when this append is repeated.
pub(crate) fn repetition_of(first: Appended) -> Appended {
    Appended {
        is_repetition: true,
        ..first
    }
}

/// The ids of the whole stream. Also asserts that the events have the right stream and revisions.
pub(crate) async fn ids_in(store: &dyn EventStore, stream: &StreamName) -> Vec<Uuid> {
    let slice = store
        .read_stream(stream, StreamRevision::FIRST)
        .await
        .expect("the store answers");
    for (revision, event) in (0..).zip(&slice.events) {
        assert_eq!(event.revision, StreamRevision::new(revision));
        assert_eq!(event.stream, *stream);
    }
    assert_eq!(
        slice.last_revision,
        slice.events.last().map(|event| event.revision)
    );
    slice.events.iter().map(|event| event.id).collect()
}

pub(crate) fn ids_of(events: &[NewEvent]) -> Vec<Uuid> {
    events.iter().map(|event| event.id).collect()
}

pub(crate) fn conflict(
    stream: &StreamName,
    expected: ExpectedRevision,
    actual: Option<u64>,
) -> Result<Appended, EventStoreError> {
    Err(EventStoreError::WrongExpectedRevision {
        stream: stream.clone(),
        expected,
        actual: actual.map(StreamRevision::new),
    })
}

/// Waits for a result that has to come; fails after a time-out.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), what)
        .await
        .expect("it comes within 30 seconds")
}

pub(crate) async fn head_of(store: &dyn EventStore) -> Option<GlobalPosition> {
    store.head().await.expect("the store answers")
}

/// A subscription that sees only the streams of one test.
pub(crate) struct Listener {
    subscription: Subscription,
    streams: Vec<StreamName>,
}

impl Listener {
    pub(crate) fn new(
        store: &dyn EventStore,
        streams: &[StreamName],
        after: Option<GlobalPosition>,
    ) -> Listener {
        Listener {
            subscription: store.subscribe_all(PREFIX, after),
            streams: streams.to_vec(),
        }
    }

    /// The next event of these streams.
    pub(crate) async fn next(&mut self) -> RecordedEvent {
        loop {
            if let SubscriptionMessage::Recorded(event) = self.next_message().await {
                return event;
            }
        }
    }

    /// This number of next events of these streams.
    pub(crate) async fn take(&mut self, count: usize) -> Vec<RecordedEvent> {
        let mut events = Vec::new();
        while events.len() < count {
            events.push(self.next().await);
        }
        events
    }

    /// The next event of these streams, or the message that the subscription has caught up.
    pub(crate) async fn next_message(&mut self) -> SubscriptionMessage {
        loop {
            let message = soon(self.subscription.next())
                .await
                .expect("a subscription does not end");
            match &message {
                SubscriptionMessage::Recorded(event) if !self.streams.contains(&event.stream) => {}
                SubscriptionMessage::Recorded(_) | SubscriptionMessage::CaughtUp => return message,
                SubscriptionMessage::StreamTruncated(_) | SubscriptionMessage::Disconnected => {}
            }
        }
    }
}
