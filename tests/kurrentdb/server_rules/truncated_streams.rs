//! Streams of three events whose metadata removes the first events, or all of them.

use std::time::Duration;

use kurrentdb::{
    AppendToStreamOptions, Client, CurrentRevision, Error, Position, StreamMetadataBuilder,
    StreamPosition, StreamState,
};

use crate::double::Double;
use crate::server_rules::asking::{
    STREAM, append, client_of, new_ids, read, read_all, three_events,
};

/// Asserts that an append at `NoStream` conflicts with revision 2, even if that event cannot be
/// read.
async fn is_at_revision_2(client: &Client) {
    match append(client, StreamState::NoStream, &new_ids::<1>()).await {
        Err(Error::WrongExpectedVersion { current, .. }) => {
            assert_eq!(current, CurrentRevision::Current(2));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_truncated_stream_begins_above_revision_0() {
    for metadata in [r#"{"$tb":2}"#, r#"{"$maxCount":1}"#] {
        let double = Double::start().await;
        let client = client_of(&double);
        let (ids, position) = three_events(&client).await;
        double.set_metadata(STREAM, metadata);

        assert_eq!(read(&client).await.expect("its end").revisions, [2]);
        is_at_revision_2(&client).await;
        let again = append(&client, StreamState::NoStream, &ids).await;
        assert_eq!(again.expect("a repetition").position, position);
        let state = StreamState::StreamRevision(2);
        let next = append(&client, state, &new_ids::<1>()).await;
        assert_eq!(next.expect("it goes on").next_expected_version, 3);
        assert_eq!(read(&client).await.expect("its end").last, Some(3));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_without_remaining_events_is_read_as_empty() {
    let double = Double::start().await;
    let client = client_of(&double);
    let (ids, _) = three_events(&client).await;
    double.set_metadata(STREAM, r#"{"$tb":10}"#);

    let answer = read(&client).await.expect("no error");
    assert_eq!((answer.revisions.len(), answer.last), (0, Some(2)));
    is_at_revision_2(&client).await;
    let again = append(&client, StreamState::NoStream, &ids).await;
    assert_eq!(again.expect("it succeeds").position, Position::start());
    assert_eq!(double.stored(STREAM).len(), 3);

    let state = StreamState::StreamRevision(2);
    let next = append(&client, state, &new_ids::<1>()).await;
    assert_eq!(next.expect("it succeeds").next_expected_version, 3);
    let answer = read(&client).await.expect("no error");
    assert_eq!((answer.revisions.len(), answer.last), (0, Some(3)));
}

#[tokio::test(flavor = "multi_thread")]
async fn events_older_than_the_maximum_age_cannot_be_read() {
    let double = Double::start().await;
    let client = client_of(&double);
    three_events(&client).await;
    double.set_metadata(STREAM, r#"{"$maxAge":3600}"#);
    assert_eq!(read(&client).await.expect("all").revisions, [0, 1, 2]);

    double.pass_time(Duration::from_secs(3601));
    let state = StreamState::StreamRevision(2);
    append(&client, state, &new_ids::<1>())
        .await
        .expect("it is at 2");
    assert_eq!(read(&client).await.expect("the new one").revisions, [3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_can_truncate_a_stream() {
    let double = Double::start().await;
    let client = client_of(&double);
    three_events(&client).await;
    let metadata = StreamMetadataBuilder::default().truncate_before(1).build();
    let options = AppendToStreamOptions::default();
    let set = client
        .set_stream_metadata(STREAM, &options, &metadata)
        .await;
    set.expect("it is stored");
    assert_eq!(read(&client).await.expect("its end").revisions, [1, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_delivers_truncated_events_until_they_are_scavenged() {
    let double = Double::start().await;
    let client = client_of(&double);
    three_events(&client).await;
    double.set_metadata(STREAM, r#"{"$tb":2}"#);
    let all = || read_all(&client, StreamPosition::Start, 9);
    assert_eq!(all().await.expect("it answers").len(), 4);
    double.scavenge();
    assert_eq!(all().await.expect("it answers").len(), 2);
    assert_eq!(read(&client).await.expect("its end").revisions, [2]);
}
