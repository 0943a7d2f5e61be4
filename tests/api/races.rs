//! Many clients at the same time, on separate connections, started by one barrier.

use std::sync::Arc;

use reqwest::Method;
use serde_json::json;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::service::{Answer, Request, Service, on_every_store};

const CLIENTS: usize = 32;
const MANY: usize = 64;
const COLUMNS: [&str; 7] = ["A", "B", "C", "D", "E", "F", "G"];

/// Sends the move of every client at the same moment, and returns the answers.
async fn all_at_once(
    service: &Service,
    path: &str,
    moves: impl Iterator<Item = (String, String)>,
) -> Vec<Answer> {
    let moves: Vec<_> = moves.collect();
    let start = Arc::new(Barrier::new(moves.len()));
    let mut clients = JoinSet::new();
    for (player, column) in moves {
        // Each has its own client, and so its own connection.
        let client = service.another_client();
        let path = path.to_owned();
        let start = start.clone();
        clients.spawn(async move {
            client.get("/livez").await.is(200);
            start.wait().await;
            let body = json!({"player": player, "column": column});
            client.post(&path, body).await
        });
    }
    clients.join_all().await
}

/// Sends the same request from many clients at the same moment, and returns the answers.
async fn at_once(service: &Service, request: Request) -> Vec<Answer> {
    let request = request.into_inner().build().expect("a request");
    let start = Arc::new(Barrier::new(MANY));
    let mut clients = JoinSet::new();
    for _ in 0..MANY {
        let client = service.another_client();
        let start = start.clone();
        let request = request.try_clone().expect("a body of bytes");
        clients.spawn(async move {
            client.get("/livez").await.is(200);
            start.wait().await;
            client.send(request).await
        });
    }
    clients.join_all().await
}

/// Whether the answer says that this request was carried out, and no other one before it.
fn is_first(answer: &Answer) -> bool {
    answer.status == 201 && answer.header("idempotent-replayed").is_empty()
}

fn count(answers: &[Answer], status: u16) -> usize {
    answers
        .iter()
        .filter(|answer| answer.status == status)
        .count()
}

on_every_store! {
    async fn the_same_move_from_many_clients_at_once_is_stored_once(service: Service) {
        for _ in 0..8 {
            let game = service.game_with("").await;
            let same = std::iter::repeat_n(("ada".into(), "D".into()), CLIENTS);
            let answers = all_at_once(&service, &game.path("/moves"), same).await;

            assert!(count(&answers, 201) >= 1);
            for answer in answers {
                match answer.status.as_u16() {
                    201 => assert_eq!(answer.json()["revision"], 1),
                    _ => drop(answer.is_problem(409, "not-your-turn")),
                }
            }
            assert_eq!(game.event_types().await, ["GameStarted", "MoveMade"]);
        }
    }

    async fn of_different_moves_for_one_turn_exactly_one_is_made(service: Service) {
        for _ in 0..8 {
            let game = service.game_with("").await;
            let moves = ["ada", "eve", "mallory", "oscar", "trent"].into_iter().flat_map(|player| {
                COLUMNS.map(|column| (player.to_owned(), column.to_owned()))
            });
            let moves = moves.take(CLIENTS);
            let answers = all_at_once(&service, &game.path("/moves"), moves).await;

            assert_eq!(count(&answers, 201), 1);
            assert_eq!(count(&answers, 409), CLIENTS - 1);
            assert_eq!(game.event_types().await, ["GameStarted", "MoveMade"]);
        }
    }

    async fn of_many_clients_with_different_moves_only_those_of_one_column_succeed(service: Service) {
        let game = service.game_with("").await;
        let columns = COLUMNS.into_iter().cycle().take(CLIENTS);
        let moves = columns.map(|column| ("ada".into(), column.into()));
        let answers = all_at_once(&service, &game.path("/moves"), moves).await;

        let made: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
        let winner = made.first().expect("at least one client moved").json();
        for answer in &made {
            assert_eq!(answer.json(), winner);
        }
        assert_eq!(count(&answers, 409), CLIENTS - made.len());
        assert_eq!(game.event_types().await, ["GameStarted", "MoveMade"]);
    }

    async fn a_game_played_by_many_clients_at_once_stays_valid(service: Service) {
        let game = service.game_with("").await;
        let players = ["ada", "grace"].into_iter().cycle();
        let columns = COLUMNS.into_iter().cycle();
        let wishes: Vec<_> = players.zip(columns).take(CLIENTS).collect();
        let mut acknowledged = std::collections::BTreeSet::new();
        for round in 0..8 {
            let moves = wishes.iter().cycle().skip(round).take(CLIENTS);
            let moves = moves.map(|(player, column)| ((*player).into(), (*column).into()));
            for answer in all_at_once(&service, &game.path("/moves"), moves).await {
                match answer.status.as_u16() {
                    201 => drop(acknowledged.insert(answer.json()["last_move"].to_string())),
                    409 | 503 => {}
                    other => panic!("{other}"),
                }
            }
        }
        // The game is readable, so its history is valid; and every acknowledged move is in it.
        let moves = game.get("/moves").await.is(200).json();
        let moves = moves["moves"].as_array().expect("moves").clone();
        for (index, made) in moves.iter().enumerate() {
            assert_eq!(made["number"], index + 1);
            assert_eq!(made["player"], ["ada", "grace"][index % 2]);
        }
        assert_eq!(acknowledged.len(), moves.len());
    }

    async fn of_many_equal_starts_at_once_only_one_is_the_first(service: Service) {
        for round in 0..2 {
            let id = uuid::Uuid::new_v4();
            let names = json!({"player_one": "ada", "player_two": "grace"});
            let put = service.request(Method::PUT, &format!("/games/{id}")).json(&names);
            let puts = at_once(&service, put).await;
            assert_eq!(count(&puts, 201), 1, "round {round}");
            assert_eq!(count(&puts, 200), MANY - 1);
            assert_eq!(puts.iter().filter(|answer| is_first(answer)).count(), 1);

            let keyed = service.request(Method::POST, "/games").json(&names);
            let keyed = keyed.header("idempotency-key", &uuid::Uuid::new_v4().to_string());
            let started = at_once(&service, keyed).await;
            assert_eq!(count(&started, 201), MANY);
            assert_eq!(started.iter().filter(|answer| is_first(answer)).count(), 1, "round {round}");
            for answer in &started {
                assert_eq!(answer.body, started[0].body);
            }
        }
    }

    async fn of_many_equal_puts_of_a_new_game_at_once_only_one_starts_it(service: Service) {
        let names = json!({"player_one": "ada", "player_two": "grace"});
        let put = service.request(Method::PUT, &format!("/games/{}", uuid::Uuid::new_v4()));
        let puts = at_once(&service, put.header("if-none-match", "*").json(&names)).await;
        assert_eq!(count(&puts, 201), 1);
        for answer in puts.iter().filter(|answer| answer.status != 201) {
            answer.is_problem(412, "revision-mismatch");
        }
    }

    async fn of_many_equal_moves_at_once_only_one_is_the_first(service: Service) {
        for key in [None, Some(uuid::Uuid::new_v4().to_string())] {
            let game = service.game_with("").await;
            let made = game.move_request("ada", "D");
            let made = key.iter().fold(made, |made, key| made.header("idempotency-key", key));
            let made = at_once(&service, made).await;
            assert_eq!(made.iter().filter(|answer| is_first(answer)).count(), 1);
        }
    }
}
