//! What operators see of an outage of the store and of unreadable streams: lag and log lines.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use connect_four::application::GameId;
use connect_four::event_store::{EventStore, MemoryStore};
use connect_four::read_model::ReadModel;

use crate::erasable::Erasable;
use crate::logs::Logs;
use crate::support::{Following, append, start_games, started, until};

fn closely() -> ReadModel {
    ReadModel::in_memory().checking_store_every(Duration::from_millis(5))
}

#[tokio::test]
async fn lag_grows_from_the_last_answer_of_the_store_until_it_is_back() {
    let database = Erasable::default();
    let store: Arc<dyn EventStore> = Arc::new(database.clone());
    start_games(&store, 3).await;
    let following = Following::in_memory(&store).await;
    following.catches_up().await;
    until(|| following.model.status().lag.is_zero()).await;

    database.go_away();
    let lag = || following.model.status().lag;
    until(|| !lag().is_zero()).await;
    let before = lag();
    until(|| lag() > before + Duration::from_millis(100)).await;
    assert!(!following.model.status().has_caught_up);
    assert!(following.model.has_caught_up(), "lists still answer");
    assert_eq!(following.numbers().await, [3, 2, 1]);

    database.come_back();
    until(|| lag().is_zero() && following.model.status().has_caught_up).await;
}

#[tokio::test]
async fn lag_grows_while_a_store_with_an_open_connection_does_not_answer() {
    let database = Erasable::default();
    let store: Arc<dyn EventStore> = Arc::new(database.clone());
    start_games(&store, 3).await;
    let following = Following::by(closely(), &store);
    following.catches_up().await;
    database.failing_lookups.store(usize::MAX, Ordering::SeqCst);
    let status = || following.model.status();
    until(|| !status().lag.is_zero() && !status().has_caught_up).await;
    database.failing_lookups.store(0, Ordering::SeqCst);
    until(|| status().lag.is_zero() && status().has_caught_up).await;
    assert_eq!(following.told.restored(), 0);
}

#[tokio::test]
async fn the_observer_is_told_when_events_are_not_heard_as_they_happen() {
    let database = Erasable::default();
    let store: Arc<dyn EventStore> = Arc::new(database.clone());
    start_games(&store, 3).await;
    let following = Following::in_memory(&store).await;
    let told = following.told.clone();
    until(|| told.following() == [true]).await;
    database.go_away();
    until(|| told.following() == [true, false]).await;
    database.come_back();
    until(|| told.following() == [true, false, true]).await;
    following.stop().await;
    assert_eq!(told.following(), [true, false, true, false]);
}

#[tokio::test]
async fn with_a_store_in_memory_there_is_no_lag_when_nothing_happens() {
    let store: Arc<dyn EventStore> = Arc::new(MemoryStore::new());
    let following = Following::by(closely(), &store);
    following.catches_up().await;
    for games in [0, 2] {
        start_games(&store, games).await;
        if let Some(last) = store.head().await.expect("memory answers") {
            following.sees(last).await;
        }
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_millis(2)).await;
            let status = following.model.status();
            assert!(status.lag.is_zero() && status.has_caught_up, "{status:?}");
        }
    }
}

#[tokio::test]
async fn an_outage_is_logged_once_when_it_begins_and_once_when_it_ends() {
    let logs = Logs::of_this_thread();
    let database = Erasable::default();
    let store: Arc<dyn EventStore> = Arc::new(database.clone());
    start_games(&store, 1).await;
    let following = Following::in_memory(&store).await;
    following.catches_up().await;
    database.go_away();
    // Several attempts fail in this time.
    until(|| following.model.status().lag > Duration::from_millis(600)).await;
    database.come_back();
    until(|| following.model.status().has_caught_up).await;
    assert_eq!(logs.with("ERROR").len(), 1);
    let ends = logs.with("follows the store again, after");
    assert_eq!(ends.len(), 1);
    assert!(!ends[0].contains("after 1 attempts"), "{ends:?}");
}

#[tokio::test]
async fn the_first_ten_unreadable_streams_are_logged_with_a_line_each_and_more_as_a_count() {
    let twice = [started("ada", "grace"), started("ada", "grace")];
    for (streams, lines, counts) in [(3, 3, 0), (10, 10, 0), (25, 10, 1)] {
        let logs = Logs::of_this_thread();
        let store: Arc<dyn EventStore> = Arc::new(MemoryStore::new());
        for _ in 0..streams {
            append(&store, GameId::generate(), &twice).await;
        }
        let following = Following::in_memory(&store).await;
        following.catches_up().await;
        assert_eq!(following.model.status().unreadable_streams, streams);
        assert_eq!(logs.with("is not a valid game from revision").len(), lines);
        let count = logs.with(&format!("{streams} streams are not valid games"));
        assert_eq!(count.len(), counts);
    }
}
