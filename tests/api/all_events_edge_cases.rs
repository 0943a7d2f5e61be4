//! Edge cases of the stream of all games: event types of other programs, long histories, clients that
//! stop reading, a service that stops.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use connect_four::event_store::{EventStore, ExpectedRevision, MemoryStore, NewEvent, StreamName};
use serde_json::{Value, json};

use crate::all_events::{next, position, watch_all};
use crate::held_store::HeldStore;
use crate::service::Service;
use crate::watcher::{FORMATS, NDJSON, SSE};

async fn append(
    store: &dyn EventStore,
    stream: &str,
    event_type: &'static str,
    data: &'static str,
) {
    let stream = StreamName::new(stream.to_owned()).expect("a name");
    let event = NewEvent {
        id: uuid::Uuid::now_v7(),
        event_type: event_type.into(),
        data: Bytes::from_static(data.as_bytes()),
        metadata: Bytes::new(),
    };
    let appended = store.append(&stream, ExpectedRevision::NoStream, vec![event]);
    appended.await.expect("there is no other writer");
}

#[tokio::test]
async fn events_of_other_programs_are_shown_unchanged() {
    let store = Arc::new(MemoryStore::new());
    let service = Service::on(store.clone()).await;
    append(&*store, "game-7", "Undone", "{\"why\": 7}").await;
    append(&*store, "other-7", "GameStarted", "{}").await;
    let mut watchers = Vec::new();
    for format in FORMATS {
        watchers.push(watch_all(&service, format, None).await);
    }
    // A line break in an event type would end the `event` field, so the field is left out.
    append(&*store, "game-8", "A\ndata: B", "no JSON").await;
    service.game_with("").await;
    let piece = {
        let mut raw = watch_all(&service, SSE, Some("1")).await;
        raw.next_piece().await.expect("open").expect("an event")
    };
    assert!(piece.starts_with("retry: 2000\nid: 2\ndata: {"), "{piece}");
    let mut lines = watchers.pop().expect("the second");
    let told = next(&mut lines, 3).await;
    let shown: Vec<_> = told
        .iter()
        .map(|event| (&event["game_id"], &event["type"], &event["data"]))
        .collect();
    assert_eq!(*shown[0].0, Value::Null);
    assert_eq!(
        (shown[0].1, shown[0].2),
        (&json!("Undone"), &json!({"why": 7}))
    );
    assert_eq!(
        (shown[1].1, shown[1].2),
        (&json!("A\ndata: B"), &Value::Null)
    );
    assert_eq!(shown[2].1, "GameStarted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_history_longer_than_one_read_is_delivered_completely() {
    let store = Arc::new(MemoryStore::new());
    for game in 0..1234 {
        append(&*store, &format!("game-{game}"), "GameStarted", "{}").await;
    }
    let service = Service::on(store.clone()).await;
    let mut watcher = watch_all(&service, NDJSON, None).await;
    let told = next(&mut watcher, 1234).await;
    let positions: Vec<_> = told.iter().map(position).collect();
    let counted: Vec<_> = (0..1234).map(|number: u32| number.to_string()).collect();
    assert_eq!(positions, counted);
    append(&*store, "game-more", "GameStarted", "{}").await;
    assert_eq!(next(&mut watcher, 1).await[0]["position"], "1234");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutdown_ends_the_streams_of_all_games() {
    let store = Arc::new(MemoryStore::new());
    for game in 0..1000 {
        append(&*store, &format!("game-{game}"), "GameStarted", "{}").await;
    }
    let service = Service::on(store.clone()).await;
    let mut watchers = Vec::new();
    for format in FORMATS {
        watchers.push(watch_all(&service, format, None).await);
        watchers.push(watch_all(&service, format, Some("999")).await);
    }
    let asked_to_stop = Instant::now();
    service.stop().await;
    assert!(asked_to_stop.elapsed() < Duration::from_secs(1));
    for watcher in watchers {
        watcher.rest().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_read_is_disconnected_and_can_resume() {
    const EVENTS: usize = 11_000;
    // They fill the sockets. The rest only has to be more than is kept for a slow reader.
    const LARGE_EVENTS: usize = 3_000;
    let store = Arc::new(MemoryStore::new());
    let service = Service::on(store.clone()).await;
    let mut slow = watch_all(&service, NDJSON, None).await;
    let mut fast = watch_all(&service, NDJSON, None).await;
    let metadata = Bytes::from(format!("{{\"note\":\"{}\"}}", "x".repeat(8000)));
    for game in 0..EVENTS {
        let stream = StreamName::new(format!("game-{game}")).expect("a name");
        let event = NewEvent {
            id: uuid::Uuid::now_v7(),
            event_type: "GameStarted".into(),
            data: Bytes::from_static(b"{}"),
            metadata: if game < LARGE_EVENTS {
                metadata.clone()
            } else {
                Bytes::new()
            },
        };
        let appended = store.append(&stream, ExpectedRevision::NoStream, vec![event]);
        appended.await.expect("there is no other writer");
        // The fast client reads every event, so only the slow one falls behind.
        next(&mut fast, 1).await;
    }
    let mut told = Vec::new();
    // The stream must fail, because a normal end would mean that there are no more events.
    while let Ok(event) = slow.try_next().await {
        told.push(position(&event.expect("an error and no end")));
    }
    assert!(told.len() < EVENTS);
    assert!(!told.is_empty());
    let after = told.last().expect("some events").clone();
    let mut resumed = watch_all(&service, NDJSON, Some(&after)).await;
    let rest = next(&mut resumed, EVENTS - told.len()).await;
    told.extend(rest.iter().map(position));
    let counted: Vec<_> = (0..EVENTS).map(|number| number.to_string()).collect();
    assert_eq!(told, counted);
}

/// On one thread, so that a bounded read that has begun has also looked for events.
#[tokio::test]
async fn an_event_between_the_history_and_the_live_events_is_delivered() {
    let store = HeldStore::new(Arc::new(MemoryStore::new()));
    store.let_go();
    let service = Service::on(store.clone()).await;
    service.game_with("").await;
    let mut other = watch_all(&service, NDJSON, Some("0")).await;
    service.game_with("").await;
    next(&mut other, 1).await;

    store.hold_new_ones();
    let subscriptions = store.subscriptions();
    let opened = watch_all(&service, NDJSON, Some("1"));
    let recorded = async {
        while store.subscriptions() == subscriptions {
            tokio::task::yield_now().await;
        }
        service.game_with("").await;
        let event = next(&mut other, 1).await;
        store.let_go();
        event
    };
    let (mut watcher, event) = tokio::join!(opened, recorded);
    assert_eq!(next(&mut watcher, 1).await, event);
}
