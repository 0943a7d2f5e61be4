//! The service and the Python tutorial use the same database. The tutorial appends at any revision,
//! with random ids and without metadata.

use connect_four::event_store::{EventStore, EventStoreError, StreamName, StreamRevision};

use crate::double::tutorial::events;
use crate::double::wire::Empty;
use crate::double::{Double, Expected};
use crate::support::{PREFIX, append, at, new_event, soon, store_on, until_caught_up};

const FIXTURES: [&str; 7] = [
    "won",
    "tied",
    "in_progress",
    "empty_name",
    "history_appended_again",
    "two_writers_interleaved",
    "lone_surrogate",
];

fn name(stream: String) -> StreamName {
    StreamName::new(stream).expect("a good name")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tutorials_streams_are_read_and_delivered_byte_for_byte() {
    let double = Double::start().await;
    let store = store_on(&double).await;
    for fixture in FIXTURES {
        let head = store.head().await.expect("it answers");
        let stream = name(double.store_tutorial_game(fixture));
        let stored = events(fixture);

        let slice = soon(store.read_stream(&stream, StreamRevision::FIRST)).await;
        let read = slice.expect("it answers").events;
        let heard = until_caught_up(&mut store.subscribe_all(PREFIX, head)).await;
        assert_eq!(read, heard, "{fixture}");
        assert_eq!(read.len(), stored.len(), "{fixture}");
        for (read, stored) in read.iter().zip(stored) {
            assert_eq!(read.id, stored.id);
            assert_eq!(read.event_type, stored.event_type);
            assert_eq!(read.data, stored.data);
            assert!(read.metadata.is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_to_a_stream_of_the_tutorial_continues_at_its_end() {
    let double = Double::start().await;
    let store = store_on(&double).await;
    let stream = name(double.store_tutorial_game("in_progress"));
    let event = new_event();
    append(&store, &stream, at(3), &event).await.expect("at 3");

    let stored = double.stored(stream.as_str());
    let last = stored.last().expect("five events");
    assert_eq!((last.id, last.revision), (event.id, 4));
    assert_eq!(last.content_type, "application/json");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_of_the_tutorial_between_our_read_and_our_append_is_a_conflict() {
    let double = Double::start().await;
    let store = store_on(&double).await;
    let stream = name(double.store_tutorial_game("in_progress"));
    let its_move = events("in_progress").remove(1);
    let its_move = crate::double::Proposal {
        id: uuid::Uuid::now_v7(),
        ..its_move
    };
    double.store(stream.as_str(), Expected::Any(Empty {}), vec![its_move]);

    let error = append(&store, &stream, at(3), &new_event()).await;
    assert!(
        matches!(error, Err(EventStoreError::WrongExpectedRevision { actual: Some(actual), .. })
            if actual.number() == 4),
        "{error:?}"
    );
}
