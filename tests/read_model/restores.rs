//! A store that is restored from a backup is recognised. A store that was not restored is never
//! mistaken for one that was, even if its last event was deleted.

use std::sync::Arc;
use std::time::Duration;

use connect_four::application::GameId;
use connect_four::event_store::{EventStore, GlobalPosition, StreamName};
use connect_four::read_model::{ReadModel, ReadModelLocation};

use crate::erasable::Erasable;
use crate::logs::Logs;
use crate::support::{Files, Following, append, moved, rows, start_games, started, until};

fn erasable() -> (Erasable, Arc<dyn EventStore>) {
    let store = Erasable::default();
    (store.clone(), Arc::new(store))
}

async fn head(store: &Arc<dyn EventStore>) -> GlobalPosition {
    store.head().await.expect("an answer").expect("an event")
}

/// Follows into a file, and checks very often that the store is the same.
async fn following_closely(files: &Files, store: &Arc<dyn EventStore>) -> Following {
    let location = ReadModelLocation::File(files.path("model.db"));
    let model = ReadModel::open(&location).await.expect("it opens");
    Following::by(model.checking_store_every(Duration::from_millis(5)), store)
}

#[tokio::test]
async fn after_a_restore_that_breaks_connections_the_read_model_shows_the_restored_store() {
    let (database, store) = erasable();
    let files = Files::new();
    let path = files.path("model.db");
    start_games(&store, 3).await;
    let backup = database.backup();
    let following = Following::in_file(&path, &store).await;
    start_games(&store, 4).await;
    following.sees(head(&store).await).await;
    assert_eq!(following.numbers().await.len(), 7);

    database.go_away();
    database.restore(backup);
    database.come_back();
    until(|| following.told.restored() == 1).await;
    following.catches_up().await;
    assert_eq!(following.numbers().await, [3, 2, 1]);
    let new = append(&store, GameId::generate(), &[started("ada", "grace")]).await;
    following.sees(new).await;
    assert_eq!(following.numbers().await, [4, 3, 2, 1]);
    assert_eq!(following.told.restored(), 1);
    following.stop().await;
    assert_eq!(rows(&path), files.rebuilt_rows(&store).await);
}

#[tokio::test]
async fn a_restored_store_is_recognised_even_if_it_has_more_events_than_before() {
    let (database, store) = erasable();
    start_games(&store, 3).await;
    let beginning = database.backup();
    start_games(&store, 6).await;
    let other_end = database.backup();
    database.restore(beginning);
    start_games(&store, 4).await;
    let following = Following::in_memory(&store).await;
    following.sees(head(&store).await).await;
    database.go_away();
    database.restore(other_end);
    database.come_back();
    until(|| following.told.restored() == 1).await;
    following.catches_up().await;
    let games = [9, 8, 7, 6, 5, 4, 3, 2, 1];
    assert_eq!(following.numbers().await, games);
}

#[tokio::test]
async fn a_restore_that_breaks_no_connection_is_noticed_by_the_periodic_check() {
    for then_started in 0..3 {
        let (database, store) = erasable();
        let files = Files::new();
        let logs = Logs::of_this_thread();
        start_games(&store, 3).await;
        let backup = database.backup();
        start_games(&store, 2).await;
        let following = following_closely(&files, &store).await;
        following.catches_up().await;
        // Fewer events than before, and as many. Not more: no database is restored and grows
        // past its old end without the loss of a connection.
        database.restore(backup);
        start_games(&store, then_started).await;
        until(|| following.told.restored() == 1).await;
        following.catches_up().await;
        following.sees(head(&store).await).await;
        assert_eq!(following.numbers().await.len(), 3 + then_started);
        assert_eq!(logs.with("the read model is rebuilt").len(), 1);
        following.stop().await;
        let path = files.path("model.db");
        assert_eq!(rows(&path), files.rebuilt_rows(&store).await);
    }
}

#[tokio::test]
async fn it_has_not_caught_up_until_the_rebuild_is_complete() {
    let (database, store) = erasable();
    let files = Files::new();
    start_games(&store, 3).await;
    let backup = database.backup();
    start_games(&store, 1).await;
    let following = following_closely(&files, &store).await;
    following.catches_up().await;
    database.be_silent(true);
    database.restore(backup);
    until(|| following.told.restored() == 1).await;
    assert!(!following.model.has_caught_up());
    assert!(!following.model.status().has_caught_up);
    assert!(!following.model.status().lag.is_zero());
    database.be_silent(false);
    following.catches_up().await;
    assert_eq!(following.numbers().await, [3, 2, 1]);
}

#[tokio::test]
async fn a_store_that_was_only_unavailable_counts_as_the_same() {
    let (database, store) = erasable();
    let files = Files::new();
    let games = start_games(&store, 3).await;
    let following = following_closely(&files, &store).await;
    following.catches_up().await;
    for _ in 0..3 {
        database.go_away();
        until(|| !following.model.status().has_caught_up).await;
        database.come_back();
        let last = append(&store, games[0], &[moved("ada", "D")]).await;
        following.sees(last).await;
        until(|| following.model.status().has_caught_up).await;
    }
    assert_eq!(following.told.restored(), 0);
    assert_eq!(following.model.status().events_applied, 6);
}

/// What can happen to a stream, with or without a scavenge afterwards.
const ENDS: [fn(&Erasable, &StreamName); 4] = [
    |database, stream| database.delete(stream),
    |database, stream| database.truncate_before(stream, 1),
    |database, stream| database.truncate_before(stream, 10),
    |database, stream| database.tombstone(stream),
];

#[tokio::test]
async fn a_store_whose_last_event_was_deleted_counts_as_the_same() {
    for is_scavenged in [false, true] {
        for end in ENDS {
            let (database, store) = erasable();
            let files = Files::new();
            let path = files.path("model.db");
            let games = start_games(&store, 3).await;
            let following = Following::in_file(&path, &store).await;
            following.catches_up().await;
            following.stop().await;
            end(&database, &games[2].stream());
            if is_scavenged {
                database.scavenge();
            }
            for _ in 0..2 {
                let following = Following::in_file(&path, &store).await;
                following.catches_up().await;
                assert_eq!(following.numbers().await, [2, 1]);
                assert_eq!(following.told.restored(), 0);
                assert_eq!(following.model.status().events_applied, 0);
                following.stop().await;
            }
            let following = Following::in_file(&path, &store).await;
            let last = append(&store, games[0], &[moved("ada", "D")]).await;
            following.sees(last).await;
            assert_eq!(following.model.status().events_applied, 1);
        }
    }
}
