//! The service on a KurrentDB that fails: the answers to clients, and the recovery.

use std::time::Duration;

use connect_four::event_store;
use connect_four::http::App;
use futures_util::future::join_all;
use serde_json::json;

use crate::double::{Double, Fault};
use crate::service::{Game, Service};

async fn service_on(double: &Double) -> Service {
    Service::at(&double.connection_string()).await
}

/// Requests `/readyz` until it has this status.
async fn until_ready_is(service: &Service, status: u16) {
    let asked = async {
        while service.get("/readyz").await.status != status {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), asked)
        .await
        .expect("within 30 seconds");
}

fn stream(game: &Game<'_>) -> String {
    format!("game-{}", game.id)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_starts_without_its_database_and_recovers_when_it_is_available() {
    let mut double = Double::reserve();
    let service = service_on(&double).await;
    service.get("/livez").await.is(200);
    let not_ready = service.get("/readyz").await;
    not_ready.is_problem(503, "store-unavailable");
    let players = json!({"player_one": "ada", "player_two": "grace"});
    let refused = service.post("/games", players).await;
    refused.is_problem(503, "store-unavailable");
    assert_eq!(refused.header("retry-after"), "2");

    double.start_again();
    until_ready_is(&service, 200).await;
    service.game_with("DD").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_follows_the_database_and_games_continue() {
    let mut double = Double::start().await;
    let service = service_on(&double).await;
    let game = service.game_with("D").await;
    for (player, column) in [("grace", "D"), ("ada", "E")] {
        double.stop().await;
        until_ready_is(&service, 503).await;
        let refused = game.move_by(player, column).await;
        refused.is_problem(503, "store-unavailable");
        double.start_again();
        until_ready_is(&service, 200).await;
        game.move_by(player, column).await.is(201);
    }
    assert_eq!(double.stored(&stream(&game)).len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_is_made_once_and_answered_when_its_connection_breaks() {
    let double = Double::start().await;
    let service = service_on(&double).await;
    let game = service.game_with("").await;
    let faults = [Fault::LoseRequest, Fault::LoseAnswer, Fault::GiveUpWaiting];
    for (number, fault) in faults.into_iter().enumerate() {
        double.fail_next_append(fault);
        let player = ["ada", "grace"][number % 2];
        let answer = game.move_by(player, "D").await.is(201);
        assert_eq!(answer.json()["revision"], number + 1);
    }
    assert_eq!(double.stored(&stream(&game)).len(), 4);
}

/// A retry with the header of `retry_with` gets the answer that was lost, also when the opponent has
/// moved since.
#[tokio::test(flavor = "multi_thread")]
async fn a_move_with_an_unknown_outcome_is_made_once_when_it_is_sent_again() {
    let double = Double::start().await;
    let service = service_on(&double).await;
    for opponent_moves in [false, true] {
        let game = service.game_with("").await;
        for _ in 0..10 {
            double.fail_next_append(Fault::LoseAnswer);
        }
        let unknown = game.move_by("ada", "D").await;
        let problem = unknown.is_problem(504, "outcome-unknown");
        assert_eq!(problem["retry_with"], json!({"If-Match": "\"0\""}));

        double.mend();
        until_ready_is(&service, 200).await;
        if opponent_moves {
            game.move_by("grace", "D").await.is(201);
        }
        let again = game.move_request("ada", "D").header("if-match", "\"0\"");
        assert_eq!(again.send().await.is(201).json()["revision"], 1);
        let moves = game.event_types().await.len() - 1;
        assert_eq!(moves, 1 + usize::from(opponent_moves));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_game_with_a_tombstoned_stream_is_answered_with_410() {
    let double = Double::start().await;
    let service = service_on(&double).await;
    let game = service.game_with("D").await;
    double.tombstone(&stream(&game));
    game.get("").await.is_problem(410, "game-deleted");
    let refused = game.move_by("grace", "D").await;
    refused.is_problem(410, "game-deleted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_moves_at_the_same_time_are_all_answered() {
    let double = Double::start().await;
    // Nobody is given up, however busy the machine is.
    let patient = format!("{}&defaultDeadline=60000", double.connection_string());
    let store = event_store::open(&patient).await.expect("it opens");
    let app = App::new(store.clone()).with_handler_timeout(Duration::from_secs(60));
    let service = Service::serving(app, store).await;
    let games = join_all((0..1000).map(|_| service.start_game("ada", "grace"))).await;
    let moves = join_all(games.iter().map(|game| game.move_by("ada", "D"))).await;
    for answer in moves {
        answer.is(201);
    }
    assert!(
        games
            .iter()
            .all(|game| double.stored(&stream(game)).len() == 2)
    );
    assert!(double.calls().most_in_flight < 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn games_of_the_python_tutorial_are_shown_and_can_be_continued() {
    let double = Double::start().await;
    let service = service_on(&double).await;
    let game = |fixture| Game {
        id: double.store_tutorial_game(fixture)["game-".len()..].to_owned(),
        service: &service,
    };

    let shown = game("won").get("").await.is(200).json();
    assert_eq!(shown["result"], "PLAYER_ONE_WON", "{shown}");
    let shown = game("tied").get("").await.is(200).json();
    assert_eq!(shown["result"], "TIED", "{shown}");

    let in_progress = game("in_progress");
    let moved = in_progress.move_by("Łukasz", "E").await.is(201).json();
    assert_eq!(moved["revision"], 4);
    let stored = double.stored(&stream(&in_progress));
    let ours = stored.last().expect("five events");
    assert_eq!(ours.event_type, "MoveMade");
    assert_eq!(ours.content_type, "application/json");
    // The tutorial's reader expects exactly these keys, with string values.
    let data: serde_json::Value = serde_json::from_slice(&ours.data).expect("JSON");
    assert_eq!(data, json!({"player": "Łukasz", "column": "E"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_streams_of_the_tutorial_are_reported_as_problems() {
    let double = Double::start().await;
    let service = service_on(&double).await;
    for fixture in ["history_appended_again", "lone_surrogate"] {
        let id = double.store_tutorial_game(fixture)["game-".len()..].to_owned();
        let answer = service.get(&format!("/games/{id}")).await;
        answer.is_problem(500, "unreadable-game");
    }
}
