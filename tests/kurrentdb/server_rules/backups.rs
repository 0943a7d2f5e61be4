//! A database that is replaced with a backup.

use kurrentdb::{Error, StreamPosition, StreamState};

use crate::double::Double;
use crate::server_rules::asking::{
    append, client_of, new_ids, next, read, subscribe, three_events, until_caught_up,
};
use crate::support::until;

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_brings_back_the_earlier_content_and_closes_the_connections() {
    let double = Double::start().await;
    let client = client_of(&double);
    three_events(&client).await;
    let backup = double.snapshot();
    let state = StreamState::StreamRevision(2);
    let lost = append(&client, state, &new_ids::<1>()).await;
    let lost = lost.expect("it is at 2").position;
    let mut subscription = subscribe(&client, StreamPosition::Start).await;
    assert_eq!(until_caught_up(&mut subscription).await.len(), 4);

    double.restore(&backup);
    assert!(next(&mut subscription).await.is_err());
    until(|| async { read(&client).await.is_ok() }).await;
    assert_eq!(read(&client).await.expect("as it was").last, Some(2));
    // New events get positions that other events had before.
    let other = append(&client, state, &new_ids::<1>()).await;
    assert_eq!(other.expect("it is at 2 again").position, lost);
    let mut subscription = subscribe(&client, StreamPosition::Start).await;
    assert_eq!(until_caught_up(&mut subscription).await.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn restoring_the_backup_of_an_empty_database_empties_it() {
    let double = Double::start().await;
    let empty = double.snapshot();
    let client = client_of(&double);
    three_events(&client).await;
    double.restore(&empty);
    until(|| async { matches!(read(&client).await, Err(Error::ResourceNotFound)) }).await;
    let written = append(&client, StreamState::NoStream, &new_ids::<1>()).await;
    assert_eq!(written.expect("a new stream").next_expected_version, 0);
}
