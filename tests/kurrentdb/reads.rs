//! Reads are complete, or fail.

use bytes::Bytes;
use chrono::Utc;
use connect_four::event_store::{
    AtPosition, EventStore, EventStoreError, GlobalPosition, NewEvent, StreamRevision,
};

use crate::double::Double;
use crate::support::{PREFIX, append, at, begin, new_event, new_stream, soon, store_on};

#[tokio::test(flavor = "multi_thread")]
async fn a_read_returns_a_stream_as_it_was_stored() {
    let double = Double::start().await;
    let store = store_on(&double).await;
    let stream = new_stream();
    let before = Utc::now();
    let first = begin(&store, &stream).await;
    let second = NewEvent {
        metadata: Bytes::from_static(b"{\"a\" : 1}"),
        ..new_event()
    };
    let appended = append(&store, &stream, at(0), &second).await.expect("at 0");

    let slice = soon(store.read_stream(&stream, StreamRevision::FIRST))
        .await
        .expect("it answers");
    assert_eq!(slice.last_revision, Some(StreamRevision::new(1)));
    assert_eq!(slice.events[0].id, first.id);
    let event = &slice.events[1];
    assert_eq!(event.data, second.data);
    assert_eq!(event.metadata, second.metadata);
    assert_eq!(event.position, appended.position);
    assert!(event.recorded_at > before && event.recorded_at < Utc::now());
    assert_ne!(event.recorded_at.timestamp_subsec_micros(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absent_stream_is_empty_and_a_tombstoned_one_is_deleted() {
    let double = Double::start().await;
    let store = store_on(&double).await;
    let stream = new_stream();
    let read = || soon(store.read_stream(&stream, StreamRevision::FIRST));
    assert!(read().await.expect("no error").last_revision.is_none());

    begin(&store, &stream).await;
    double.tombstone(stream.as_str());
    assert!(matches!(
        read().await,
        Err(EventStoreError::StreamDeleted { stream: deleted }) if deleted == stream
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_whose_answer_was_cut_short_is_repeated() {
    let double = Double::start().await;
    let store = store_on(&double).await;
    let stream = new_stream();
    begin(&store, &stream).await;
    for revision in 0..9 {
        append(&store, &stream, at(revision), &new_event())
            .await
            .expect("nobody else writes");
    }
    double.cut_next_read_short();
    let slice = soon(store.read_stream(&stream, StreamRevision::FIRST))
        .await
        .expect("asked again");
    assert_eq!(slice.events.len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_head_is_the_position_of_the_latest_event() {
    let double = Double::start().await;
    let store = store_on(&double).await;
    assert_eq!(soon(store.head()).await, Ok(None));
    let appended = soon(store.append(
        &new_stream(),
        connect_four::event_store::ExpectedRevision::NoStream,
        vec![new_event(), new_event()],
    ))
    .await
    .expect("a new stream");
    assert_eq!(soon(store.head()).await, Ok(Some(appended.position)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_from_an_invalid_position_fails_immediately_and_keeps_the_client() {
    let double = Double::start().await;
    let store = store_on(&double).await;
    let stream = new_stream();
    begin(&store, &stream).await;
    for revision in 0..3 {
        append(&store, &stream, at(revision), &new_event())
            .await
            .expect("nobody else writes");
    }
    let before = double.calls().reads;
    let position = |text: &str| text.parse::<GlobalPosition>().expect("a position");
    for text in [
        "1", // A prepare position is never after its commit.
        "0-7",
    ] {
        let position = position(text);
        let read = soon(store.read_all(PREFIX, Some(position), 10)).await;
        assert_eq!(read, Err(EventStoreError::NoEventAtPosition { position }));
        let found = soon(store.event_at(position)).await;
        assert_eq!(found, Ok(AtPosition::Nothing));
    }
    let beyond = position("999999999");
    let read = soon(store.read_all(PREFIX, Some(beyond), 10)).await;
    assert_eq!(
        read,
        Err(EventStoreError::PositionBeyondHead { position: beyond })
    );
    assert!(double.calls().reads <= before + 5);
    assert_eq!(double.calls().features, 1);
}

/// The server stores positions in an `i64`, and fails on larger numbers.
#[tokio::test(flavor = "multi_thread")]
async fn a_position_too_large_for_the_server_is_beyond_its_head() {
    let double = Double::start().await;
    let store = store_on(&double).await;
    begin(&store, &new_stream()).await;
    let before = double.calls().reads;
    let position: GlobalPosition = u64::MAX.to_string().parse().expect("a position");
    assert_eq!(
        soon(store.read_all(PREFIX, Some(position), 10)).await,
        Err(EventStoreError::PositionBeyondHead { position })
    );
    assert_eq!(
        soon(store.event_at(position)).await,
        Ok(AtPosition::Nothing)
    );
    assert_eq!(double.calls().reads, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scavenged_event_is_distinguished_from_one_that_never_existed() {
    let double = Double::start().await;
    let store = store_on(&double).await;
    let stream = new_stream();
    begin(&store, &stream).await;
    let head = store.head().await.expect("it answers");
    let first = head.expect("an event");
    // A scavenge keeps the last event of each stream.
    append(&store, &stream, at(0), &new_event())
        .await
        .expect("at 0");
    let other = begin(&store, &new_stream()).await;
    double.delete(stream.as_str());
    double.scavenge();
    assert_eq!(soon(store.event_at(first)).await, Ok(AtPosition::Removed));
    let page = soon(store.read_all(PREFIX, Some(first), 10)).await;
    let page = page.expect("a position that was given");
    assert_eq!(page.last().expect("later events").id, other.id);
}
