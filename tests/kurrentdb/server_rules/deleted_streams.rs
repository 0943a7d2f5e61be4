//! Streams of three events that were soft-deleted or tombstoned.

use kurrentdb::{
    DeleteStreamOptions, Error, Position, ReadStreamOptions, StreamPosition, StreamState,
    TombstoneStreamOptions,
};

use crate::double::Double;
use crate::server_rules::asking::{
    Read, STREAM, append, client_of, described, metadata, new_ids, next_event, read, read_all,
    subscribe, three_events, until_caught_up,
};

const FOR_EVER: &str = r#"{"$tb":9223372036854775807}"#;

fn from(revisions: impl IntoIterator<Item = u64>) -> Read {
    let revisions: Vec<u64> = revisions.into_iter().collect();
    Read {
        last: revisions.last().copied(),
        revisions,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_soft_deleted_stream_is_not_found_and_its_metadata_shows_the_deletion() {
    let double = Double::start().await;
    let client = client_of(&double);
    three_events(&client).await;
    let options = DeleteStreamOptions::default().stream_state(StreamState::StreamRevision(2));
    client
        .delete_stream(STREAM, &options)
        .await
        .expect("it is at 2");
    assert!(matches!(read(&client).await, Err(Error::ResourceNotFound)));
    let backwards = ReadStreamOptions::default().position(StreamPosition::End);
    let mut answer = client
        .read_stream(STREAM, &backwards)
        .await
        .expect("it answers");
    assert!(matches!(answer.next().await, Err(Error::ResourceNotFound)));
    assert_eq!(metadata(&client).await, FOR_EVER);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_soft_deleted_stream_can_be_written_to_and_begins_with_the_new_events() {
    for expected in [
        StreamState::NoStream,
        StreamState::StreamRevision(2),
        StreamState::Any,
    ] {
        let double = Double::start().await;
        let client = client_of(&double);
        three_events(&client).await;
        double.delete(STREAM);
        let written = append(&client, expected, &new_ids::<1>()).await;
        assert_eq!(written.expect("it succeeds").next_expected_version, 3);
        assert_eq!(read(&client).await.expect("it is back"), from([3]));
        assert_eq!(metadata(&client).await, r#"{"$tb":3}"#);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_with_the_ids_of_soft_deleted_events_is_treated_as_a_repetition() {
    let mut double = Double::start().await;
    let (ids, _) = three_events(&client_of(&double)).await;
    double.delete(STREAM);
    for _ in 0..2 {
        let client = client_of(&double);
        let again = append(&client, StreamState::NoStream, &ids).await;
        let again = again.expect("it succeeds");
        assert_eq!(again.position, Position::start());
        assert_eq!(again.next_expected_version, 2);
        assert_eq!(double.stored(STREAM).len(), 3);
        assert!(matches!(read(&client).await, Err(Error::ResourceNotFound)));
        // A restarted node has no ids in memory and finds them in its files.
        double.restart().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_appends_to_a_soft_deleted_stream_conflict() {
    let double = Double::start().await;
    let client = client_of(&double);
    three_events(&client).await;
    double.delete(STREAM);
    for expected in [
        StreamState::StreamRevision(0),
        StreamState::StreamRevision(3),
    ] {
        let error = append(&client, expected, &new_ids::<1>()).await;
        assert!(matches!(error, Err(Error::WrongExpectedVersion { .. })));
    }
    let error = append(&client, StreamState::StreamExists, &new_ids::<1>()).await;
    assert!(matches!(error, Err(Error::WrongExpectedVersion { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_that_is_set_later_does_not_restore_deleted_events() {
    let double = Double::start().await;
    let client = client_of(&double);
    three_events(&client).await;
    double.delete(STREAM);
    double.set_metadata(STREAM, r#"{"owner":"ada"}"#);
    let read = read(&client).await.expect("it exists");
    assert_eq!((read.revisions.len(), read.last), (0, Some(2)));
    assert_eq!(metadata(&client).await, r#"{"owner":"ada","$tb":3}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_for_a_tombstoned_stream_answers_that_it_is_deleted() {
    let double = Double::start().await;
    let client = client_of(&double);
    let (ids, _) = three_events(&client).await;
    let options = TombstoneStreamOptions::default();
    client
        .tombstone_stream(STREAM, &options)
        .await
        .expect("it is there");
    assert!(matches!(read(&client).await, Err(Error::ResourceDeleted)));
    for (expected, ids) in [
        (StreamState::NoStream, new_ids()),
        (StreamState::NoStream, ids),
        (StreamState::StreamRevision(2), new_ids()),
    ] {
        let error = append(&client, expected, &ids).await;
        assert!(matches!(error, Err(Error::ResourceDeleted)), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_to_metadata_streams_receive_each_deletion() {
    let double = Double::start().await;
    let client = client_of(&double);
    three_events(&client).await;
    let mut subscription = subscribe(&client, StreamPosition::Start).await;
    assert_eq!(until_caught_up(&mut subscription).await.len(), 3);

    double.delete(STREAM);
    double.set_metadata("game-2", r#"{"$maxCount":1}"#);
    double.tombstone(STREAM);
    let mut events = Vec::new();
    for _ in 0..3 {
        events.push(next_event(&mut subscription).await);
    }
    assert_eq!(
        described(&events),
        [
            ("$$game-1", 0, "$metadata"),
            ("$$game-2", 0, "$metadata"),
            ("game-1", 9_223_372_036_854_775_807, "$streamDeleted"),
        ]
    );
    assert_eq!(events[0].get_original_event().data, FOR_EVER);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_delivers_deleted_events_until_they_are_scavenged() {
    let double = Double::start().await;
    let client = client_of(&double);
    let (ids, _) = three_events(&client).await;
    let first = read_all(&client, StreamPosition::Start, 1)
        .await
        .expect("it answers");
    let position = first[0].get_original_event().position;
    double.delete(STREAM);
    let all = read_all(&client, StreamPosition::Start, 9)
        .await
        .expect("it answers");
    assert_eq!(all.len(), 4);

    double.scavenge();
    let all = read_all(&client, StreamPosition::Start, 9)
        .await
        .expect("it answers");
    // The last event stays, because it holds the stream's revision.
    assert_eq!(
        described(&all),
        [("game-1", 2, "Happened"), ("$$game-1", 0, "$metadata")]
    );
    let resumed = read_all(&client, StreamPosition::Position(position), 9).await;
    assert_eq!(resumed.expect("the position is still good").len(), 2);
    let mut subscription = subscribe(&client, StreamPosition::Position(position)).await;
    assert_eq!(until_caught_up(&mut subscription).await.len(), 2);
    let again = append(&client, StreamState::NoStream, &ids).await;
    assert_eq!(
        again.expect("the ids are remembered").position,
        Position::start()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scavenge_leaves_the_tombstone() {
    let double = Double::start().await;
    let client = client_of(&double);
    three_events(&client).await;
    double.tombstone(STREAM);
    double.scavenge();
    let all = read_all(&client, StreamPosition::Start, 9)
        .await
        .expect("it answers");
    assert_eq!(
        described(&all),
        [("game-1", i64::MAX as u64, "$streamDeleted")]
    );
    assert!(matches!(read(&client).await, Err(Error::ResourceDeleted)));
}
