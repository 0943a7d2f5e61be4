//! Waiting for a position: afterwards every answer includes it, and the wait never ends too early.

use std::sync::Arc;
use std::time::Duration;

use connect_four::application::GameId;
use connect_four::event_store::{EventStore, MemoryStore, SqliteStore};
use futures_util::FutureExt;
use tokio::time::{Instant, sleep};

use crate::support::{Files, Following, append, moved, start_games, started};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_after_the_wait_includes_the_position() {
    let files = Files::new();
    let store = SqliteStore::open(files.path("events.db")).await;
    let store: Arc<dyn EventStore> = Arc::new(store.expect("it opens"));
    let following = Following::in_file(&files.path("model.db"), &store).await;
    for written in 1..=200 {
        let game = GameId::generate();
        let position = append(&store, game, &[started("ada", "grace"), moved("ada", "D")]).await;
        following.sees(position).await;
        let answer = following.model.player("ada").await.expect("an answer");
        assert_eq!(answer.value.map(|ada| ada.played), Some(written));
        assert!(answer.position >= Some(position));
    }
}

#[tokio::test]
async fn the_wait_does_not_end_before_the_event_is_visible() {
    let store: Arc<dyn EventStore> = Arc::new(MemoryStore::new());
    let first = append(&store, GameId::generate(), &[started("ada", "grace")]).await;
    let following = Following::in_memory(&store).await;
    following.sees(first).await;
    assert_eq!(following.model.position(), Some(first));
    let model = following.model.clone();
    following.stop().await;
    start_games(&store, 1).await;
    let last = store
        .head()
        .await
        .expect("memory answers")
        .expect("an event");
    assert!(model.reached(last).now_or_never().is_none());
    assert!(model.reached(first).now_or_never().is_some());
    assert_eq!(model.position(), Some(first));
}

#[tokio::test]
async fn it_has_caught_up_when_all_events_that_existed_at_the_start_are_visible() {
    let store: Arc<dyn EventStore> = Arc::new(MemoryStore::new());
    start_games(&store, 2_000).await;
    let following = Following::in_memory(&store).await;
    assert!(!following.model.has_caught_up());
    assert!(!following.model.status().lag.is_zero());
    following.catches_up().await;
    assert_eq!(following.model.status().events_applied, 2_000);
    assert_eq!(following.numbers().await.len(), 2_000);
    assert!(following.model.status().lag.is_zero());
}

/// In paused time, which does not pass while the read model works.
#[tokio::test(start_paused = true)]
async fn events_become_visible_sooner_when_somebody_waits_for_them() {
    let store: Arc<dyn EventStore> = Arc::new(MemoryStore::new());
    let following = Following::in_memory(&store).await;
    following.catches_up().await;
    let event_after_another = async || {
        sleep(Duration::from_secs(1)).await;
        let game = GameId::generate();
        let first = append(&store, game, &[started("ada", "grace")]).await;
        following.sees(first).await;
        append(&store, GameId::generate(), &[started("ada", "grace")]).await
    };

    let awaited = event_after_another().await;
    let appended = Instant::now();
    // Nobody waits yet when the event is heard.
    sleep(Duration::from_millis(1)).await;
    following.sees(awaited).await;
    assert!(appended.elapsed() <= Duration::from_millis(25));

    let other = event_after_another().await;
    let appended = Instant::now();
    while following.model.position() < Some(other) {
        sleep(Duration::from_millis(1)).await;
    }
    assert!(appended.elapsed() > Duration::from_millis(25));
    assert!(appended.elapsed() <= Duration::from_millis(55));
}
