//! `Idempotency-Key`: which keys are valid, and how repeated and different requests are answered.

use reqwest::Method;
use serde_json::json;

use crate::service::{Answer, Client, Game, Request, Service, on_every_store};

pub(crate) const KEY: &str = "5f0c7a52-9d5e-4a6e-8b52-1f6f5a0a7c11";

pub(crate) async fn keyed(game: &Game<'_>, player: &str, column: &str, key: &str) -> Answer {
    let request = game.move_request(player, column);
    request.header("idempotency-key", key).send().await
}

pub(crate) fn start_with(client: &Client, key: &str, player_two: &str) -> Request {
    let request = client
        .request(Method::POST, "/games")
        .header("idempotency-key", key);
    request.json(&json!({"player_one": "ada", "player_two": player_two}))
}

#[track_caller]
pub(crate) fn assert_same_answer(again: &Answer, first: &Answer) {
    assert_eq!(again.body, first.body);
    for header in [
        "etag",
        "location",
        "content-location",
        "cache-control",
        "link",
    ] {
        assert_eq!(again.header(header), first.header(header));
    }
}

on_every_store! {
    async fn a_repeated_move_with_the_same_key_gets_the_first_answer(service: Service) {
        let game = service.game_with("DC").await;
        let first = keyed(&game, "ada", "E", KEY).await.is(201);
        assert_eq!(first.header("idempotent-replayed"), "");
        for key in [KEY, &format!("\"{KEY}\"")] {
            let again = keyed(&game, "ada", "E", key).await.is(201);
            assert_same_answer(&again, &first);
            assert_eq!(again.header("idempotent-replayed"), "true");
        }
    }

    async fn a_key_is_checked_before_a_stale_if_match(service: Service) {
        let game = service.game_with("DC").await;
        let send = |tags| {
            let request = game.move_request("ada", "E").header("idempotency-key", KEY);
            request.header("if-match", tags).send()
        };
        let first = send("\"2\"").await.is(201);
        for tags in ["\"0\"", "\"7\"", "W/\"2\""] {
            assert_same_answer(&send(tags).await.is(201), &first);
        }
        send("2").await.is_problem(400, "invalid-precondition");

        let strict = service.strict_replica().await;
        let strict_game = Game { id: game.id.clone(), service: &strict };
        assert_same_answer(&keyed(&strict_game, "ada", "E", KEY).await.is(201), &first);
    }

    async fn a_key_is_refused_for_another_move(service: Service) {
        let game = service.game_with("DC").await;
        keyed(&game, "ada", "E", KEY).await.is(201);
        for (player, column) in [("ada", "F"), ("grace", "E"), ("grace", "F")] {
            let problem = keyed(&game, player, column, KEY).await
                .is_problem(422, "idempotency-key-reused");
            assert_eq!(problem["original"], json!({"player": "ada", "column": "E"}));
        }
        assert_eq!(game.event_types().await.len(), 4);
        // The scope of a key is one game.
        let other = service.game_with("").await;
        keyed(&other, "ada", "F", KEY).await.is(201);
    }

    async fn a_refused_request_does_not_use_up_its_key(service: Service) {
        let game = service.game_with("DC").await;
        keyed(&game, "grace", "E", KEY).await.is_problem(409, "not-your-turn");
        game.move_by("ada", "E").await.is(201);
        keyed(&game, "grace", "E", KEY).await.is(201);
    }

    async fn an_invalid_key_is_refused(service: Service) {
        let game = service.game_with("DC").await;
        for key in ["short", "", "\"5f0c7a52-9d5e-4a6e", "with spaces in between", &"x".repeat(256)] {
            let problem = keyed(&game, "ada", "E", key).await
                .is_problem(400, "invalid-idempotency-key");
            assert_eq!(problem["header"], "Idempotency-Key");
            start_with(&service, key, "grace").send().await
                .is_problem(400, "invalid-idempotency-key");
        }
        let twice = game.move_request("ada", "E");
        let twice = twice.header("idempotency-key", KEY).header("idempotency-key", KEY);
        twice.send().await.is_problem(400, "invalid-idempotency-key");
        assert_eq!(game.event_types().await.len(), 3);
    }
}

/// A replica with an older game in its cache does not answer from it and does not decide on it.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_does_not_answer_from_an_outdated_cache() {
    let service = Service::on_memory().await;
    let replica = service.replica().await;
    let game = service.game_with("DC").await;
    let there = Game {
        id: game.id.clone(),
        service: &replica,
    };
    there.get("").await.is(200);
    let first = keyed(&game, "ada", "E", KEY).await.is(201);
    assert_same_answer(&keyed(&there, "ada", "E", KEY).await.is(201), &first);
    there.move_by("grace", "E").await.is(201);
    let other = "a-key-that-is-another";
    let second = keyed(&there, "ada", "E", other).await.is(201);
    assert_eq!(second.json()["revision"], 5);
    for (key, answer) in [(KEY, &first), (other, &second)] {
        assert_same_answer(&keyed(&game, "ada", "E", key).await.is(201), answer);
        assert_same_answer(&keyed(&there, "ada", "E", key).await.is(201), answer);
    }
}
