//! The program is killed between batches and within them; the next start continues correctly.

use std::path::Path;
use std::time::Instant;

use connect_four::application::GameId;
use connect_four::domain::GameEvent;
use futures_util::future::join_all;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::program::Program;
use crate::support::{Files, PATIENCE, append, finished, moved, started};

/// The first events of a game of 43 events.
fn beginning_of_a_game(events: usize) -> Vec<GameEvent> {
    let players = ["ada", "grace"].into_iter().cycle();
    let moves = players
        .zip("AAAAAABBBBBBCCCCCCEDDDDDDEEEEEFFFFFFGGGGGG".chars())
        .map(|(player, column)| moved(player, &column.to_string()));
    let whole = [started("ada", "grace")]
        .into_iter()
        .chain(moves)
        .chain([finished("TIED")]);
    whole.take(events).collect()
}

/// The checkpoint in the file, read by another process than the one that writes it.
fn checkpoint(model: &Path) -> Option<String> {
    let connection = Connection::open(model).ok()?;
    let select = "SELECT checkpoint FROM projection";
    connection.query_row(select, [], |row| row.get(0)).ok()?
}

/// Waits until the checkpoint in the file is not this one any more.
async fn passes(model: &Path, before: Option<&str>) {
    let began = Instant::now();
    loop {
        if checkpoint(model).as_deref() != before {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "it stays at {before:?}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn repeated_kills_while_it_catches_up_lose_nothing() {
    let files = Files::new();
    let events = files.path("events.db");
    let store = files.events().await;
    let games = (0..2_500).map(|number| {
        let store = store.clone();
        async move {
            let game = GameId::generate();
            let (first, rest) = (number % 40 + 1, beginning_of_a_game(number % 44 + 1));
            let (first, rest) = rest.split_at(first.min(rest.len()));
            append(&store, game, first).await;
            if !rest.is_empty() {
                append(&store, game, rest).await;
            }
        }
    });
    join_all(games).await;
    let end = store.head().await.expect("it answers").expect("events");
    drop(store);

    let model = files.model();
    let url = format!("sqlite://{}", events.display());
    let mut at = None;
    let mut kills = 0;
    while at != Some(end.to_string()) {
        let program = Program::serve(&["--event-store", &url]).await;
        passes(&model, at.as_deref()).await;
        program.kill().await;
        // It may have committed one more batch before it died.
        at = checkpoint(&model);
        kills += 1;
    }
    assert!(kills > 0);
    files.assert_is_as_rebuilt().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn repeated_kills_while_games_are_played_lose_nothing() {
    let files = Files::new();
    let url = format!("sqlite://{}", files.path("events.db").display());
    for _ in 0..8 {
        let program = Program::serve(&["--event-store", &url]).await;
        let http = reqwest::Client::new();
        let players = (0..4).map(|_| play(http.clone(), program.url.clone(), 60));
        join_all(players).await;
        program.kill().await;
    }
    files.assert_is_as_rebuilt().await;
}

/// Plays until this number of requests was answered.
pub(crate) async fn play(http: reqwest::Client, url: String, requests: usize) {
    let mut game = beginning_of_a_game(0).into_iter();
    let mut path = String::new();
    for _ in 0..requests {
        let (target, body) = match game.next() {
            Some(GameEvent::MoveMade { player, column }) => {
                let body = json!({"player": player.as_str(), "column": column});
                (format!("{url}{path}/moves"), body)
            }
            Some(GameEvent::GameStarted { .. } | GameEvent::GameFinished { .. }) | None => {
                let names = json!({"player_one": "ada", "player_two": "grace"});
                (format!("{url}/games"), names)
            }
        };
        let is_start = target.ends_with("/games");
        let answer = http.post(target).json(&body).send().await;
        let answer: Value = answer.expect("an answer").json().await.expect("JSON");
        if is_start {
            path = format!("/games/{}", answer["id"].as_str().expect("an id"));
            game = beginning_of_a_game(43).into_iter();
            game.next();
        }
    }
}
