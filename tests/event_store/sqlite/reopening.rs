//! What is stored after the process ended, regularly or not.

use std::io;

use connect_four::event_store::{
    EventStore, ExpectedRevision, SqliteOpenError, SqliteStore, StreamName, StreamRevision,
};

use super::{TempFile, child_process, database_of_parent, lines, say};
use crate::support::{
    Listener, begin, go_on, head_of, ids_in, ids_of, new_events, new_stream, repetition_of,
};

#[tokio::test]
async fn everything_can_be_read_after_a_reopen() {
    let file = TempFile::new();
    let (stream, other) = (new_stream(), new_stream());
    let streams = [stream.clone(), other.clone()];
    let store = file.open().await;
    begin(&store, &stream, new_events(3)).await;
    begin(&store, &other, new_events(1)).await;
    go_on(&store, &stream, 2, new_events(2)).await;
    let before = Listener::new(&store, &streams, None).take(6).await;
    let head = head_of(&store).await;
    drop(store);

    let store = file.open().await;
    assert_eq!(head_of(&store).await, head);
    assert_eq!(Listener::new(&store, &streams, None).take(6).await, before);
    let past_the_end = store
        .read_stream(&stream, StreamRevision::new(5))
        .await
        .expect("the store answers");
    assert_eq!(past_the_end.last_revision, Some(StreamRevision::new(4)));
    let next = go_on(&store, &stream, 4, new_events(1)).await;
    assert!(Some(next.position) > head);
}

#[tokio::test]
async fn a_repeated_append_is_recognised_after_a_reopen() {
    let file = TempFile::new();
    let stream = new_stream();
    let (first, second) = (new_events(2), new_events(1));
    let store = file.open().await;
    let began = begin(&store, &stream, first.clone()).await;
    let went_on = go_on(&store, &stream, 1, second.clone()).await;
    drop(store);

    let store = file.open().await;
    assert_eq!(
        go_on(&store, &stream, 1, second.clone()).await,
        repetition_of(went_on)
    );
    assert_eq!(
        begin(&store, &stream, first.clone()).await,
        repetition_of(began)
    );
    assert_eq!(
        ids_in(&store, &stream).await,
        ids_of(&[first, second].concat())
    );
}

#[tokio::test]
async fn dropping_the_store_completes_queued_appends_and_leaves_one_file() {
    let file = TempFile::new();
    let store = file.open().await;
    let streams: Vec<_> = (0..50).map(|_| new_stream()).collect();
    for stream in &streams {
        let append = store.append(stream, ExpectedRevision::NoStream, new_events(1));
        // The append is polled once, then its future is dropped.
        assert!(futures_util::FutureExt::now_or_never(append).is_none());
    }
    drop(store);
    assert!(!file.directory().join("events.db-wal").exists());

    let store = file.open().await;
    for stream in &streams {
        assert_eq!(ids_in(&store, stream).await.len(), 1);
    }
}

/// The stream that [`appends_until_it_is_killed`] writes to; the parent reads it.
fn stream_of_child() -> StreamName {
    StreamName::new("contract-child").expect("it is not empty")
}

#[tokio::test]
#[ignore = "run by the test below in a process of its own"]
async fn appends_until_it_is_killed() {
    let store = SqliteStore::open(database_of_parent())
        .await
        .expect("it opens");
    let stream = stream_of_child();
    let mut expected = ExpectedRevision::at(
        store
            .read_stream(&stream, StreamRevision::FIRST)
            .await
            .expect("the store answers")
            .last_revision,
    );
    loop {
        let appended = store
            .append(&stream, expected, new_events(2))
            .await
            .expect("nobody else writes");
        expected = ExpectedRevision::Exact(appended.revision);
        say(appended.revision);
    }
}

#[tokio::test]
async fn a_killed_process_leaves_every_acknowledged_append_and_no_lock() -> io::Result<()> {
    let file = TempFile::new();
    let mut acknowledged = 0;
    for round in 0..5 {
        let test = "sqlite::reopening::appends_until_it_is_killed";
        let mut child = child_process(test, &file.path(), "").spawn()?;
        let mut lines = lines(&mut child);
        let mut said: Vec<String> = lines.by_ref().take(10 + round).collect();
        assert_eq!(said.len(), 10 + round, "the child appends");
        assert!(matches!(
            file.refusal().await,
            SqliteOpenError::InUse { .. }
        ));
        child.kill()?;
        child.wait()?;
        said.extend(lines);
        let last = said.last().expect("it said something");
        let last: u64 = last.parse().expect("a revision");
        assert!(last > acknowledged);
        acknowledged = last;

        let store = file.open().await;
        let stored = ids_in(&store, &stream_of_child()).await.len() as u64;
        assert!(stored > acknowledged);
        assert_eq!(stored % 2, 0, "an append is there whole");
    }
    Ok(())
}
