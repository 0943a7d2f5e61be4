//! `If-None-Match` on reads: a client that already has the current answer gets 304.

use reqwest::Method;

use crate::service::{Answer, Game, Service, on_every_store};

async fn get(game: &Game<'_>, rest: &str, if_none_match: &[&str]) -> Answer {
    let request = game.service.request(Method::GET, &game.path(rest));
    let request = if_none_match.iter().fold(request, |request, tags| {
        request.header("if-none-match", tags)
    });
    request.send().await
}

on_every_store! {
    async fn a_client_that_has_the_current_answer_gets_304(service: Service) {
        let game = service.game_with("D").await;
        for rest in ["", "/moves", "/moves/1", "/events", "/events?limit=1"] {
            let full = get(&game, rest, &[]).await.is(200);
            let short = get(&game, rest, &["\"1\""]).await.is(304);
            assert!(short.body.is_empty());
            for header in ["etag", "cache-control"] {
                assert_eq!(short.header(header), full.header(header), "{rest} {header}");
            }
            assert_eq!(short.header("content-type"), "");
            assert_ne!(short.header("x-request-id"), "");
        }
    }

    async fn a_client_that_has_an_older_answer_gets_the_new_one(service: Service) {
        let game = service.game_with("D").await;
        game.move_by("grace", "D").await.is(201);
        for rest in ["", "/moves", "/events"] {
            get(&game, rest, &["\"1\""]).await.is(200);
        }
        get(&game, "/moves/1", &["\"1\""]).await.is(304);
    }

    async fn if_none_match_compares_weakly_and_with_every_tag(service: Service) {
        let game = service.game_with("D").await;
        for tags in [
            &["W/\"1\""][..], &["\"0\", \"1\""], &["\"0\"", "\"1\""], &["*"],
            &["\"from,elsewhere\", W/\"1\""],
        ] {
            get(&game, "", tags).await.is(304);
        }
        for tags in [&["\"0\""][..], &["\"1-text\""], &["\"01\""], &["\"x\""], &["W/\"2\""]] {
            get(&game, "", tags).await.is(200);
        }
    }

    async fn an_invalid_if_none_match_is_refused(service: Service) {
        let game = service.game_with("D").await;
        for tags in ["1", "\"1", "", "*, \"1\""] {
            let problem = get(&game, "", &[tags]).await.is_problem(400, "invalid-precondition");
            assert_eq!(problem["header"], "If-None-Match");
        }
        let problem = get(&game, "", &["1"]).await.is_problem(400, "invalid-precondition");
        let detail = problem["detail"].as_str().expect("a detail");
        assert!(detail.ends_with("Send If-None-Match: \"1\""), "{detail}");
    }

    async fn an_unknown_game_is_not_found_with_any_if_none_match(service: Service) {
        let nowhere = "/games/01a20715-267e-7489-b4cd-306001f15c27";
        let request = service.request(Method::GET, nowhere).header("if-none-match", "*");
        request.send().await.is_problem(404, "game-not-found");
    }

    async fn if_none_match_also_applies_to_head(service: Service) {
        let game = service.game_with("D").await;
        let request = service.request(Method::HEAD, &game.path(""));
        let head = request.header("if-none-match", "\"1\"").send().await.is(304);
        assert_eq!(head.header("etag"), "\"1\"");
    }

    // Zero would be a lie: it would be the length of the 200 (RFC 9110, 8.6).
    async fn a_304_and_a_204_do_not_have_a_length_of_zero(service: Service) {
        let game = service.game_with("D").await;
        for method in [Method::HEAD, Method::GET] {
            for rest in ["", "?revision=1", "/moves", "/moves/1", "/events"] {
                let request = service.request(method.clone(), &game.path(rest));
                let full = request.send().await.is(200);
                let request = service.request(method.clone(), &game.path(rest)).header("if-none-match", "\"1\"");
                let short = request.send().await.is(304);
                let length = short.header("content-length");
                assert!(length.is_empty() || length == full.header("content-length"), "{method} {rest}: {length}");
            }
        }
        // The connection can still be used.
        game.get("").await.is(200);
        let finished = service.game_with("ABABABA").await;
        let request = service.request(Method::GET, &finished.path("/events")).header("last-event-id", "8");
        let none = request.header("accept", "text/event-stream").send().await.is(204);
        assert_eq!(none.header("content-length"), "");
    }

    async fn a_read_with_an_if_match_that_is_false_gets_412(service: Service) {
        let game = service.game_with("D").await;
        for method in [Method::GET, Method::HEAD] {
            let send = |path: String, tags: &'static [&'static str]| {
                let request = service.request(method.clone(), &path);
                tags.iter().fold(request, |request, tags| request.header("if-match", tags)).send()
            };
            for rest in ["", "?revision=1", "/moves", "/moves/1", "/events"] {
                for tags in [&["\"1\""][..], &["*"], &["\"0\", , \"1\""], &["\"x\"", "\"1\""]] {
                    send(game.path(rest), tags).await.is(200);
                }
                for tags in [&["\"0\""][..], &["W/\"1\""], &["\"x\""], &["\"0\", \"2\""]] {
                    let answer = send(game.path(rest), tags).await.is(412);
                    assert_eq!(answer.header("etag"), "\"1\"", "{method} {rest}");
                    if method == Method::GET {
                        answer.is_problem(412, "precondition-failed");
                    }
                }
                send(game.path(rest), &["1"]).await.is(400);
            }
            // They have no entity tag that could match.
            for path in ["/games", "/players", "/players/ada", "/events", "/", "/docs", "/openapi.yaml", "/openapi.json",
                "/problems", "/problems/column-full", "/livez", "/readyz", "/metrics"] {
                service.request(Method::GET, path).header("if-match", "*").send().await.is(200);
                send(path.to_owned(), &["\"1\""]).await.is(412);
            }
            // Only the answer to a request that would succeed depends on it (RFC 9110, 13.2.1).
            send("/games/01a20715-267e-7489-b4cd-306001f15c27".into(), &["\"1\""]).await.is(404);
            send(game.path("?x=1"), &["\"0\""]).await.is(400);
        }
    }

    async fn if_match_is_checked_before_if_none_match_and_does_not_wait(service: Service) {
        let game = service.game_with("D").await;
        let send = |if_match, if_none_match| {
            let request = service.request(Method::GET, &game.path("")).header("if-match", if_match);
            request.header("if-none-match", if_none_match).header("prefer", "wait=30").send()
        };
        send("\"0\"", "\"1\"").await.is_problem(412, "precondition-failed");
        send("\"1\"", "\"1\"").await.is(304);
        send("\"1\"", "\"0\"").await.is(200);
    }

    async fn the_tag_of_the_text_board_is_its_own(service: Service) {
        let game = service.game_with("D").await;
        for (tag, status) in [("\"1-text\"", 200), ("\"1\"", 412)] {
            let request = service.request(Method::GET, &game.path("")).header("accept", "text/plain");
            request.header("if-match", tag).send().await.is(status);
        }
    }

    // The list of games has no entity tag that could match, and it exists already.
    async fn a_start_with_a_precondition_that_is_false_starts_nothing(service: Service) {
        let start = |field, value, key: bool| {
            let request = service.request(Method::POST, "/games").header(field, value);
            let request = if key { request.header("idempotency-key", &uuid::Uuid::new_v4().to_string()) } else { request };
            request.json(&serde_json::json!({"player_one": "Hypatia", "player_two": "Theon"})).send()
        };
        for key in [false, true] {
            for (field, value) in [("if-match", "\"1\""), ("if-match", "W/\"0\""), ("if-none-match", "*")] {
                start(field, value, key).await.is_problem(412, "precondition-failed");
            }
            start("if-match", "1", key).await.is_problem(400, "invalid-precondition");
        }
        let games = service.get("/games?player=Hypatia").await.is(200).json();
        assert_eq!(games["games"], serde_json::json!([]));
        for key in [false, true] {
            for (field, value) in [("if-match", "*"), ("if-none-match", "\"1\"")] {
                start(field, value, key).await.is(201);
            }
        }
    }
}
