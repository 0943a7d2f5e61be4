//! Concurrent appends: written events conflict with others before they are committed, and can be
//! read only after that.

use std::time::Duration;

use kurrentdb::{Client, CurrentRevision, Error, StreamPosition, StreamState, WriteResult};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::double::Double;
use crate::server_rules::asking::{
    STREAM, append, client_of, new_ids, next_event, read, subscribe, three_events, until_caught_up,
};
use crate::support::until;

/// An append of these events, once the node has written them.
async fn written(
    double: &Double,
    client: &Client,
    ids: [Uuid; 1],
) -> JoinHandle<Result<WriteResult, Error>> {
    let client = client.clone();
    let call = tokio::spawn(async move { append(&client, StreamState::NoStream, &ids).await });
    until(|| async { double.stored(STREAM).len() == 1 }).await;
    call
}

fn is_commit_timeout(error: &Error) -> bool {
    const ABORTED: i32 = 10;
    matches!(error, Error::Grpc { code, message }
        if i32::from(*code) == ABORTED && message == "Operation timed out: Commit phase timeout.")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repetition_of_uncommitted_events_is_dropped_and_aborted() {
    let double = Double::start().await;
    double.commit_timeout(Duration::from_millis(20));
    double.hold_commits();
    let client = client_of(&double);
    let ids = new_ids::<1>();
    let first = written(&double, &client, ids).await;

    let error = append(&client, StreamState::NoStream, &ids).await;
    let error = error.expect_err("the first is not committed");
    assert!(is_commit_timeout(&error), "{error:?}");
    assert_eq!(double.calls().dropped, 1);
    assert!(!first.is_finished());

    double.release_commits();
    let first = first.await.expect("no panic").expect("it is committed");
    let again = append(&client, StreamState::NoStream, &ids).await;
    let again = again.expect("a repetition of what is committed");
    assert_eq!(again.position, first.position);
    assert_eq!(double.stored(STREAM).len(), 1);
    assert_eq!(double.calls().features, 1, "the connection is fine");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_repetition_waits_for_its_time_out_even_if_the_first_append_commits() {
    let double = Double::start().await;
    double.commit_timeout(Duration::from_millis(200));
    double.hold_commits();
    let client = client_of(&double);
    let ids = new_ids::<1>();
    let first = written(&double, &client, ids).await;
    let repetition = {
        let client = client.clone();
        tokio::spawn(async move { append(&client, StreamState::NoStream, &ids).await })
    };
    until(|| async { double.calls().dropped == 1 }).await;
    double.release_commits();
    first.await.expect("no panic").expect("it is committed");
    let error = repetition.await.expect("no panic").expect_err("dropped");
    assert!(is_commit_timeout(&error), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_conflicts_before_it_can_be_read() {
    let double = Double::start().await;
    double.hold_commits();
    let client = client_of(&double);
    let winner = written(&double, &client, new_ids()).await;

    let error = append(&client, StreamState::NoStream, &new_ids::<1>()).await;
    let current = match error {
        Err(Error::WrongExpectedVersion { current, .. }) => current,
        other => panic!("{other:?}"),
    };
    assert_eq!(current, CurrentRevision::Current(0));
    assert!(matches!(read(&client).await, Err(Error::ResourceNotFound)));
    assert!(!winner.is_finished());

    double.release_commits();
    winner.await.expect("no panic").expect("it is committed");
    assert_eq!(read(&client).await.expect("it is there").revisions, [0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledged_event_can_be_read_only_once_it_is_visible() {
    let double = Double::start().await;
    let client = client_of(&double);
    three_events(&client).await;
    let mut subscription = subscribe(&client, StreamPosition::Start).await;
    until_caught_up(&mut subscription).await;

    double.hold_visibility();
    let ids = new_ids::<1>();
    let state = StreamState::StreamRevision(2);
    append(&client, state, &ids).await.expect("it is answered");
    assert_eq!(read(&client).await.expect("three").last, Some(2));

    double.release_visibility();
    assert_eq!(read(&client).await.expect("four").last, Some(3));
    let event = next_event(&mut subscription).await;
    assert_eq!(event.get_original_event().id, ids[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delay_of_commits_and_visibility_ends_by_itself() {
    let double = Double::start().await;
    double.commit_after(Duration::from_millis(5));
    double.visible_after(Duration::from_millis(5));
    let client = client_of(&double);
    three_events(&client).await;
    until(|| async { read(&client).await.is_ok_and(|read| read.last == Some(2)) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn written_events_are_committed_when_the_node_restarts() {
    let mut double = Double::start().await;
    double.hold_commits();
    let client = client_of(&double);
    let call = written(&double, &client, new_ids()).await;
    double.restart().await;
    call.await
        .expect("no panic")
        .expect_err("its connection ended");
    // The old client may have tried the closed port, after which it never works again.
    let client = client_of(&double);
    assert_eq!(read(&client).await.expect("it is there").revisions, [0]);
}
