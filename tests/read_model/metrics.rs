//! The metrics of the read model.

use std::sync::Arc;
use std::time::Instant;

use connect_four::application::GameId;
use connect_four::event_store::{EventStore, SqliteStore};

use crate::program::Program;
use crate::support::{Files, PATIENCE, append, start_games, started};

#[tokio::test]
async fn metrics_show_lag_applied_events_unreadable_streams_and_whether_it_has_caught_up() {
    let files = Files::new();
    let path = files.path("events.db");
    let store: Arc<dyn EventStore> = Arc::new(SqliteStore::open(&path).await.expect("it opens"));
    start_games(&store, 5).await;
    let twice = [started("ada", "grace"), started("ada", "grace")];
    append(&store, GameId::generate(), &twice).await;
    drop(store);

    let url = format!("sqlite://{}", path.display());
    let program = Program::serve(&["--event-store", &url]).await;
    let metrics = async || {
        let answer = reqwest::get(format!("{}/metrics", program.url)).await;
        answer.expect("an answer").text().await.expect("text")
    };
    let began = Instant::now();
    let mut seen = metrics().await;
    while !seen.contains("\nconnect_four_read_model_caught_up 1\n") {
        assert!(began.elapsed() < PATIENCE, "{seen}");
        seen = metrics().await;
    }
    for line in [
        "connect_four_read_model_lag_seconds 0.0",
        "connect_four_read_model_events_total 7",
        "connect_four_read_model_unreadable_streams 1",
    ] {
        assert!(seen.contains(line), "{line}: {seen}");
    }
    program.kill().await;
}
