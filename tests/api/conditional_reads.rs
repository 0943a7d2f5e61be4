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
}
