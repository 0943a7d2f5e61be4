//! The writer thread, and the readers that work at the same time.

use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use bytes::Bytes;
use connect_four::event_store::{EventStore, EventStoreError, ExpectedRevision, StreamRevision};
use futures_util::FutureExt;
use futures_util::future::join_all;
use rusqlite::Connection;
use tokio::sync::Notify;
use tokio::time;

use super::TempFile;
use crate::support::{
    Listener, at, begin, conflict, go_on, ids_in, new_event, new_events, new_stream, repetition_of,
    soon,
};

/// Blocks the writer at the beginning of its next transaction, as a database tool can.
fn hold_up(file: &TempFile) -> Connection {
    let tool = Connection::open(file.path()).expect("a database");
    tool.execute_batch("BEGIN IMMEDIATE").expect("it is free");
    tool
}

#[tokio::test]
async fn a_conflict_in_a_batch_does_not_affect_the_other_appends_of_the_batch() {
    let file = TempFile::new();
    let store = file.open().await;
    let (one, two, three) = (new_stream(), new_stream(), new_stream());
    begin(&store, &two, new_events(1)).await;

    let tool = hold_up(&file);
    let repeated = new_events(1);
    let mut appends = Box::pin(join_all([
        store.append(&one, ExpectedRevision::NoStream, repeated.clone()),
        // The writer may have taken the first append alone. The others wait and form one batch.
        store.append(&one, at(0), new_events(2)),
        store.append(&two, ExpectedRevision::NoStream, new_events(1)),
        store.append(&one, at(0), new_events(1)),
        store.append(&one, ExpectedRevision::NoStream, repeated),
        store.append(&one, at(2), new_events(1)),
        store.append(&three, at(0), new_events(1)),
        store.append(&three, ExpectedRevision::NoStream, new_events(1)),
    ]));
    assert!((&mut appends).now_or_never().is_none());
    drop(tool);
    let answers = soon(appends).await;

    let revisions: Vec<_> = answers
        .iter()
        .map(|answer| Some(answer.as_ref().ok()?.revision.number()))
        .collect();
    assert_eq!(
        revisions,
        [
            Some(0),
            Some(2),
            None,
            None,
            Some(0),
            Some(3),
            None,
            Some(0)
        ]
    );
    assert_eq!(
        answers[2],
        conflict(&two, ExpectedRevision::NoStream, Some(0))
    );
    assert_eq!(answers[3], conflict(&one, at(0), Some(2)));
    assert_eq!(answers[4], answers[0].clone().map(repetition_of));
    assert_eq!(answers[6], conflict(&three, at(0), None));
    for (stream, length) in [(&one, 4), (&two, 1), (&three, 1)] {
        assert_eq!(ids_in(&store, stream).await.len(), length);
    }
}

#[tokio::test]
async fn a_database_that_is_locked_for_long_is_unavailable_until_it_is_unlocked() {
    let file = TempFile::new();
    let store = file.open().await;
    let stream = new_stream();
    begin(&store, &stream, new_events(1)).await;

    let tool = hold_up(&file);
    let event = new_event();
    let answer = soon(store.append(&stream, at(0), vec![event.clone()])).await;
    assert!(matches!(answer, Err(EventStoreError::Unavailable { .. })));
    assert_eq!(ids_in(&store, &stream).await.len(), 1, "reads still work");
    drop(tool);
    go_on(&store, &stream, 0, vec![event]).await;
}

#[tokio::test]
async fn events_that_another_tool_wrote_are_not_overwritten() {
    let file = TempFile::new();
    let store = file.open().await;
    let stream = new_stream();
    begin(&store, &stream, new_events(1)).await;
    Connection::open(file.path())
        .and_then(|tool| {
            tool.execute_batch(
                "INSERT INTO events (stream, revision, id, type, data, metadata, recorded_at)
                 SELECT stream, 1, randomblob(16), type, data, metadata, recorded_at FROM events",
            )
        })
        .expect("nothing keeps a tool from it");

    let answer = store.append(&stream, at(0), new_events(1)).await;
    assert!(matches!(answer, Err(EventStoreError::Unavailable { .. })));
    let answer = store.append(&stream, at(0), new_events(1)).await;
    assert_eq!(answer, conflict(&stream, at(0), Some(1)));
    go_on(&store, &stream, 1, new_events(1)).await;
}

#[tokio::test]
async fn an_append_that_is_too_large_is_refused() {
    let file = TempFile::new();
    let store = file.open().await;
    let stream = new_stream();
    let mut event = new_event();
    event.data = Bytes::from(vec![b' '; 16 * 1024 * 1024]);
    let largest = event.clone();
    event.metadata = Bytes::from_static(b"{}");
    let answer = store
        .append(&stream, ExpectedRevision::NoStream, vec![event])
        .await;
    assert!(matches!(answer, Err(EventStoreError::Refused { .. })));
    begin(&store, &stream, vec![largest]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_reads_see_complete_appends_and_never_an_earlier_state() {
    let file = TempFile::new();
    let store = file.open().await;
    let stream = new_stream();
    begin(&store, &stream, new_events(3)).await;

    let readers = (0..4).map(|_| {
        let (store, stream) = (store.clone(), stream.clone());
        tokio::spawn(async move {
            let mut seen = 0;
            while seen < 300 {
                // Alternates between reads of the database and reads answered from memory.
                for from in [0, u64::MAX, seen] {
                    let slice = store
                        .read_stream(&stream, StreamRevision::new(from))
                        .await
                        .expect("the store answers");
                    let length = slice.last_revision.expect("it has begun").number() + 1;
                    assert_eq!(length % 3, 0, "half an append");
                    assert!(length >= seen, "the stream got shorter");
                    assert_eq!(slice.events.len() as u64, length.saturating_sub(from));
                    seen = length;
                }
                tokio::task::yield_now().await;
            }
        })
    });
    let readers: Vec<_> = readers.collect();
    for append in 1..100 {
        go_on(&store, &stream, append * 3 - 1, new_events(3)).await;
    }
    for reader in soon(join_all(readers)).await {
        reader.expect("a reader does not panic");
    }
}

#[tokio::test]
async fn reads_do_not_wait_for_the_writer() {
    let file = TempFile::new();
    let store = file.open().await;
    let stream = new_stream();
    begin(&store, &stream, new_events(2)).await;

    let tool = hold_up(&file);
    let mut append = Box::pin(store.append(&stream, at(1), new_events(1)));
    assert!((&mut append).now_or_never().is_none());
    assert_eq!(ids_in(&store, &stream).await.len(), 2);
    drop(tool);
    soon(append).await.expect("the tool let go");
}

#[tokio::test]
async fn a_read_past_the_end_of_a_stream_that_was_written_to_is_answered_from_memory() {
    let file = TempFile::new();
    let store = file.open().await;
    let stream = new_stream();
    begin(&store, &stream, new_events(2)).await;
    let read = store.read_stream(&stream, StreamRevision::new(2));
    let slice = read
        .now_or_never()
        .expect("the answer comes from memory")
        .expect("the store answers");
    assert_eq!(slice.last_revision, Some(StreamRevision::new(1)));
}

#[tokio::test]
async fn a_subscription_keeps_the_file_locked_until_it_is_dropped() {
    let file = TempFile::new();
    let store = file.open().await;
    let mut subscription = store.subscribe_all("", None);
    drop(store);
    file.refusal().await;
    let first = futures_util::StreamExt::next(&mut subscription).await;
    assert!(first.is_some());
    let next = time::timeout(
        Duration::ZERO,
        futures_util::StreamExt::next(&mut subscription),
    );
    assert!(next.await.is_err(), "it does not end");
    drop(subscription);
    file.open().await;
}

/// The writer thread wakes the caller of an append. This one panics then.
#[derive(Default)]
struct PanicsWhenWoken(Notify);

impl Wake for PanicsWhenWoken {
    fn wake(self: Arc<Self>) {
        self.0.notify_one();
        panic!("a panic that the test wants");
    }
}

#[tokio::test]
async fn a_panic_in_the_writer_thread_loses_nothing_and_the_next_append_works() {
    let file = TempFile::new();
    let store = file.open().await;
    let (one, two) = (new_stream(), new_stream());
    let streams = [one.clone(), two.clone()];
    let mut listener = Listener::new(&store, &streams, None);
    begin(&store, &one, new_events(1)).await;
    listener.take(1).await;

    let tool = hold_up(&file);
    let mut append = store.append(&one, at(0), new_events(1));
    let panics = Arc::new(PanicsWhenWoken::default());
    let waker = Waker::from(panics.clone());
    let polled = append.as_mut().poll(&mut Context::from_waker(&waker));
    assert!(polled.is_pending());
    drop(tool);
    soon(panics.0.notified()).await;
    soon(append).await.expect("it was stored before the panic");
    assert_eq!(listener.take(1).await.len(), 1, "it is delivered");

    assert_eq!(soon(store.check()).await, Ok(()));
    begin(&store, &two, new_events(1)).await;
    go_on(&store, &one, 1, new_events(1)).await;
    listener.take(2).await;
    drop((listener, store));
    assert_eq!(ids_in(&file.open().await, &one).await.len(), 3);
}
