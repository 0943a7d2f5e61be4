//! Resignations: one test for each case of the contract, and the events that are stored.

use std::sync::Arc;

use connect_four::application::encode;
use connect_four::domain::{GameEvent, GameResult};
use connect_four::event_store::{
    ExpectedRevision, NewEvent, SqliteStore, StreamName, StreamRevision,
};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::idempotency_keys::{KEY, assert_same_answer};
use crate::service::{Answer, Game, Request, Service, on_every_store};
use crate::watcher::FORMATS;

const ANOTHER_KEY: &str = "a-key-that-is-another";

fn resignation(game: &Game<'_>, player: &str) -> Request {
    let request = game
        .service
        .request(Method::POST, &game.path("/resignation"));
    request.json(&json!({"player": player}))
}

async fn resign(game: &Game<'_>, player: &str) -> Answer {
    resignation(game, player).send().await
}

async fn resign_if(game: &Game<'_>, player: &str, tags: &str) -> Answer {
    resignation(game, player)
        .header("if-match", tags)
        .send()
        .await
}

async fn resign_with(game: &Game<'_>, player: &str, key: &str) -> Answer {
    let request = resignation(game, player).header("idempotency-key", key);
    request.send().await
}

async fn move_with(game: &Game<'_>, player: &str, column: &str, key: &str) -> Answer {
    let request = game.move_request(player, column);
    request.header("idempotency-key", key).send().await
}

/// Stores a move without the finish that should follow it.
async fn another_programs_move(game: &Game<'_>, revision: u64, player: &str, column: &str) {
    let stream = StreamName::new(format!("game-{}", game.id)).expect("a name");
    let event = NewEvent {
        id: uuid::Uuid::new_v4(),
        event_type: "MoveMade".into(),
        data: json!({"player": player, "column": column})
            .to_string()
            .into(),
        metadata: bytes::Bytes::new(),
    };
    let expected = ExpectedRevision::Exact(StreamRevision::new(revision));
    let appended = game.service.store.append(&stream, expected, vec![event]);
    appended.await.expect("there is no other writer");
}

on_every_store! {
    async fn a_player_who_resigns_loses_at_once(service: Service) {
        for (moves, player, result) in [("", "ada", "PLAYER_TWO_WON"), ("", "grace", "PLAYER_ONE_WON"),
            ("DC", "ada", "PLAYER_TWO_WON"), ("DC", "grace", "PLAYER_ONE_WON")] {
            let game = service.game_with(moves).await;
            let before = game.get("").await.json();
            let answer = resign(&game, player).await.is(200);
            let revision = moves.len() + 1;
            assert_eq!(answer.header("etag"), format!("\"{revision}\""));
            assert_eq!(answer.header("location"), "");
            assert_eq!(answer.header("content-location"), game.path(&format!("?revision={revision}")));
            assert_eq!(answer.header("idempotent-replayed"), "");
            let after = answer.json();
            assert_eq!(after["result"], result);
            assert_eq!(after["winning_line"], Value::Null);
            assert_eq!(after["next_player"], Value::Null);
            assert_eq!(after["last_move"], before["last_move"]);
            assert_eq!(after["board"], before["board"]);
            assert_eq!(game.get("").await.body, answer.body);
        }
    }

    async fn a_resignation_is_stored_as_a_finish_with_the_reason_in_its_metadata(service: Service) {
        let game = service.game_with("DC").await;
        let id = "01a20715-267e-7489-b4cd-306001f15c27";
        resignation(&game, "grace").header("x-request-id", id).send().await.is(200);
        let events = game.events().await;
        let last = events.last().expect("events");
        assert_eq!(last["type"], "GameFinished");
        assert_eq!(last["data"], json!({"result": "PLAYER_ONE_WON"}));
        assert_eq!(last["metadata"], json!({"reason": "resignation", "player": "grace",
            "$correlationId": id, "$causationId": id}));
        // The finish does not belong to the last move.
        let moves = game.get("/moves").await.json();
        assert_eq!(moves["moves"][1]["resulting_revision"], 2);
    }

    async fn a_resigned_game_contains_only_event_types_of_the_tutorial(service: Service) {
        let game = service.game_with("DC").await;
        resign(&game, "grace").await.is(200);
        let stream = StreamName::new(format!("game-{}", game.id)).expect("a name");
        let stored = service.store.read_stream(&stream, StreamRevision::FIRST).await;
        let stored = stored.expect("a game").events;
        let finish = stored.last().expect("events");
        let (event_type, data) = encode(&GameEvent::GameFinished { result: GameResult::PlayerOneWon });
        assert_eq!((&*finish.event_type, &finish.data), (event_type, &data));
        assert!(serde_json::from_slice::<Value>(&finish.metadata).is_ok_and(|json| json.is_object()));
    }

    async fn resignations_are_refused_for_the_same_reasons_as_moves(service: Service) {
        let nowhere = service.game("01a20715-267e-7489-b4cd-306001f15c27");
        resign(&nowhere, "ada").await.is_problem(404, "game-not-found");
        let game = service.game_with("DC").await;
        let problem = resign(&game, "mallory").await.is_problem(409, "player-not-in-game");
        assert_eq!(problem["players"], json!(["ada", "grace"]));
        resign(&game, "ada").await.is(200);
        for player in ["ada", "grace", "mallory"] {
            let problem = resign(&game, player).await.is_problem(409, "game-finished");
            assert_eq!(problem["result"], "PLAYER_TWO_WON");
        }
        game.move_by("ada", "D").await.is_problem(409, "game-finished");
        for body in [json!({}), json!({"player": null}), json!({"player": "ada", "column": "D"})] {
            let path = game.path("/resignation");
            service.post(&path, body).await.is_problem(422, "invalid-request");
        }
        assert_eq!(game.event_types().await.len(), 4);
    }

    async fn a_resignation_for_the_current_revision_is_carried_out(service: Service) {
        for tags in ["\"2\"", "\"2-text\"", "\"1\", \"2\"", "*"] {
            let game = service.game_with("DC").await;
            resign_if(&game, "ada", tags).await.is(200);
        }
    }

    async fn a_stale_resignation_is_answered_with_the_missed_events(service: Service) {
        let game = service.game_with("DC").await;
        for (tags, missed) in [("\"1\"", 1), ("\"0\"", 2), ("W/\"2\"", 0), ("\"3\"", 0)] {
            let answer = resign_if(&game, "ada", tags).await;
            let problem = answer.is_problem(412, "revision-mismatch");
            assert_eq!(problem["missed_events"].as_array().expect("events").len(), missed);
            assert_eq!(answer.header("etag"), "\"2\"");
        }
        resign_if(&game, "ada", "2").await.is_problem(400, "invalid-precondition");
        let request = resignation(&game, "ada").header("if-none-match", "\"2\"");
        request.send().await.is_problem(412, "revision-mismatch");
        assert_eq!(game.event_types().await.len(), 3);
    }

    async fn a_repeated_resignation_for_its_old_revision_gets_the_first_answer(service: Service) {
        let game = service.game_with("DC").await;
        let first = resign_if(&game, "ada", "\"2\"").await.is(200);
        let replica = service.replica().await;
        for service in [&service, &replica] {
            let there = Game { id: game.id.clone(), service };
            for tags in ["\"2\"", "\"1\", \"2\""] {
                let again = resign_if(&there, "ada", tags).await.is(200);
                assert_same_answer(&again, &first);
                assert_eq!(again.header("idempotent-replayed"), "true");
                assert_eq!(again.header("event-position"), first.header("event-position"));
            }
            for (player, tags) in [("grace", "\"2\""), ("ada", "\"1\"")] {
                resign_if(&there, player, tags).await.is_problem(412, "revision-mismatch");
            }
            let move_ = there.move_request("ada", "D").header("if-match", "\"2\"");
            move_.send().await.is_problem(412, "revision-mismatch");
        }
    }

    async fn the_finish_of_a_winning_move_does_not_count_as_a_resignation(service: Service) {
        let game = service.game_with("ABABABA").await;
        resign_if(&game, "grace", "\"7\"").await.is_problem(412, "revision-mismatch");
    }

    async fn a_resignation_does_not_count_as_the_missing_finish_of_a_winning_move(service: Service) {
        let game = service.game_with("ABABAB").await;
        another_programs_move(&game, 6, "ada", "A").await;
        resign(&game, "ada").await.is(200);
        let moves = game.get("/moves").await.is(200).json();
        assert_eq!(moves["moves"][6]["resulting_revision"], 7);
    }

    async fn a_repeated_resignation_with_the_same_key_gets_the_first_answer(service: Service) {
        let game = service.game_with("DC").await;
        let first = resign_with(&game, "grace", KEY).await.is(200);
        let replica = service.replica().await;
        let strict = service.strict_replica().await;
        for service in [&service, &replica, &strict] {
            let there = Game { id: game.id.clone(), service };
            let again = resign_with(&there, "grace", KEY).await.is(200);
            assert_same_answer(&again, &first);
            assert_eq!(again.header("idempotent-replayed"), "true");
            assert_eq!(again.header("event-position"), first.header("event-position"));
            let stale = resignation(&there, "grace").header("idempotency-key", KEY);
            assert_same_answer(&stale.header("if-match", "\"0\"").send().await.is(200), &first);
        }
        assert_eq!(game.event_types().await.len(), 4);
    }

    async fn a_key_of_a_move_is_refused_for_a_resignation_and_the_reverse(service: Service) {
        let game = service.game_with("DC").await;
        move_with(&game, "ada", "E", KEY).await.is(201);
        for player in ["ada", "grace"] {
            let problem = resign_with(&game, player, KEY).await.is_problem(422, "idempotency-key-reused");
            assert_eq!(problem["original"], json!({"player": "ada", "column": "E"}));
        }
        resign_with(&game, "ada", ANOTHER_KEY).await.is(200);
        let problem = move_with(&game, "ada", "E", ANOTHER_KEY).await
            .is_problem(422, "idempotency-key-reused");
        assert_eq!(problem["original"], json!({"player": "ada"}));
        let problem = resign_with(&game, "grace", ANOTHER_KEY).await
            .is_problem(422, "idempotency-key-reused");
        assert_eq!(problem["original"], json!({"player": "ada"}));
        move_with(&game, "ada", "E", KEY).await.is(201);
    }

    async fn a_service_that_requires_if_match_refuses_resignations_without_it(service: Service) {
        let strict = service.strict_replica().await;
        let game = service.game_with("DC").await;
        let there = Game { id: game.id.clone(), service: &strict };
        let answer = resign(&there, "ada").await;
        answer.is_problem(428, "precondition-required");
        assert_eq!(answer.header("etag"), "\"2\"");
        resign_if(&there, "ada", "\"2\"").await.is(200);
    }

    async fn simultaneous_moves_and_resignations_end_the_game_once(service: Service) {
        let replica = service.replica().await;
        for _ in 0..10 {
            let game = service.game_with("DC").await;
            let there = Game { id: game.id.clone(), service: &replica };
            let (one, two, moved) = tokio::join!(
                resign(&game, "ada"), resign(&there, "grace"), there.move_by("ada", "E"));
            let accepted = [&one, &two].iter().filter(|answer| answer.status == 200).count();
            assert_eq!(accepted, 1);
            for (answer, success) in [(one, 200), (two, 200), (moved, 201)] {
                assert!([success, 409].contains(&answer.status.as_u16()));
            }
            let types = game.event_types().await;
            assert_eq!(types.iter().filter(|name| *name == "GameFinished").count(), 1);
            assert_eq!(types.last().map(String::as_str), Some("GameFinished"));
        }
    }

    async fn of_a_move_and_a_resignation_with_the_same_key_only_one_is_carried_out(service: Service) {
        let replica = service.replica().await;
        for _ in 0..10 {
            let game = service.game_with("DC").await;
            let there = Game { id: game.id.clone(), service: &replica };
            let (resigned, moved) = tokio::join!(
                resign_with(&game, "ada", KEY), move_with(&there, "ada", "E", KEY));
            let statuses = [resigned.status.as_u16(), moved.status.as_u16()];
            assert!([[200, 422], [422, 201]].contains(&statuses), "{statuses:?}");
            assert_eq!(game.event_types().await.len(), 4);
        }
    }

    async fn a_watcher_receives_the_resignation(service: Service) {
        let game = service.game_with("DC").await;
        let mut watchers = Vec::new();
        for format in FORMATS {
            watchers.push(game.watch(format, Some(2)).await);
        }
        resign(&game, "ada").await.is(200);
        for watcher in watchers {
            let rest = watcher.rest().await;
            assert_eq!(rest.len(), 1);
            assert_eq!(rest[0]["type"], "GameFinished");
        }
    }

    async fn the_text_board_names_the_winner(service: Service) {
        let game = service.game_with("DC").await;
        let request = resignation(&game, "ada").header("accept", "text/plain");
        let answer = request.send().await.is(200);
        let board = String::from_utf8(answer.body.clone()).expect("text");
        assert!(board.contains("\ngrace won\nrevision 3 of"), "{board}");
        assert_eq!(answer.header("etag"), "\"3-text\"");
    }

    async fn players_with_unusual_names_can_resign(service: Service) {
        for name in ["resign", "3:resign:D", "ünï/cödé %2F", "\"quoted\""] {
            let game = service.start_game(name, "bob").await;
            let first = resign_if(&game, name, "\"0\"").await.is(200);
            assert_same_answer(&resign_if(&game, name, "\"0\"").await.is(200), &first);
            let events = game.events().await;
            assert_eq!(events[1]["metadata"]["player"], name);
        }
    }
}

#[tokio::test]
async fn a_repeated_resignation_is_recognised_after_a_restart() {
    let folder = TempDir::new().expect("a folder");
    let open = async || {
        let store = SqliteStore::open(folder.path().join("games.db")).await;
        Service::on(Arc::new(store.expect("a file of ours"))).await
    };
    let service = open().await;
    let (keyed, plain) = (service.game_with("DC").await, service.game_with("D").await);
    let first = resign_with(&keyed, "grace", KEY).await.is(200);
    let conditional = resign_if(&plain, "ada", "\"1\"").await.is(200);
    let ids = [keyed.id.clone(), plain.id.clone()];
    service.stop().await;

    let service = open().await;
    let [keyed, plain] = ids.map(|id| Game {
        id,
        service: &service,
    });
    for (again, first) in [
        (resign_with(&keyed, "grace", KEY).await, first),
        (resign_if(&plain, "ada", "\"1\"").await, conditional),
    ] {
        assert_same_answer(&again.is(200), &first);
    }
}
