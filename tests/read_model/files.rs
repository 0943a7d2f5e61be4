//! Which files are used, which are rebuilt, and which are refused and left alone.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use connect_four::event_store::{EventStore, MemoryStore, SqliteStore};
use connect_four::read_model::{OpenReadModelError, ReadModel, ReadModelLocation};

use crate::support::{Files, Following, append, finished, rows, start_games};

async fn refusal(path: &Path) -> OpenReadModelError {
    let location = ReadModelLocation::File(path.to_owned());
    let opened = ReadModel::open(&location).await;
    opened.expect_err("the file must not be opened")
}

#[tokio::test]
async fn a_file_that_is_not_a_read_model_is_refused_and_left_alone() {
    let files = Files::new();
    let letter = files.path("letter.txt");
    fs::write(&letter, "dear ada, it is your turn").expect("a file");
    let store = SqliteStore::open(files.path("events.db"))
        .await
        .expect("it opens");
    let store: Arc<dyn EventStore> = Arc::new(store);
    start_games(&store, 3).await;
    drop(store);
    for path in [letter, files.path("events.db")] {
        let before = fs::read(&path).expect("still there");
        let error = refusal(&path).await;
        assert!(
            matches!(error, OpenReadModelError::Foreign { .. }),
            "{error}"
        );
        assert!(error.to_string().contains("left alone"), "{error}");
        assert_eq!(fs::read(&path).expect("still there"), before);
    }
}

#[tokio::test]
async fn a_path_where_no_file_can_be_created_is_an_io_error() {
    let files = Files::new();
    for path in [files.path("nowhere/model.db"), files.0.path().to_owned()] {
        let error = refusal(&path).await;
        assert!(matches!(error, OpenReadModelError::Io { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_file_that_is_in_use_is_refused() {
    let files = Files::new();
    let store: Arc<dyn EventStore> = Arc::new(MemoryStore::new());
    let path = files.path("model.db");
    let first = Following::in_file(&path, &store).await;
    let error = refusal(&path).await;
    assert!(matches!(error, OpenReadModelError::InUse { .. }), "{error}");
    first.catches_up().await;
    first.stop().await;
    Following::in_file(&path, &store).await;
}

#[tokio::test]
async fn a_file_of_another_version_is_rebuilt() {
    for version in [0, 1, 99] {
        let files = Files::new();
        let store: Arc<dyn EventStore> = Arc::new(MemoryStore::new());
        start_games(&store, 3).await;
        let path = files.path("model.db");
        let model = Following::in_file(&path, &store).await;
        model.catches_up().await;
        model.stop().await;
        let connection = rusqlite::Connection::open(&path).expect("a database");
        connection
            .execute_batch("DROP TABLE games; CREATE TABLE games (unlike TEXT, before TEXT);")
            .expect("another schema");
        connection
            .pragma_update(None, "user_version", version)
            .expect("another version");
        drop(connection);

        let model = Following::in_file(&path, &store).await;
        model.catches_up().await;
        assert_eq!(model.numbers().await, [3, 2, 1]);
    }
}

#[tokio::test]
async fn a_damaged_file_is_rebuilt() {
    let files = Files::new();
    let store: Arc<dyn EventStore> = Arc::new(MemoryStore::new());
    start_games(&store, 3).await;
    let path = files.path("model.db");
    let model = Following::in_file(&path, &store).await;
    model.catches_up().await;
    model.stop().await;
    let mut bytes = fs::read(&path).expect("a file");
    bytes[100..4096].fill(0xff);
    fs::write(&path, bytes).expect("a file");
    let model = Following::in_file(&path, &store).await;
    model.catches_up().await;
    assert_eq!(model.numbers().await, [3, 2, 1]);
}

#[tokio::test]
async fn a_file_with_the_events_of_another_store_is_rebuilt() {
    let files = Files::new();
    let path = files.path("model.db");
    let one: Arc<dyn EventStore> = Arc::new(MemoryStore::new());
    let other: Arc<dyn EventStore> = Arc::new(MemoryStore::new());
    let shorter: Arc<dyn EventStore> = Arc::new(MemoryStore::new());
    start_games(&one, 5).await;
    start_games(&other, 9).await;
    start_games(&shorter, 2).await;
    for store in [one, other, shorter, Arc::new(MemoryStore::new())] {
        let model = Following::in_file(&path, &store).await;
        model.catches_up().await;
        model.stop().await;
        assert_eq!(rows(&path), files.rebuilt_rows(&store).await);
    }
}

#[tokio::test]
async fn a_file_is_rebuilt_after_the_store_was_restored_from_a_backup() {
    for then_started in 0..3 {
        is_rebuilt_after_a_backup(then_started).await;
    }
}

async fn is_rebuilt_after_a_backup(then_started: usize) {
    let files = Files::new();
    let (path, events) = (files.path("model.db"), files.path("events.db"));
    let open = async || {
        let store = SqliteStore::open(&events).await.expect("it opens");
        Arc::new(store) as Arc<dyn EventStore>
    };
    let store = open().await;
    let games = start_games(&store, 2).await;
    drop(store);
    let backup = fs::read(&events).expect("a file");
    let store = open().await;
    append(&store, games[0], &[finished("TIED")]).await;
    let model = Following::in_file(&path, &store).await;
    model.catches_up().await;
    model.stop().await;
    drop(store);
    fs::write(&events, backup).expect("a file");

    let store = open().await;
    // As many events as before the restore, and more.
    start_games(&store, then_started).await;
    let model = Following::in_file(&path, &store).await;
    model.catches_up().await;
    model.stop().await;
    assert_eq!(rows(&path), files.rebuilt_rows(&store).await);
}
