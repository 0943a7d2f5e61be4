//! `connect-four rebuild` while no service is running: what it builds, refuses and prints.

use std::sync::Arc;

use connect_four::application::GameId;
use connect_four::event_store::{EventStore, SqliteStore};
use futures_util::future::join_all;

use crate::program::{run, run_limited};
use crate::support::{Files, Following, append, rows, start_games, started};

#[tokio::test]
async fn it_rebuilds_the_default_file_next_to_the_events_and_prints_the_rate() {
    let files = Files::new();
    let path = files.path("events.db");
    let url = format!("sqlite://{}", path.display());
    let model = files.model();
    let open = async || Arc::new(SqliteStore::open(&path).await.expect("it opens"));
    let store: Arc<dyn EventStore> = open().await;
    let games = start_games(&store, 30).await;
    let following = Following::in_file(&model, &store).await;
    following.catches_up().await;
    following.stop().await;
    let grown = rows(&model);
    // A value that no event explains: only a rebuild corrects it.
    let connection = rusqlite::Connection::open(&model).expect("a database");
    connection
        .execute_batch("UPDATE players SET won = 7")
        .expect("a table");
    drop((connection, store));

    let (code, said) = run(&["rebuild", "--event-store", &url]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("Rebuilt from 30 events"), "{said}");
    assert!(said.contains("a second"), "{said}");
    assert!(
        !said.contains('\u{1b}'),
        "no terminal, no escapes: {said:?}"
    );
    assert_eq!(rows(&model), grown);

    let store: Arc<dyn EventStore> = open().await;
    append(&store, games[0], &[started("ada", "grace")]).await;
    drop(store);
    let (code, said) = run(&["rebuild", "--event-store", &url]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("not valid games, left out of lists: 1"),
        "{said}"
    );
}

#[tokio::test]
async fn a_rebuilt_file_knows_the_games_that_were_forgotten() {
    let files = Files::new();
    let store = files.events().await;
    let games = start_games(&store, 3).await;
    let deleted = store.delete_stream(&games[1].stream()).await;
    deleted.expect("the store deletes it");
    drop(store);
    let (code, said) = run(&["rebuild", "--event-store", &files.url()]).await;
    assert_eq!(code, Some(0), "{said}");
    let store = files.events().await;
    assert_eq!(rows(&files.model()), files.rebuilt_rows(&store).await);
}

#[tokio::test]
async fn with_a_read_model_in_memory_there_is_nothing_to_rebuild() {
    for arguments in [
        &["rebuild", "--event-store", "memory:"][..],
        &["rebuild", "--read-model", "memory:"],
        &[
            "rebuild",
            "--event-store",
            "kurrentdb://localhost:1?tls=false",
        ],
    ] {
        let (code, said) = run(arguments).await;
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("nothing to rebuild"), "{said}");
        assert!(said.contains("--read-model"), "{said}");
    }
}

#[tokio::test]
async fn a_file_that_is_not_a_read_model_is_left_alone() {
    let files = Files::new();
    drop(files.events().await);
    std::fs::copy(files.path("events.db"), files.model()).expect("a copy");
    let before = std::fs::read(files.model()).expect("a file");
    let (code, said) = run(&["rebuild", "--event-store", &files.url()]).await;
    assert_eq!(code, Some(1));
    assert!(said.contains("was left alone"), "{said}");
    assert_eq!(std::fs::read(files.model()).expect("a file"), before);
}

#[tokio::test]
async fn a_store_that_does_not_exist_is_an_error_and_is_not_created() {
    let files = Files::new();
    let (code, said) = run(&["rebuild", "--event-store", &files.url()]).await;
    assert_eq!(code, Some(1));
    assert!(said.contains("does not exist"), "{said}");
    assert!(!files.path("events.db").exists());
}

/// The shell's limit on the size of files simulates a full disk, and needs no privileges.
#[tokio::test]
async fn a_read_model_that_cannot_be_written_is_an_error_and_not_an_endless_wait() {
    let files = Files::new();
    let url = format!("sqlite://{}", files.path("events.db").display());
    let store = SqliteStore::open(files.path("events.db")).await;
    let store: Arc<dyn EventStore> = Arc::new(store.expect("it opens"));
    let games = (0..5_000).map(|_| {
        let store = store.clone();
        async move { append(&store, GameId::generate(), &[started("ada", "grace")]).await }
    });
    join_all(games).await;
    drop(store);
    let (code, said) = run_limited(400, &["rebuild", "--event-store", &url]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("the read model was not rebuilt"), "{said}");
    assert!(!said.contains("Rebuilt from"), "{said}");
    // The disk has its place again.
    let building = format!("{}.building", files.model().display());
    assert!(!std::path::Path::new(&building).exists());

    let (code, said) = run(&["rebuild", "--event-store", &url]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("Rebuilt from 5000 events"), "{said}");
    let left = std::fs::read_dir(files.0.path()).expect("a folder");
    let left = left.map(|file| file.expect("a file").file_name());
    let left: Vec<_> = left
        .filter(|name| !name.to_string_lossy().starts_with("events.db"))
        .collect();
    assert_eq!(left, [files.model().file_name().expect("a name")]);
}

#[tokio::test]
async fn a_location_that_means_something_else_to_sqlite_is_refused() {
    for (location, instead) in [
        (":memory:", "use memory:"),
        ("games.db?mode=rwc", "parameters"),
        ("sqlite://games.db", "without sqlite://"),
    ] {
        let (code, said) = run(&["rebuild", "--read-model", location]).await;
        assert_ne!(code, Some(0), "{said}");
        assert!(said.contains(instead), "{said}");
    }
}
