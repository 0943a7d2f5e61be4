//! The board as text for clients that request it with `Accept`, and JSON for all others.

use reqwest::Method;
use serde_json::json;

use crate::service::{Answer, Game, Service, on_every_store};

async fn with_accept(game: &Game<'_>, rest: &str, accept: &str) -> Answer {
    let request = game.service.request(Method::GET, &game.path(rest));
    request.header("accept", accept).send().await
}

fn text(answer: &Answer) -> String {
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(answer.header("vary").to_lowercase(), "accept");
    String::from_utf8(answer.body.clone()).expect("UTF-8")
}

on_every_store! {
    async fn a_client_that_accepts_text_gets_the_board(service: Service) {
        let game = service.game_with("DD").await;
        let answer = with_accept(&game, "", "text/plain").await.is(200);
        let board = text(&answer);
        assert!(board.starts_with("  A   B   C   D   E   F   G\n╔═══╦═══╦"), "{board}");
        assert!(board.contains("\n║   ║   ║   ║ R ║   ║   ║   ║\n╠"), "{board}");
        assert!(board.contains("\n║   ║   ║   ║ Y ║   ║   ║   ║\n╚"), "{board}");
        let end = format!("\nY ada   R grace\nada's turn\nrevision 2 of {}\n", game.path(""));
        assert!(board.ends_with(&end), "{board}");
        assert_eq!(answer.header("etag"), "\"2-text\"");
        assert_eq!(answer.header("cache-control"), "no-cache");
    }

    async fn commands_are_also_answered_with_the_board(service: Service) {
        let names = json!({"player_one": "ada", "player_two": "grace"});
        let started = service.request(Method::POST, "/games")
            .header("accept", "text/plain").json(&names).send().await.is(201);
        assert!(text(&started).contains("ada's turn\nrevision 0 of /games/"));
        assert_eq!(started.header("etag"), "\"0-text\"");

        let moves = format!("{}/moves", started.header("location"));
        let body = json!({"player": "ada", "column": "D"});
        let moved = service.request(Method::POST, &moves)
            .header("accept", "text/plain").json(&body).send().await.is(201);
        assert!(text(&moved).contains("grace's turn\nrevision 1 of /games/"));
        // A refusal is always a problem document.
        service.request(Method::POST, &moves)
            .header("accept", "text/plain").json(&body).send().await
            .is_problem(409, "not-your-turn");
    }

    async fn the_board_is_coloured_only_on_request(service: Service) {
        let game = service.game_with("D").await;
        let coloured = with_accept(&game, "?color=always", "text/plain").await.is(200);
        assert!(text(&coloured).contains("\x1b[93m●\x1b[0m"));
        let plain = with_accept(&game, "?color=never", "text/plain").await.is(200);
        assert!(!text(&plain).contains('\x1b'));
        with_accept(&game, "?color=always", "*/*").await.is(200).json();
        let problem = with_accept(&game, "?color=yes", "text/plain").await;
        assert_eq!(problem.is_problem(400, "invalid-query")["parameter"], "color");
    }

    async fn only_the_accept_field_decides(service: Service) {
        let game = service.game_with("D").await;
        for accept in [
            "*/*", "application/json, text/plain", "application/json, text/html;q=0.8", "?!",
            "application/json; charset=utf-8", "text/plain;q=0.5, application/json",
        ] {
            let answer = with_accept(&game, "", accept).await.is(200);
            assert_eq!(answer.header("content-type"), "application/json", "{accept}");
            assert_eq!(answer.header("vary").to_lowercase(), "accept");
            assert_eq!(answer.header("etag"), "\"1\"");
        }
        for accept in ["text/plain", "text/*", "text/plain; charset=utf-8", "text/plain, */*;q=0.1"] {
            text(&with_accept(&game, "", accept).await.is(200));
        }
        let by_curl = service.request(Method::GET, &game.path(""))
            .header("user-agent", "curl/8.7.1").send().await;
        by_curl.is(200).json();
    }
}
