//! Streams that were deleted or truncated.

use std::time::Duration;

use connect_four::event_store::kurrentdb::KurrentDbStore;
use connect_four::event_store::{
    EventStore, EventStoreError, ExpectedRevision, NewEvent, StreamName, StreamRevision,
    SubscriptionMessage,
};

use crate::double::{Double, Expected, wire::Empty};
use crate::support::{
    PREFIX, append, new_event, new_stream, next_message, proposal, soon, store_on, until_caught_up,
};

/// Appends three events to a new stream. Returns its name and the events.
async fn stream_of_three(store: &KurrentDbStore) -> (StreamName, Vec<NewEvent>) {
    let stream = new_stream();
    let events = vec![new_event(), new_event(), new_event()];
    soon(store.append(&stream, ExpectedRevision::NoStream, events.clone()))
        .await
        .expect("a new stream");
    (stream, events)
}

fn deleted<T>(stream: &StreamName) -> Result<T, EventStoreError> {
    Err(EventStoreError::StreamDeleted {
        stream: stream.clone(),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_distinguishes_a_deleted_stream_from_one_that_never_existed() {
    let double = Double::start().await;
    let store = store_on(&double).await;
    let (stream, _) = stream_of_three(&store).await;
    let read = |stream: StreamName| {
        let store = store.clone();
        async move {
            let slice = soon(store.read_stream(&stream, StreamRevision::FIRST)).await;
            slice.map(|slice| slice.last_revision)
        }
    };
    assert_eq!(read(stream.clone()).await, Ok(Some(StreamRevision::new(2))));
    double.delete(stream.as_str());
    assert_eq!(read(stream.clone()).await, deleted(&stream));
    assert_eq!(read(new_stream()).await, Ok(None));

    // Other metadata does not make a stream count as deleted.
    let never_written = new_stream();
    double.set_metadata(never_written.as_str(), r#"{"$maxCount":5}"#);
    assert_eq!(read(never_written).await, Ok(None));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_that_starts_a_deleted_stream_again_is_not_acknowledged() {
    let double = Double::start().await;
    let store = store_on(&double).await;
    let (stream, _) = stream_of_three(&store).await;
    double.delete(stream.as_str());
    let outcome = append(&store, &stream, ExpectedRevision::NoStream, &new_event()).await;
    assert_eq!(outcome, deleted(&stream));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_that_repeats_deleted_events_is_not_acknowledged() {
    let double = Double::start().await;
    let store = store_on(&double).await;
    let (stream, events) = stream_of_three(&store).await;
    double.delete(stream.as_str());
    let repeated = soon(store.append(&stream, ExpectedRevision::NoStream, events)).await;
    assert_eq!(repeated, deleted(&stream));

    let (emptied, events) = stream_of_three(&store).await;
    double.set_metadata(emptied.as_str(), r#"{"$tb":10}"#);
    let repeated = soon(store.append(&emptied, ExpectedRevision::NoStream, events)).await;
    assert_eq!(repeated, deleted(&emptied));
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_truncated_stream_repeating_events_that_can_still_be_read_succeeds() {
    let double = Double::start().await;
    let store = store_on(&double).await;
    let (stream, events) = stream_of_three(&store).await;
    double.set_metadata(stream.as_str(), r#"{"$tb":2}"#);
    let repeated = soon(store.append(&stream, ExpectedRevision::NoStream, events)).await;
    assert_eq!(
        repeated.expect("the last one is there").revision,
        StreamRevision::new(2)
    );
    let slice = soon(store.read_stream(&stream, StreamRevision::FIRST)).await;
    let slice = slice.expect("it answers");
    assert_eq!(slice.events[0].revision, StreamRevision::new(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_delivers_deletions_and_truncations_immediately() {
    let double = Double::start().await;
    let store = store_on(&double).await;
    let mut subscription = store.subscribe_all(PREFIX, None);
    until_caught_up(&mut subscription).await;

    for cut in 0..5 {
        let (stream, events) = stream_of_three(&store).await;
        // Not delivered: metadata that removes nothing, and other streams.
        double.set_metadata(stream.as_str(), r#"{"owner":"ada"}"#);
        double.set_metadata("other-1", r#"{"$maxCount":1}"#);
        match cut {
            0 => double.delete(stream.as_str()),
            1 => double.tombstone(stream.as_str()),
            2 => double.set_metadata(stream.as_str(), r#"{"$tb":2}"#),
            3 => double.set_metadata(stream.as_str(), r#"{"$maxCount":1}"#),
            _ => double.set_metadata(stream.as_str(), r#"{"$maxAge":60}"#),
        }
        let mut heard = Vec::new();
        loop {
            match next_message(&mut subscription).await {
                SubscriptionMessage::Recorded(event) => heard.push(event.id),
                SubscriptionMessage::StreamTruncated(truncated) => {
                    break assert_eq!(truncated, stream);
                }
                SubscriptionMessage::CaughtUp | SubscriptionMessage::Disconnected => {}
            }
        }
        assert_eq!(
            heard,
            events.iter().map(|event| event.id).collect::<Vec<_>>()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_servers_own_events_are_not_delivered_and_do_not_count_towards_a_limit() {
    let double = Double::start().await;
    let store = store_on(&double).await;
    let stream = new_stream();
    let mut own = Vec::new();
    for _ in 0..3 {
        for _ in 0..5 {
            let mut link = proposal("0@other-1");
            link.event_type = "$>".to_owned();
            double.store(stream.as_str(), Expected::Any(Empty {}), vec![link]);
        }
        let event = proposal("{}");
        own.push(event.id);
        double.store(stream.as_str(), Expected::Any(Empty {}), vec![event]);
    }
    double.tombstone(stream.as_str());

    for limit in [1, 2, 3, 10] {
        let page = soon(store.read_all(PREFIX, None, limit)).await;
        let page: Vec<_> = page.expect("it answers").iter().map(|e| e.id).collect();
        assert_eq!(page, own[..limit.min(3)]);
    }
    let mut subscription = store.subscribe_all(PREFIX, None);
    let heard = until_caught_up(&mut subscription).await;
    assert_eq!(heard.iter().map(|e| e.id).collect::<Vec<_>>(), own);
    // The end of the store is after the last delivered event.
    let head = store.head().await.expect("it answers");
    let page = tokio::time::timeout(Duration::from_secs(5), store.read_all(PREFIX, head, 10));
    assert_eq!(page.await.expect("in time"), Ok(Vec::new()));
}
