//! A SQLite file that is opened to be read.

use std::fs;

use connect_four::event_store::SubscriptionMessage::{CaughtUp, Recorded, StreamTruncated};
use connect_four::event_store::{
    AtPosition, EventStoreError, ExpectedRevision, ReadOnlySqliteStore, SqliteOpenError,
    StreamRevision, SubscriptionMessage,
};
use futures_util::StreamExt;

use crate::histories::{all_events, new_event, store_game, store_games};
use crate::program::{Program, verify};
use crate::stores::{Files, at, to_read};

async fn refusal(files: &Files, name: &str) -> SqliteOpenError {
    let opened = ReadOnlySqliteStore::open(files.path(name)).await;
    opened.expect_err("it cannot be read")
}

#[tokio::test]
async fn a_file_in_use_is_read_while_its_owner_writes_and_is_not_changed_by_the_reader() {
    let files = Files::new();
    let owner = at(&files.url("events.db")).await;
    store_games(&*owner, 10).await;
    let bytes = || {
        let file = fs::read(files.path("events.db")).expect("a file");
        let log = fs::read(files.path("events.db-wal")).expect("a file");
        (file, log)
    };
    let before = bytes();
    let reader = to_read(&files.url("events.db")).await;
    assert_eq!(all_events(&*reader).await, all_events(&*owner).await);
    assert!(bytes() == before, "the reader wrote to the file");
    for _ in 0..3 {
        let stream = store_game(&*owner, 2).await;
        assert_eq!(reader.head().await, owner.head().await);
        let (read, owned) = (all_events(&*reader).await, all_events(&*owner).await);
        assert_eq!(read, owned);
        assert!(read.iter().any(|event| event.stream == stream));
    }
    let position = owner.head().await.expect("it answers").expect("events");
    assert_eq!(
        reader.event_at(position).await,
        owner.event_at(position).await
    );
    let appended = reader
        .append(
            &connect_four::application::GameId::generate().stream(),
            ExpectedRevision::NoStream,
            vec![new_event("MoveMade", "{}".into(), "")],
        )
        .await;
    assert!(matches!(appended, Err(EventStoreError::Refused { .. })));
}

#[tokio::test]
async fn a_subscription_delivers_what_the_owner_of_the_file_appends() {
    let files = Files::new();
    let owner = at(&files.url("events.db")).await;
    store_game(&*owner, 3).await;
    let reader = to_read(&files.url("events.db")).await;
    let mut messages = reader.subscribe_all("game-", None);
    let mut delivered = Vec::new();
    for round in 0..4 {
        while delivered.len() < 3 + round * 2 {
            let message = messages.next().await.expect("it never ends");
            if let SubscriptionMessage::Recorded(event) = message {
                delivered.push(event);
            }
        }
        store_game(&*owner, 2).await;
    }
    assert_eq!(delivered, all_events(&*owner).await[..delivered.len()]);
}

#[tokio::test]
async fn a_deleted_stream_is_read_as_its_owner_reads_it() {
    let files = Files::new();
    let owner = at(&files.url("events.db")).await;
    store_game(&*owner, 1).await;
    let first = owner.head().await.expect("it answers");
    let deleted = store_game(&*owner, 2).await;
    let second = owner.head().await.expect("it answers").expect("events");
    owner.delete_stream(&deleted).await.expect("deleted");
    let tombstone = owner.head().await.expect("it answers").expect("events");

    let reader = to_read(&files.url("events.db")).await;
    let read = reader.read_stream(&deleted, StreamRevision::FIRST).await;
    let expected = EventStoreError::StreamDeleted {
        stream: deleted.clone(),
    };
    assert_eq!(read.expect_err("it was deleted"), expected);
    for position in [second, tombstone] {
        assert_eq!(reader.event_at(position).await, Ok(AtPosition::Removed));
        assert_eq!(owner.event_at(position).await, Ok(AtPosition::Removed));
    }
    for after in [None, first, Some(second)] {
        for mut messages in [
            reader.subscribe_all("game-", after),
            reader.subscribe_to_beginnings("game-", after),
        ] {
            let before = usize::from(after.is_none());
            let told: Vec<_> = messages.by_ref().take(before + 2).collect().await;
            assert!(matches!(&told[before], StreamTruncated(stream) if *stream == deleted));
            assert!(matches!(told[before + 1], CaughtUp));
        }
    }
}

#[tokio::test]
async fn the_streams_are_listed_by_their_first_events_without_reading_the_others() {
    let files = Files::new();
    let owner = at(&files.url("events.db")).await;
    let games = [
        store_game(&*owner, 5).await,
        store_game(&*owner, 1).await,
        store_game(&*owner, 3).await,
    ];
    let reader = to_read(&files.url("events.db")).await;
    let mut messages = reader.subscribe_to_beginnings("game-", None);
    let mut listed = Vec::new();
    while let Some(Recorded(event)) = messages.next().await {
        assert_eq!(event.revision, StreamRevision::FIRST);
        listed.push(event.stream);
    }
    assert_eq!(listed, games);
    // It goes on with those that begin later.
    let next = store_game(&*owner, 2).await;
    let message = messages.next().await.expect("it never ends");
    assert!(matches!(message, Recorded(event) if event.stream == next));
}

#[tokio::test]
async fn a_service_starts_and_stops_on_the_file_while_it_is_read() {
    let files = Files::new();
    drop(at(&files.url("events.db")).await);
    let reader = to_read(&files.url("events.db")).await;
    for _ in 0..3 {
        let owner = at(&files.url("events.db")).await;
        store_game(&*owner, 2).await;
        let owned = all_events(&*owner).await;
        assert_eq!(all_events(&*reader).await, owned);
        drop(owner);
        assert_eq!(all_events(&*reader).await, owned);
    }
}

#[tokio::test]
async fn what_is_not_an_event_store_of_this_version_is_refused_and_nothing_is_created() {
    let files = Files::new();
    let missing = refusal(&files, "missing.db").await;
    assert!(
        matches!(missing, SqliteOpenError::NoFile { .. }),
        "{missing}"
    );
    assert!(!files.path("missing.db").exists());

    fs::write(
        files.path("letter.txt"),
        "dear ada, it is your turn".repeat(9),
    )
    .expect("a file");
    let letter = refusal(&files, "letter.txt").await;
    assert!(
        matches!(letter, SqliteOpenError::NotADatabase { .. }),
        "{letter}"
    );

    let theirs = rusqlite::Connection::open(files.path("theirs.db")).expect("a database");
    theirs
        .execute_batch("CREATE TABLE recipes (name TEXT)")
        .expect("a table");
    let theirs = refusal(&files, "theirs.db").await;
    assert!(
        matches!(theirs, SqliteOpenError::Foreign { .. }),
        "{theirs}"
    );

    for (version, name) in [(0, "older.db"), (99, "newer.db")] {
        drop(at(&files.url(name)).await);
        let file = rusqlite::Connection::open(files.path(name)).expect("a database");
        file.pragma_update(None, "user_version", version)
            .expect("a version");
        drop(file);
        let refused = refusal(&files, name).await;
        let is_right = match version {
            0 => matches!(refused, SqliteOpenError::OlderSchema { found: 0, .. }),
            _ => matches!(refused, SqliteOpenError::NewerSchema { found: 99, .. }),
        };
        assert!(is_right, "{refused}");
    }
}

#[expect(clippy::print_stderr, reason = "a skipped test has to say so")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_online_backup_of_a_file_in_use_is_equal_and_is_served() {
    let files = Files::new();
    let owner = at(&files.url("events.db")).await;
    store_games(&*owner, 20).await;
    let backup = format!(".backup '{}'", files.path("backup.db").display());
    let made = tokio::process::Command::new("sqlite3")
        .arg(files.path("events.db"))
        .arg(backup)
        .status()
        .await;
    let Ok(made) = made else {
        eprintln!("skipped: there is no sqlite3 on this machine");
        return;
    };
    assert!(made.success());
    let (code, said) = verify(&files.url("events.db"), &files.url("backup.db")).await;
    assert_eq!(code, Some(0), "{said}");
    Program::serve(&files.url("backup.db")).await;
    assert_eq!(
        all_events(&*owner).await,
        all_events(&*to_read(&files.url("backup.db")).await).await
    );
}
