//! A database file that is deleted or replaced while a store uses it.

use std::fs;

use connect_four::event_store::{
    EventStore, EventStoreError, ExpectedRevision, SqliteOpenError, SqliteStore,
};

use super::TempFile;
use crate::support::{begin, new_events, new_stream, soon};

/// Appends to new streams until an append is refused, which has to happen within about a second.
async fn append_until_refused(store: &SqliteStore) -> EventStoreError {
    soon(async {
        loop {
            let stream = new_stream();
            let appended = store.append(&stream, ExpectedRevision::NoStream, new_events(1));
            if let Err(error) = appended.await {
                return error;
            }
        }
    })
    .await
}

fn is_about_the_file(error: &EventStoreError) -> bool {
    matches!(error, EventStoreError::Unavailable { reason } if reason.contains("replaced"))
}

#[tokio::test]
async fn appends_to_a_deleted_file_are_refused_and_the_store_is_not_ready() {
    let file = TempFile::new();
    let store = file.open().await;
    begin(&store, &new_stream(), new_events(1)).await;
    fs::remove_file(file.path()).expect("it is ours");
    let check = store.check().await.expect_err("the file is gone");
    assert!(is_about_the_file(&check), "{check}");
    let refused = append_until_refused(&store).await;
    assert!(is_about_the_file(&refused), "{refused}");
}

#[tokio::test]
async fn appends_to_a_replaced_file_are_refused_until_it_is_back() {
    let file = TempFile::new();
    let store = file.open().await;
    let elsewhere = file.directory().join("elsewhere.db");
    fs::rename(file.path(), &elsewhere).expect("it is ours");
    fs::write(file.path(), "").expect("a file in its place");
    assert!(store.check().await.is_err());
    let refused = append_until_refused(&store).await;
    assert!(is_about_the_file(&refused), "{refused}");

    fs::rename(&elsewhere, file.path()).expect("put back");
    assert_eq!(store.check().await, Ok(()));
    begin(&store, &new_stream(), new_events(1)).await;
}

#[tokio::test]
async fn a_hard_link_to_a_file_in_use_is_refused() {
    let file = TempFile::new();
    let _store = file.open().await;
    let link = file.directory().join("link.db");
    fs::hard_link(file.path(), &link).expect("a link");
    let refused = SqliteStore::open(&link).await;
    assert!(matches!(refused, Err(SqliteOpenError::InUse { .. })));
}
