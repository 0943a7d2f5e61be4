//! Invalid requests. The answer to each says what is wrong.

use reqwest::Method;
use serde_json::{Value, json};

use crate::service::{Answer, Game, Service, on_every_store};

/// Sends this text as the JSON body of a move.
async fn move_with(game: &Game<'_>, body: impl Into<reqwest::Body>) -> Answer {
    let request = game.service.request(Method::POST, &game.path("/moves"));
    request.raw_json(body).send().await
}

fn pointers(problem: &Value) -> Vec<&str> {
    let errors = problem["errors"].as_array().expect("a list of errors");
    errors
        .iter()
        .map(|error| {
            assert!(
                error["detail"]
                    .as_str()
                    .is_some_and(|text| !text.is_empty())
            );
            error["pointer"].as_str().expect("a pointer")
        })
        .collect()
}

on_every_store! {
    async fn a_body_that_is_not_json_is_malformed(service: Service) {
        let game = service.game_with("").await;
        for body in [
            "", "{", "column=D", "{\"player\":\"ada\",}", "{\"player\":\"\\ud800\",\"column\":\"D\"}",
            "{\"player\":\"ada\",\"column\":\"D\"} x", "nul",
        ] {
            move_with(&game, body).await.is_problem(400, "malformed-json");
        }
        let not_utf8 = b"{\"player\":\"\xff\",\"column\":\"D\"}".to_vec();
        move_with(&game, not_utf8).await.is_problem(400, "malformed-json");
        let deep = "[".repeat(2000);
        move_with(&game, format!("{{\"player\":{deep}")).await.is_problem(400, "malformed-json");
    }

    async fn a_body_must_be_an_object(service: Service) {
        let game = service.game_with("").await;
        for body in ["[]", "null", "3", "\"D\"", "true"] {
            let problem = move_with(&game, body).await.is_problem(422, "invalid-request");
            assert_eq!(pointers(&problem), ["#"]);
        }
    }

    async fn a_move_needs_its_player_and_its_column(service: Service) {
        let game = service.game_with("").await;
        let problem = move_with(&game, "{}").await.is_problem(422, "invalid-request");
        assert_eq!(pointers(&problem), ["#/player", "#/column"]);
        let problem = move_with(&game, r#"{"player":"ada","column":4}"#).await
            .is_problem(422, "invalid-request");
        assert_eq!(pointers(&problem), ["#/column"]);
        let problem = move_with(&game, r#"{"player":null,"column":["D"]}"#).await
            .is_problem(422, "invalid-request");
        assert_eq!(pointers(&problem), ["#/player", "#/column"]);
    }

    async fn an_unknown_member_is_refused(service: Service) {
        let game = service.game_with("").await;
        let problem = move_with(&game, r#"{"player":"ada","col":"D"}"#).await
            .is_problem(422, "invalid-request");
        assert_eq!(pointers(&problem), ["#/column", "#/col"]);
        let problem = move_with(&game, r#"{"player":"ada","column":"D","a/b~c d":1}"#).await
            .is_problem(422, "invalid-request");
        assert_eq!(pointers(&problem), ["#/a~1b~0c%20d"]);
        let twice = r#"{"player":"ada","column":"D","column":"E"}"#;
        let problem = move_with(&game, twice).await.is_problem(422, "invalid-request");
        assert_eq!(pointers(&problem), ["#/column"]);
    }

    async fn a_column_is_a_letter_from_a_to_g(service: Service) {
        let game = service.game_with("").await;
        for column in ["H", "d", "", "DD", "4", " D"] {
            let problem = game.move_by("ada", column).await.is_problem(422, "invalid-request");
            assert_eq!(pointers(&problem), ["#/column"]);
        }
    }

    async fn a_name_that_is_blank_or_too_long_or_has_control_characters_is_refused(service: Service) {
        let long = "x".repeat(65);
        for name in ["", "  ", "\t", "a\nb", "a\u{0}b", &long] {
            let names = json!({"player_one": "ada", "player_two": name});
            let problem = service.post("/games", names).await.is_problem(422, "invalid-request");
            assert_eq!(pointers(&problem), ["#/player_two"]);
        }
    }

    async fn a_game_needs_two_different_players(service: Service) {
        let names = json!({"player_one": "ada", "player_two": "ada"});
        service.post("/games", names).await.is_problem(422, "players-not-distinct");
    }

    async fn a_body_without_the_json_content_type_is_refused(service: Service) {
        let game = service.game_with("").await;
        let body = r#"{"player":"ada","column":"D"}"#;
        for content_type in ["application/x-www-form-urlencoded", "text/plain", "json", ""] {
            let answer = service.request(Method::POST, &game.path("/moves"))
                .header("content-type", content_type).body(body).send().await;
            assert_eq!(answer.header("accept"), "application/json");
            let problem = answer.is_problem(415, "unsupported-media-type");
            assert_eq!(problem["accepted"], json!(["application/json"]));
            let curl = problem["detail"].as_str().expect("a detail");
            assert!(curl.contains("curl") && curl.contains(&game.path("/moves")), "{curl}");
        }
        for content_type in ["application/json; charset=utf-8", "application/vnd.x+json"] {
            service.request(Method::POST, "/games").header("content-type", content_type)
                .body(r#"{"player_one":"ada","player_two":"grace"}"#).send().await.is(201);
        }
    }

    async fn a_body_that_is_too_large_is_refused_before_all_other_checks(service: Service) {
        let game = service.game_with("").await;
        let large = " ".repeat(5000);
        move_with(&game, " ".repeat(65_537)).await.is_problem(413, "payload-too-large");
        service.request(Method::POST, "/games").body(large.clone()).send().await
            .is_problem(413, "payload-too-large");
        // Without a Content-Length, the size is checked while reading.
        let chunks = [" ".repeat(40_000), large.repeat(8)].map(Ok::<_, std::convert::Infallible>);
        let body = reqwest::Body::wrap_stream(futures_util::stream::iter(chunks));
        move_with(&game, body).await.is_problem(413, "payload-too-large");
    }

    async fn a_body_is_checked_before_the_game_is_loaded(service: Service) {
        let nowhere = "/games/01a20715-267e-7489-b4cd-306001f15c27/moves";
        let body = json!({"player": "ada", "column": "Z"});
        service.post(nowhere, body).await.is_problem(422, "invalid-request");
    }

    async fn an_unavailable_media_type_in_accept_is_refused(service: Service) {
        let game = service.game_with("D").await;
        for (path, offered) in [
            ("", &["application/json", "text/plain", "text/html"][..]),
            ("/moves", &["application/json"]),
            ("/moves/1", &["application/json"]),
            ("/events", &["application/json", "text/event-stream", "application/x-ndjson"]),
        ] {
            for accept in ["text/csv", "image/*", "application/pdf;q=0.5"] {
                let problem = service.request(Method::GET, &game.path(path))
                    .header("accept", accept).send().await
                    .is_problem(406, "not-acceptable");
                assert_eq!(problem["accepted"], json!(offered));
            }
            for accept in ["*/*", "application/*", "text/html, application/json;q=0.1", "?!"] {
                service.request(Method::GET, &game.path(path))
                    .header("accept", accept).send().await.is(200);
            }
        }
    }

    async fn a_query_parameter_out_of_range_is_named(service: Service) {
        let game = service.game_with("D").await;
        for (query, parameter) in [
            ("limit=0", "limit"), ("limit=101", "limit"), ("limit=", "limit"),
            ("limit=ten", "limit"), ("after=-1", "after"), ("after=1.5", "after"),
            ("after=18446744073709551616", "after"), ("afer=1", "afer"),
            ("after=1&after=2", "after"),
        ] {
            let problem = game.get(&format!("/events?{query}")).await
                .is_problem(400, "invalid-query");
            assert_eq!(problem["parameter"], parameter, "{query}");
        }
        game.get("?x=1").await.is_problem(400, "invalid-query");
    }

    async fn bytes_in_a_query_that_are_not_utf_8_are_refused(service: Service) {
        for (query, parameter) in [
            ("player=%FF", "player"), ("player=a%C3", "player"), ("limit=1&player=%C3%28", "player"),
            ("player=%ED%A0%80", "player"), ("%FF=1", "\u{fffd}"), ("player=%C3&status=%A9", "player"),
        ] {
            let problem = service.get(&format!("/games?{query}")).await.is_problem(400, "invalid-query");
            assert_eq!(problem["parameter"], parameter, "{query}");
        }
        let game = service.game_with("D").await;
        for path in [game.path("?%FF"), game.path("/moves?x=%FF"), "/players?sort=%FF".to_owned(), "/events?%80".to_owned()] {
            let problem = service.get(&path).await.is_problem(400, "invalid-query");
            let detail = problem["detail"].as_str().expect("a detail");
            assert!(detail.contains("UTF-8"), "{path}: {detail}");
        }
        service.get("/games?player=%C3%A9").await.is(200);
    }

    async fn a_method_that_is_not_allowed_is_answered_with_the_allowed_ones(service: Service) {
        let game = service.game_with("D").await;
        for (method, path, allow) in [
            (Method::DELETE, game.path(""), "GET,HEAD,PUT"),
            (Method::PUT, game.path("/moves"), "GET,HEAD,POST"),
            (Method::POST, game.path("/events"), "GET,HEAD"),
            (Method::DELETE, "/games".to_owned(), "GET,HEAD,POST"),
            (Method::GET, game.path("/resignation"), "POST"),
            (Method::POST, "/players/ada".to_owned(), "GET,HEAD"),
        ] {
            let answer = service.request(method, &path).send().await;
            let mut allowed: Vec<_> = answer.header("allow").split(',').collect();
            allowed.sort_unstable();
            assert_eq!(allowed.join(","), allow, "{path}");
            answer.is_problem(405, "method-not-allowed");
        }
    }

    async fn other_paths_are_not_found(service: Service) {
        for path in ["/nowhere", "/games/", "/games/x/y", "//games", "/games/%FF"] {
            let answer = service.get(path).await;
            assert_eq!(answer.status, 404, "{path}");
        }
        service.get("/nowhere").await.is_problem(404, "not-found");
    }

    async fn a_refused_request_records_nothing(service: Service) {
        let game = service.game_with("D").await;
        move_with(&game, "{").await.is(400);
        game.move_by("ada", "D").await.is(409);
        game.move_by("grace", "H").await.is(422);
        assert_eq!(game.event_types().await, ["GameStarted", "MoveMade"]);
    }
}
