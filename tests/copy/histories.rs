//! Generated histories, and the comparison of two stores.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use connect_four::application::{GAME_STREAM_PREFIX, GameId, encode, upcast};
use connect_four::event_store::{
    EventStore, ExpectedRevision, NewEvent, RecordedEvent, StreamName, StreamRevision,
};
use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::Value;
use uuid::Uuid;

use crate::generated::{Played, any_game};

/// What an event has to keep: id, type, data, the metadata that it was appended with, and the time
/// of its first recording.
pub(crate) type Kept = (Uuid, String, Bytes, Value, DateTime<Utc>);

const METADATA: [&str; 4] = [
    "",
    "{}",
    r#"{"$correlationId":"01a20782-c4f4-7106-a597-c117c30e4755", "n": 1.0}"#,
    r#"{"reason":"resignation","player":"ada"}"#,
];

pub(crate) fn generated_games(count: usize) -> Vec<Played> {
    let mut runner = TestRunner::deterministic();
    let game = |_| any_game().new_tree(&mut runner).expect("a game").current();
    (0..count).map(game).collect()
}

/// Stores generated games, whose events are interleaved, and returns how many events they have.
pub(crate) async fn store_games(store: &dyn EventStore, count: usize) -> usize {
    let games = generated_games(count);
    let streams: Vec<_> = games.iter().map(|_| GameId::generate().stream()).collect();
    let longest = games.iter().map(|game| game.events.len()).max();
    for round in 0..longest.unwrap_or_default() {
        let appends = games.iter().zip(&streams).filter_map(|(game, stream)| {
            let (event_type, data) = encode(game.events.get(round)?);
            let revision = round as u64;
            let new = new_event(event_type, data, METADATA[round % METADATA.len()]);
            Some(store.append(stream, expected_at(revision), vec![new]))
        });
        for appended in join_all(appends).await {
            appended.expect("there is no other writer");
        }
    }
    games.iter().map(|game| game.events.len()).sum()
}

/// Stores generated games, finished and unfinished ones, each in one append, and returns how many events
/// they have.
pub(crate) async fn store_whole_games(store: Arc<dyn EventStore>, count: usize) -> usize {
    let games = &generated_games(count.min(500));
    let lengths = stream::iter(0..count).map(|number| {
        let events = &games[number % games.len()].events;
        // The last two events of a game belong together.
        let length = match number % events.len() + 1 {
            length if length + 1 < events.len() => length,
            _ => events.len(),
        };
        let new = events[..length].iter().map(|event| {
            let (event_type, data) = encode(event);
            new_event(event_type, data, METADATA[number % 3])
        });
        let (store, new): (_, Vec<_>) = (store.clone(), new.collect());
        async move {
            let stream = GameId::generate().stream();
            let appended = store.append(&stream, ExpectedRevision::NoStream, new).await;
            appended.expect("a new stream");
            length
        }
    });
    lengths
        .buffer_unordered(512)
        .fold(0, |sum, length| async move { sum + length })
        .await
}

pub(crate) fn new_event(event_type: &'static str, data: Bytes, metadata: &'static str) -> NewEvent {
    NewEvent {
        id: Uuid::now_v7(),
        event_type: event_type.into(),
        data,
        metadata: Bytes::from_static(metadata.as_bytes()),
    }
}

/// What an append of the event at this revision expects.
pub(crate) fn expected_at(revision: u64) -> ExpectedRevision {
    match revision.checked_sub(1) {
        None => ExpectedRevision::NoStream,
        Some(before) => ExpectedRevision::Exact(StreamRevision::new(before)),
    }
}

/// A new game with this number of events, which are not a valid game.
pub(crate) async fn store_game(store: &dyn EventStore, events: usize) -> StreamName {
    let stream = GameId::generate().stream();
    let new = |_| new_event("MoveMade", Bytes::from_static(b"{\"player\":\"ada\"}"), "");
    let events = (0..events).map(new).collect();
    let appended = store.append(&stream, ExpectedRevision::NoStream, events);
    appended.await.expect("a new stream");
    stream
}

pub(crate) async fn all_events(store: &dyn EventStore) -> Vec<RecordedEvent> {
    let read = store.read_all(GAME_STREAM_PREFIX, None, usize::MAX >> 1);
    read.await.expect("the store answers")
}

fn kept(event: RecordedEvent) -> Kept {
    let mut metadata = match &event.metadata[..] {
        b"" => Value::Object(serde_json::Map::new()),
        json => serde_json::from_slice(json).expect("JSON"),
    };
    upcast::remove_from(&mut metadata);
    let time = upcast::recorded_at(&event);
    (
        event.id,
        event.event_type.into_owned(),
        event.data,
        metadata,
        time,
    )
}

/// The events of every stream in the order of their revisions, which have no gap.
pub(crate) async fn streams(store: &dyn EventStore) -> BTreeMap<String, Vec<Kept>> {
    let mut streams: BTreeMap<String, Vec<Kept>> = BTreeMap::new();
    for event in all_events(store).await {
        let stream = streams.entry(event.stream.to_string()).or_default();
        assert_eq!(event.revision.number(), stream.len() as u64);
        stream.push(kept(event));
    }
    streams
}

/// Asserts that the stores have the same streams with the same events. Does not print them.
pub(crate) async fn assert_equal(from: &dyn EventStore, to: &dyn EventStore) {
    let (from, to) = (streams(from).await, streams(to).await);
    assert_eq!(from.len(), to.len(), "streams");
    for (name, events) in &from {
        assert!(to.get(name) == Some(events), "{name} differs");
    }
}
