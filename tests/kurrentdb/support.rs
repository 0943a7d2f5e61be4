//! Helpers for these tests.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use connect_four::event_store::kurrentdb::KurrentDbStore;
use connect_four::event_store::{
    Appended, EventStore, EventStoreError, ExpectedRevision, NewEvent, RecordedEvent, StreamName,
    StreamRevision, Subscription, SubscriptionMessage,
};
use futures_util::StreamExt;
use uuid::Uuid;

use crate::double::{Double, Proposal, Stored};

pub(crate) const PREFIX: &str = "game-";

/// A store on a healthy node.
pub(crate) async fn store_on(double: &Double) -> Arc<KurrentDbStore> {
    open(&double.connection_string()).await
}

/// A store whose calls have this deadline, in milliseconds.
pub(crate) async fn impatient_store_on(connection: &str, deadline: u64) -> Arc<KurrentDbStore> {
    open(&format!("{connection}&defaultDeadline={deadline}")).await
}

pub(crate) async fn open(connection: &str) -> Arc<KurrentDbStore> {
    let connection = connection.parse().expect("a good connection string");
    Arc::new(KurrentDbStore::open(connection).await.expect("it opens"))
}

pub(crate) fn new_stream() -> StreamName {
    StreamName::new(format!("{PREFIX}{}", Uuid::now_v7())).expect("a good name")
}

pub(crate) fn new_event() -> NewEvent {
    let id = Uuid::now_v7();
    NewEvent {
        id,
        event_type: "Happened".into(),
        data: Bytes::from(format!(r#"{{"what": "{id}"}}"#)),
        metadata: Bytes::new(),
    }
}

/// An event that another program stores.
pub(crate) fn proposal(data: &str) -> Proposal {
    Proposal {
        id: Uuid::now_v7(),
        event_type: "Happened".into(),
        content_type: "application/json".to_owned(),
        data: Bytes::copy_from_slice(data.as_bytes()),
        metadata: Bytes::new(),
    }
}

pub(crate) fn at(revision: u64) -> ExpectedRevision {
    ExpectedRevision::Exact(StreamRevision::new(revision))
}

/// Appends one event at the expected revision. The test fails if the answer takes too long.
pub(crate) async fn append(
    store: &KurrentDbStore,
    stream: &StreamName,
    expected: ExpectedRevision,
    event: &NewEvent,
) -> Result<Appended, EventStoreError> {
    soon(store.append(stream, expected, vec![event.clone()])).await
}

/// Starts a stream with one event.
pub(crate) async fn begin(store: &KurrentDbStore, stream: &StreamName) -> NewEvent {
    let event = new_event();
    append(store, stream, ExpectedRevision::NoStream, &event)
        .await
        .expect("a new stream");
    event
}

pub(crate) fn ids(stored: &[Stored]) -> Vec<Uuid> {
    stored.iter().map(|event| event.id).collect()
}

/// Waits for a result that has to come; fails after a time-out.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), what)
        .await
        .expect("it comes within 30 seconds")
}

/// Repeats the check until it returns true.
pub(crate) async fn until<F: Future<Output = bool>>(question: impl Fn() -> F) {
    soon(async {
        while !question().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

pub(crate) async fn until_ready(store: &KurrentDbStore) {
    until(|| async { store.check().await.is_ok() }).await;
}

pub(crate) async fn until_not_ready(store: &KurrentDbStore) {
    until(|| async { store.check().await.is_err() }).await;
}

pub(crate) async fn next_message(subscription: &mut Subscription) -> SubscriptionMessage {
    soon(subscription.next())
        .await
        .expect("a subscription does not end")
}

pub(crate) async fn next_event(subscription: &mut Subscription) -> RecordedEvent {
    loop {
        if let SubscriptionMessage::Recorded(event) = next_message(subscription).await {
            return event;
        }
    }
}

pub(crate) async fn until_caught_up(subscription: &mut Subscription) -> Vec<RecordedEvent> {
    let mut events = Vec::new();
    loop {
        match next_message(subscription).await {
            SubscriptionMessage::Recorded(event) => events.push(event),
            SubscriptionMessage::CaughtUp => return events,
            SubscriptionMessage::StreamTruncated(_) | SubscriptionMessage::Disconnected => {}
        }
    }
}
