//! `If-Match` and `If-None-Match` on moves: one test for each case.

use serde_json::{Value, json};

use crate::service::{Answer, Game, Service, on_every_store};

async fn move_if(game: &Game<'_>, player: &str, column: &str, if_match: &[&str]) -> Answer {
    let request = game.move_request(player, column);
    let request = if_match
        .iter()
        .fold(request, |request, tags| request.header("if-match", tags));
    request.send().await
}

/// Asserts that the answer is 412 with the events that the client missed, and returns them.
#[track_caller]
fn mismatch(answer: &Answer, expected: impl Into<Value>, current: u64) -> Vec<String> {
    let problem = answer.is_problem(412, "revision-mismatch");
    assert_eq!(problem["expected"], expected.into());
    assert_eq!(problem["current_revision"], current);
    assert_eq!(answer.header("etag"), format!("\"{current}\""));
    let missed = problem["missed_events"].as_array().expect("events");
    let column = |event: &Value| event["data"]["column"].as_str().unwrap_or("-").to_owned();
    missed.iter().map(column).collect()
}

on_every_store! {
    async fn a_move_for_the_current_revision_is_made(service: Service) {
        let game = service.game_with("DC").await;
        let answer = move_if(&game, "ada", "E", &["\"2\""]).await.is(201);
        assert_eq!(answer.header("etag"), "\"3\"");
        assert_eq!(answer.header("idempotent-replayed"), "");
    }

    async fn a_move_for_an_earlier_revision_is_answered_with_the_missed_events(service: Service) {
        let game = service.game_with("DCDA").await;
        let stale = move_if(&game, "ada", "E", &["\"2\""]).await;
        assert_eq!(mismatch(&stale, 2, 4), ["D", "A"]);
        let stored = game.get("/events?after=2").await.json();
        let told = stale.is_problem(412, "revision-mismatch")["missed_events"].clone();
        assert_eq!(told, stored["events"]);
        assert_eq!(game.event_types().await.len(), 5);
    }

    async fn a_move_for_a_future_revision_is_not_made(service: Service) {
        let game = service.game_with("DC").await;
        let early = move_if(&game, "ada", "E", &["\"3\""]).await;
        assert_eq!(mismatch(&early, 3, 2), [""; 0]);
    }

    async fn a_repeated_move_for_its_old_revision_gets_the_first_answer(service: Service) {
        let game = service.game_with("DC").await;
        let first = move_if(&game, "ada", "E", &["\"2\""]).await.is(201);
        game.move_by("grace", "E").await.is(201);
        for tags in ["\"2\"", "\"2-text\"", "\"1\", \"2\""] {
            let again = move_if(&game, "ada", "E", &[tags]).await.is(201);
            assert_eq!(again.body, first.body);
            for header in ["etag", "location", "content-location", "cache-control"] {
                assert_eq!(again.header(header), first.header(header));
            }
            assert_eq!(again.header("idempotent-replayed"), "true");
        }
        for (player, column, tags) in [("ada", "F", "\"2\""), ("grace", "E", "\"2\""),
            ("ada", "E", "\"1\""), ("ada", "E", "W/\"2\"")] {
            move_if(&game, player, column, &[tags]).await.is_problem(412, "revision-mismatch");
        }
        assert_eq!(game.event_types().await.len(), 5);
    }

    async fn a_star_matches_every_existing_game(service: Service) {
        let game = service.game_with("DC").await;
        move_if(&game, "ada", "E", &["*"]).await.is(201);
        move_if(&game, "ada", "E", &["*"]).await.is_problem(409, "not-your-turn");
        let nowhere = Game { id: "01a20715-267e-7489-b4cd-306001f15c27".into(), service: &service };
        for tags in ["*", "\"0\""] {
            move_if(&nowhere, "ada", "E", &[tags]).await.is_problem(404, "game-not-found");
        }
    }

    async fn a_weak_tag_never_matches(service: Service) {
        let game = service.game_with("DC").await;
        let weak = move_if(&game, "ada", "E", &["W/\"2\""]).await;
        assert_eq!(mismatch(&weak, 2, 2), [""; 0]);
        let detail = weak.json()["detail"].to_string();
        assert!(detail.contains("weak tags") && detail.contains("never match"), "{detail}");
        move_if(&game, "ada", "E", &["W/\"1\", \"2\""]).await.is(201);
    }

    async fn an_invalid_if_match_is_refused_with_the_correct_one(service: Service) {
        let game = service.game_with("DC").await;
        for (tags, shown) in [
            ("2", "Send If-Match: \"2\""), ("\"2", "Send If-Match: \"2\""),
            ("\"x\"", "Send If-Match: \"7\""), ("\"02\"", "Send If-Match: \"7\""),
            ("W/\"x\"", "Send If-Match: \"7\""), ("\"2\", \"x\"", "Send If-Match: \"7\""),
            ("", "Send If-Match: \"7\""), ("*, \"2\"", "Send If-Match: *"),
        ] {
            let answer = move_if(&game, "ada", "E", &[tags]).await;
            let problem = answer.is_problem(400, "invalid-precondition");
            assert_eq!(problem["header"], "If-Match");
            let detail = problem["detail"].as_str().expect("a detail");
            assert!(detail.contains(shown), "{tags}: {detail}");
        }
        assert_eq!(game.event_types().await.len(), 3);
    }

    async fn a_list_matches_if_any_of_its_tags_is_current(service: Service) {
        let game = service.game_with("DC").await;
        move_if(&game, "ada", "E", &["\"1\", \"2\""]).await.is(201);
        move_if(&game, "grace", "E", &["\"3\"", "\"4\""]).await.is(201);
        let stale = move_if(&game, "ada", "F", &["\"1\"", "\"2\", \"3\""]).await;
        assert_eq!(mismatch(&stale, 3, 4), ["E"]);
    }

    async fn a_list_has_at_most_sixteen_tags(service: Service) {
        let game = service.game_with("DC").await;
        let list = |length: u64| (0..length).map(|n| format!("\"{n}\"")).collect::<Vec<_>>().join(",");
        move_if(&game, "ada", "E", &[&list(17)]).await.is_problem(400, "invalid-precondition");
        move_if(&game, "ada", "E", &[&list(16)]).await.is(201);
    }

    async fn the_tag_of_the_text_board_counts_as_its_revision(service: Service) {
        let game = service.game_with("DC").await;
        move_if(&game, "ada", "E", &["\"2-text\""]).await.is(201);
        let stale = move_if(&game, "ada", "F", &["\"2-text\""]).await;
        assert_eq!(mismatch(&stale, 2, 3), ["E"]);
    }

    async fn if_match_is_checked_after_the_body_and_before_the_rules(service: Service) {
        let game = service.game_with("DC").await;
        move_if(&game, "grace", "E", &["\"1\""]).await.is_problem(412, "revision-mismatch");
        move_if(&game, "grace", "E", &["\"2\""]).await.is_problem(409, "not-your-turn");
        move_if(&game, "grace", "Z", &["\"1\""]).await.is_problem(422, "invalid-request");
        move_if(&game, "grace", "Z", &["1"]).await.is_problem(400, "invalid-precondition");
    }

    async fn a_move_with_if_none_match_is_not_made_at_those_revisions(service: Service) {
        let game = service.game_with("DC").await;
        for tags in ["\"2\"", "W/\"2\"", "\"1\", \"2-text\"", "*"] {
            let request = game.move_request("ada", "E").header("if-none-match", tags);
            let problem = request.send().await.is_problem(412, "revision-mismatch");
            assert_eq!(problem["expected"], json!(null));
            let seen = if tags == "*" { 0 } else { 3 };
            let missed = problem["missed_events"].as_array().map(Vec::len);
            assert_eq!(missed, Some(3 - seen));
        }
        let request = game.move_request("ada", "E").header("if-none-match", "\"1\", \"x\"");
        request.send().await.is(201);
    }

    async fn a_service_that_requires_if_match_refuses_moves_without_it(service: Service) {
        let game = service.game_with("DC").await;
        let strict = service.strict_replica().await;
        let game = Game { id: game.id, service: &strict };
        let answer = game.move_by("ada", "E").await;
        let problem = answer.is_problem(428, "precondition-required");
        assert_eq!(problem["current_revision"], 2);
        assert_eq!(answer.header("etag"), "\"2\"");
        let detail = problem["detail"].as_str().expect("a detail");
        assert!(detail.ends_with("If-Match: \"2\""), "{detail}");
        move_if(&game, "ada", "E", &["\"2\""]).await.is(201);
        move_if(&game, "grace", "E", &["*"]).await.is(201);
        game.move_by("ada", "Z").await.is_problem(422, "invalid-request");
        let nowhere = Game { id: "01a20715-267e-7489-b4cd-306001f15c27".into(), service: &strict };
        nowhere.move_by("ada", "E").await.is_problem(404, "game-not-found");
    }

    async fn the_missed_events_include_the_finish(service: Service) {
        let game = service.game_with("ABABABA").await;
        let stale = move_if(&game, "grace", "C", &["\"6\""]).await;
        let problem = stale.is_problem(412, "revision-mismatch");
        let missed = problem["missed_events"].as_array().expect("events");
        let types: Vec<_> = missed.iter().map(|event| event["type"].clone()).collect();
        assert_eq!(json!(types), json!(["MoveMade", "GameFinished"]));
        move_if(&game, "grace", "C", &["\"8\""]).await.is_problem(409, "game-finished");
    }
}
