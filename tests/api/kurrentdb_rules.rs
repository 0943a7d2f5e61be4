//! Two replicas of the service on one KurrentDB, with behaviour that was observed on the real one:
//! streams that are deleted, truncated or restored from a backup, and simultaneous requests.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::double::Double;
use crate::service::{Game, Service};

pub(crate) async fn replicas_on(double: &Double) -> [Service; 2] {
    let url = double.connection_string();
    [Service::at(&url).await, Service::at(&url).await]
}

pub(crate) fn stream(game: &Game<'_>) -> String {
    format!("game-{}", game.id)
}

/// Repeats the request until the condition holds.
pub(crate) async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let asked = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), asked)
        .await
        .unwrap_or_else(|_| panic!("not within 30 seconds: {what}"));
}

pub(crate) async fn listed(service: &Service) -> Vec<String> {
    let answer = service.get("/games?limit=100").await;
    if answer.status != 200 {
        return vec![format!("{}", answer.status)];
    }
    let games = answer.json()["games"].as_array().cloned();
    let id = |game: &Value| game["id"].as_str().unwrap_or_default().to_owned();
    games.unwrap_or_default().iter().map(id).collect()
}

/// Asserts that every request for the game is answered with 410.
async fn is_gone(service: &Service, path: &str) {
    for below in ["", "?revision=0", "/moves", "/moves/1", "/events"] {
        let answer = service.get(&format!("{path}{below}")).await;
        answer.is_problem(410, "game-deleted");
    }
    let moved = json!({"player": "ada", "column": "D"});
    let moved = service.post(&format!("{path}/moves"), moved).await;
    moved.is_problem(410, "game-deleted");
    let resigned = json!({"player": "ada"});
    let resigned = service.post(&format!("{path}/resignation"), resigned).await;
    resigned.is_problem(410, "game-deleted");
    let players = json!({"player_one": "ada", "player_two": "grace"});
    let put = service.request(reqwest::Method::PUT, path).json(&players);
    put.send().await.is_problem(410, "game-deleted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_game_is_gone_at_every_replica_and_removed_from_all_lists() {
    let double = Double::start().await;
    let [one, other] = replicas_on(&double).await;
    let game = one.game_with("DE").await;
    let kept = one.game_with("A").await;
    // Both replicas have the game in their cache.
    other.get(&game.path("")).await.is(200);
    until("both are listed", async || listed(&other).await.len() == 2).await;

    double.delete(&stream(&game));
    for replica in [&one, &other] {
        is_gone(replica, &game.path("")).await;
        let only_kept = async || listed(replica).await == [kept.id.as_str()];
        until("the deleted game leaves the list", only_kept).await;
    }
    assert!(
        double.stored(&stream(&game)).len() <= 3,
        "no event was stored"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_truncated_game_is_gone_at_every_replica() {
    for metadata in [r#"{"$tb":2}"#, r#"{"$tb":10}"#, r#"{"$maxCount":1}"#] {
        let double = Double::start().await;
        let [one, other] = replicas_on(&double).await;
        let game = one.game_with("DE").await;
        other.get(&game.path("")).await.is(200);
        until("it is listed", async || listed(&other).await.len() == 1).await;

        double.set_metadata(&stream(&game), metadata);
        for replica in [&one, &other] {
            // A replica with the game in its cache is informed by its subscription.
            let forgotten = async || replica.get(&game.path("")).await.status == 410;
            until("the cached game is dropped", forgotten).await;
            is_gone(replica, &game.path("")).await;
            let empty = async || listed(replica).await.is_empty();
            until("the game leaves the list", empty).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_rebuilt_after_a_backup_is_restored() {
    let mut double = Double::start().await;
    let [one, other] = replicas_on(&double).await;
    let kept = one.game_with("D").await.id.clone();
    until("it is listed", async || listed(&one).await.len() == 1).await;
    let backup = double.snapshot();
    one.game_with("").await;
    one.game_with("").await;
    for replica in [&one, &other] {
        until("all are listed", async || listed(replica).await.len() == 3).await;
    }

    // A node is restored like this: it stops, and starts with the files of the backup.
    double.stop().await;
    double.restore(&backup);
    double.start_again();
    for replica in [&one, &other] {
        let restored = async || listed(replica).await == [kept.clone()];
        until("the list is of the restored store", restored).await;
        let ready = async || replica.get("/readyz").await.status == 200;
        until("it is ready", ready).await;
    }
    let new = one.game_with("").await.id.clone();
    for replica in [&one, &other] {
        let both = async || listed(replica).await == [new.clone(), kept.clone()];
        until("new games appear", both).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_identical_requests_at_once_are_both_answered_within_a_second() {
    let double = Double::start().await;
    let [one, other] = replicas_on(&double).await;
    // Longer than both requests take to arrive, so that they overlap.
    double.commit_after(Duration::from_millis(30));
    for (first, second) in [(&one, &one), (&one, &other)] {
        let game = one.game_with("").await;
        let body = json!({"player": "ada", "column": "D"});
        let key = uuid::Uuid::now_v7().to_string();
        let send = |service: &Service| {
            let request = service.request(reqwest::Method::POST, &game.path("/moves"));
            request.json(&body).header("idempotency-key", &key).send()
        };
        let dropped = double.calls().dropped;
        let began = Instant::now();
        let (first, second) = tokio::join!(send(first), send(second));
        let took = began.elapsed();
        first.is(201);
        second.is(201);
        // The server answers the second append after two seconds.
        assert!(took < Duration::from_secs(1), "{took:?}");
        assert_eq!(game.event_types().await, ["GameStarted", "MoveMade"]);
        assert!(double.calls().dropped <= dropped + 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_moves_at_once_one_is_made_even_if_reads_are_behind() {
    let double = Double::start().await;
    let [one, other] = replicas_on(&double).await;
    double.visible_after(Duration::from_millis(40));
    for _ in 0..5 {
        let game = one.game_with("").await;
        let readable = async || other.get(&game.path("")).await.status == 200;
        until("the game is readable", readable).await;
        let path = game.path("/moves");
        let send = |service: &Service, column: &str| {
            let request = service.request(reqwest::Method::POST, &path);
            let body = json!({"player": "ada", "column": column});
            request.json(&body).send()
        };
        let (first, second) = tokio::join!(send(&one, "D"), send(&other, "E"));
        let (won, lost) = match first.status.as_u16() {
            201 => (first, second),
            _ => (second, first),
        };
        won.is(201);
        lost.is_problem(409, "not-your-turn");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_all_games_leave_no_connection_open() {
    let double = Double::start().await;
    let service = Service::at(&double.connection_string()).await;
    service.game_with("DEDE").await;
    // The subscription of the read model has its own connection, which may open a little later.
    until("it is listed", async || listed(&service).await.len() == 1).await;
    service.get("/events?limit=2").await.is(200);
    let before = double.open_connections();
    for _ in 0..100 {
        service.get("/events?limit=2").await.is(200);
    }
    assert_eq!(double.open_connections(), before);
}
