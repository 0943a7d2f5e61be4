//! Repeated requests are carried out once and get the first answer.

use std::sync::Arc;

use connect_four::event_store::{ExpectedRevision, NewEvent, StreamName, StreamRevision};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::idempotency_keys::{KEY, assert_same_answer, start_with};
use crate::lossy_proxy::LossyProxy;
use crate::program::Program;
use crate::service::{Answer, Client, Game, Request, Service, on_every_store};

const CLIENTS: usize = 32;

/// The headers that make ada's move at revision 2 safe to send again.
const SAFEGUARDS: [(&str, &str); 2] = [("idempotency-key", KEY), ("if-match", "\"2\"")];

fn move_with(client: &Client, path: &str, column: &str, header: (&str, &str)) -> Request {
    let request = client
        .request(Method::POST, path)
        .header(header.0, header.1);
    request.json(&json!({"player": "ada", "column": column}))
}

/// A new key, because the store may outlive the test.
fn new_key() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// Appends a finish directly to the store, as the tutorial's program might.
async fn another_program_finishes(game: &Game<'_>) {
    let stream = StreamName::new(format!("game-{}", game.id)).expect("a name");
    let last = game.get("").await.json()["revision"].as_u64();
    let expected = ExpectedRevision::at(last.map(StreamRevision::new));
    let finish = NewEvent {
        id: uuid::Uuid::new_v4(),
        event_type: "GameFinished".into(),
        data: r#"{"result": "PLAYER_TWO_WON"}"#.into(),
        metadata: bytes::Bytes::new(),
    };
    let appended = game.service.store.append(&stream, expected, vec![finish]);
    appended.await.expect("there is no other writer");
}

/// Sends one request per client, all at the same moment.
async fn all_at_once(
    services: [&Service; 2],
    request: impl Fn(&Client, usize) -> Request,
) -> Vec<Answer> {
    let start = Arc::new(Barrier::new(CLIENTS));
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let client = services[number % 2].another_client();
        let request = request(&client, number);
        let start = start.clone();
        clients.spawn(async move {
            client.get("/livez").await.is(200);
            start.wait().await;
            request.send().await
        });
    }
    clients.join_all().await
}

on_every_store! {
    async fn a_move_whose_answer_was_lost_can_be_sent_again_for_the_same_answer(service: Service) {
        for header in SAFEGUARDS {
            let game = service.game_with("DC").await;
            let path = game.path("/moves");
            let proxy = LossyProxy::before(&service.url).await;
            proxy.lose_the_next_answer();
            let lost = move_with(&proxy.client(), &path, "E", header).try_send().await;
            lost.expect_err("a lost answer");
            let made = game.get("?revision=3").await.is(200);

            let again = move_with(&proxy.client(), &path, "E", header).send().await.is(201);
            assert_eq!(again.body, made.body);
            assert_eq!(again.header("idempotent-replayed"), "true");
            assert_eq!(again.header("location"), game.path("/moves/3"));
            assert_eq!(again.header("content-location"), game.path("?revision=3"));
            assert_eq!(again.header("etag"), "\"3\"");

            game.move_by("grace", "F").await.is(201);
            let replica = service.replica().await;
            for somewhere in [&service, &replica] {
                let later = move_with(somewhere, &path, "E", header).send().await.is(201);
                assert_same_answer(&later, &again);
            }
            let moves = game.get("/moves").await.json();
            assert_eq!(moves["moves"].as_array().map(Vec::len), Some(4));
        }
    }

    async fn without_a_key_or_condition_the_same_move_again_is_a_new_move(service: Service) {
        let game = service.game_with("DC").await;
        game.move_by("ada", "E").await.is(201);
        game.move_by("grace", "F").await.is(201);
        let second = game.move_by("ada", "E").await.is(201);
        assert_eq!(second.json()["revision"], 5);
    }

    async fn the_answer_to_a_repeated_winning_move_includes_the_finish(service: Service) {
        for header in [("idempotency-key", KEY), ("if-match", "\"6\"")] {
            let game = service.game_with("ABABAB").await;
            let path = game.path("/moves");
            let first = move_with(&service, &path, "A", header).send().await.is(201);
            assert_eq!(first.json()["revision"], 8);
            let again = move_with(&service, &path, "A", header).send().await.is(201);
            assert_same_answer(&again, &first);
            assert_eq!(again.header("idempotent-replayed"), "true");
            let types = game.event_types().await;
            assert_eq!(types[7..], ["MoveMade", "GameFinished"]);
        }
    }

    async fn the_answer_to_a_repeated_move_does_not_include_a_finish_of_another_command(service: Service) {
        for header in SAFEGUARDS {
            let game = service.game_with("DC").await;
            let path = game.path("/moves");
            let first = move_with(&service, &path, "E", header).send().await.is(201);
            another_program_finishes(&game).await;
            let again = move_with(&service, &path, "E", header).send().await.is(201);
            assert_same_answer(&again, &first);
            assert_eq!(again.json()["is_finished"], false);
        }
    }

    async fn many_identical_moves_at_once_are_stored_once_and_all_answered(service: Service) {
        let replica = service.replica().await;
        for header in SAFEGUARDS {
            for _ in 0..2 {
                let game = service.game_with("DC").await;
                let path = game.path("/moves");
                let answers = all_at_once([&service, &replica], |client, _| {
                    move_with(client, &path, "E", header)
                }).await;
                let made = game.get("?revision=3").await.is(200);
                for answer in answers {
                    assert_eq!(answer.is(201).body, made.body);
                }
                assert_eq!(game.event_types().await.len(), 4);
            }
        }
    }

    async fn of_different_moves_with_one_key_at_once_only_the_one_that_was_made_succeeds(service: Service) {
        let replica = service.replica().await;
        for _ in 0..4 {
            let game = service.game_with("DC").await;
            let path = game.path("/moves");
            let answers = all_at_once([&service, &replica], |client, number| {
                let column = ["A", "B", "C", "D", "E", "F", "G"][number % 7];
                move_with(client, &path, column, ("idempotency-key", KEY))
            }).await;
            let made = game.get("?revision=3").await.is(200);
            for answer in answers {
                match answer.status.as_u16() {
                    201 => assert_eq!(answer.body, made.body),
                    _ => drop(answer.is_problem(422, "idempotency-key-reused")),
                }
            }
            assert_eq!(game.event_types().await.len(), 4);
        }
    }

    async fn a_conditional_move_that_loses_a_race_is_not_decided_again(service: Service) {
        let replica = service.replica().await;
        for _ in 0..2 {
            let game = service.game_with("DC").await;
            let path = game.path("/moves");
            let answers = all_at_once([&service, &replica], |client, number| {
                let column = ["A", "B", "C", "D", "E", "F", "G"][number % 7];
                move_with(client, &path, column, ("if-match", "\"2\""))
            }).await;
            let made = game.get("?revision=3").await.is(200);
            for answer in answers {
                match answer.status.as_u16() {
                    201 => assert_eq!(answer.body, made.body),
                    _ => {
                        let problem = answer.is_problem(412, "revision-mismatch");
                        assert_eq!(problem["current_revision"], 3);
                        assert_eq!(problem["missed_events"][0]["revision"], 3);
                    }
                }
            }
            assert_eq!(game.event_types().await.len(), 4);
        }
    }

    async fn a_start_with_a_key_starts_one_game_however_often_it_is_sent(service: Service) {
        let key = new_key();
        let proxy = LossyProxy::before(&service.url).await;
        proxy.lose_the_next_answer();
        let lost = start_with(&proxy.client(), &key, "grace").try_send().await;
        lost.expect_err("a lost answer");

        let again = start_with(&proxy.client(), &key, "grace").send().await.is(201);
        assert_eq!(again.header("idempotent-replayed"), "true");
        assert_eq!(again.json()["revision"], 0);
        let id = again.json()["id"].as_str().expect("an id").to_owned();
        assert_eq!(again.header("location"), format!("/games/{id}"));
        let game = Game { id, service: &service };
        game.move_by("ada", "D").await.is(201);

        let replica = service.replica().await;
        for somewhere in [&service, &replica] {
            let later = start_with(somewhere, &key, "grace").send().await.is(201);
            assert_same_answer(&later, &again);
        }
        assert_eq!(game.event_types().await, ["GameStarted", "MoveMade"]);
        let problem = start_with(&service, &key, "alan").send().await
            .is_problem(422, "idempotency-key-reused");
        assert_eq!(problem["original"], json!({"player_one": "ada", "player_two": "grace"}));
        let other = start_with(&service, &new_key(), "grace").send().await.is(201);
        assert_eq!(other.header("idempotent-replayed"), "");
        assert_ne!(other.body, again.body);
    }

    async fn many_identical_starts_at_once_start_one_game(service: Service) {
        let replica = service.replica().await;
        let key = new_key();
        let answers = all_at_once([&service, &replica], |client, _| {
            start_with(client, &key, "grace")
        }).await;
        let first = &answers[0];
        for answer in &answers {
            assert_same_answer(&answer.clone().is(201), first);
        }
        let events = service.get(&format!("{}/events", first.header("location"))).await;
        assert_eq!(events.json()["events"].as_array().map(Vec::len), Some(1));
    }

    async fn following_retry_with_after_an_unknown_outcome_gets_the_answer(service: Service) {
        let game = service.game_with("DC").await;
        // The content of `retry_with` when the move was decided on revision 2 (see `faults.rs`).
        let lost = game.move_by("ada", "E").await.is(201);
        game.move_by("grace", "F").await.is(201);
        let retry = game.move_request("ada", "E").header("if-match", "\"2\"");
        assert_same_answer(&retry.send().await.is(201), &lost);
    }
}

/// The process is killed after it has answered, and the answer is lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_whose_answer_was_lost_gets_it_after_a_restart() {
    let folder = TempDir::new().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("games.db").display());
    let start = async || Program::start(&["--event-store", &url]).await;

    let program = start().await;
    let proxy = LossyProxy::before(&program.client.url).await;
    proxy.lose_the_next_answer();
    let lost = start_with(&proxy.client(), KEY, "grace").try_send().await;
    lost.expect_err("a lost answer");
    program.kill().await;

    let program = start().await;
    let started = start_with(&program.client, KEY, "grace")
        .send()
        .await
        .is(201);
    assert_eq!(started.header("idempotent-replayed"), "true");
    let path = format!("{}/moves", started.header("location"));
    for (player, column) in [("ada", "D"), ("grace", "C")] {
        let body = json!({"player": player, "column": column});
        program.client.post(&path, body).await.is(201);
    }
    let mut program = program;
    for header in SAFEGUARDS {
        let proxy = LossyProxy::before(&program.client.url).await;
        proxy.lose_the_next_answer();
        let lost = move_with(&proxy.client(), &path, "E", header)
            .try_send()
            .await;
        lost.expect_err("a lost answer");
        program.kill().await;

        program = start().await;
        let again = move_with(&program.client, &path, "E", header)
            .send()
            .await
            .is(201);
        assert_eq!(again.header("idempotent-replayed"), "true");
        assert_eq!(again.json()["revision"], 3);
        let shown = program.client.get(again.header("content-location")).await;
        assert_eq!(again.body, shown.body);
    }
    let moves: Value = program.client.get(&path).await.json();
    assert_eq!(moves["moves"].as_array().map(Vec::len), Some(3));
}
