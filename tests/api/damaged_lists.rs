//! The read model is damaged while the service runs: lists say that they are behind until it is rebuilt.

use std::time::Duration;

use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;
use tokio::time::timeout;

use crate::program::Program;
use crate::service::Client;

async fn start_games(client: &Client, games: usize) {
    for _ in 0..games {
        let names = json!({"player_one": "ada", "player_two": "grace"});
        client.post("/games", names).await.is(201);
    }
}

/// Waits until the list has this number of games. Until then it says that it is behind.
async fn lists(client: &Client, games: usize) {
    loop {
        let answer = client.get("/games?limit=100").await;
        if answer.status == 503 {
            answer.is_problem(503, "read-model-behind");
            continue;
        }
        let list = answer.is(200).json();
        if list["games"].as_array().map(Vec::len) == Some(games) {
            return;
        }
    }
}

#[tokio::test]
async fn lists_and_readiness_recover_from_a_damaged_read_model_and_games_go_on() {
    let folder = TempDir::new().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("games.db").display());
    let program = Program::start(&["--event-store", &url]).await;
    let client = &program.client;
    start_games(client, 3).await;
    client.is_ready().await;
    for (number, damage) in [
        "DROP TABLE games",
        "DELETE FROM projection",
        "DROP TABLE players",
        "UPDATE projection SET checkpoint = '99999'",
    ]
    .into_iter()
    .enumerate()
    {
        let model = folder.path().join("games.read-model.v3.db");
        let tool = Connection::open(model).expect("a database");
        tool.execute_batch(damage).expect("valid SQL");
        drop(tool);
        // Games can be played all the time.
        start_games(client, 1).await;
        let recovered = timeout(Duration::from_secs(20), lists(client, 4 + number)).await;
        recovered.expect("the lists are complete in time");
        client.is_ready().await;
    }
}
