//! Starting and reading games.

use serde_json::json;

use crate::service::{Service, on_every_store};

on_every_store! {
    async fn a_new_game_has_an_empty_board_and_player_one_begins(service: Service) {
        let names = json!({"player_one": "ada", "player_two": "grace"});
        let answer = service.post("/games", names).await.is(201);

        let game = answer.json();
        let id = game["id"].as_str().expect("an id");
        assert_eq!(game, json!({
            "id": id, "revision": 0,
            "player_one": "ada", "player_two": "grace",
            "next_player": "ada", "is_finished": false, "result": null,
            "board": {"A": [], "B": [], "C": [], "D": [], "E": [], "F": [], "G": []},
            "legal_columns": ["A", "B", "C", "D", "E", "F", "G"],
            "last_move": null, "winning_line": null, "protected": false,
        }));
        assert_eq!(answer.header("location"), format!("/games/{id}"));
        assert_eq!(answer.header("content-location"), format!("/games/{id}"));
        assert_eq!(answer.header("etag"), "\"0\"");
        assert_eq!(answer.header("content-type"), "application/json");
    }

    async fn a_read_shows_the_game_after_the_last_move(service: Service) {
        let game = service.game_with("D").await;
        let made = game.move_by("grace", "C").await.is(201);
        let shown = game.get("").await.is(200);

        assert_eq!(shown.body, made.body);
        assert_eq!(shown.header("etag"), "\"2\"");
        assert_eq!(shown.header("cache-control"), "no-cache");
    }

    async fn the_members_of_a_game_have_the_order_of_the_contract(service: Service) {
        let game = service.game_with("").await.get("").await.is(200);
        let names: Vec<_> = game.json().as_object().expect("a game").keys().cloned().collect();
        assert_eq!(names, [
            "id", "revision", "player_one", "player_two", "next_player", "is_finished",
            "result", "board", "legal_columns", "last_move", "winning_line", "protected",
        ]);
    }

    async fn every_game_has_a_different_id(service: Service) {
        let one = service.start_game("ada", "grace").await;
        let other = service.start_game("ada", "grace").await;
        assert_ne!(one.id, other.id);
    }

    async fn names_are_stored_unchanged(service: Service) {
        for name in ["玩家一", " 🟡 ", "O'Brien \"x\" \\ ; DROP TABLE events", &"ł".repeat(64)] {
            let game = service.start_game(name, "bob").await;
            assert_eq!(game.get("").await.json()["player_one"], name);
            game.move_by(name, "A").await.is(201);
        }
    }

    async fn an_unknown_game_is_not_found(service: Service) {
        let id = "01a20715-267e-7489-b4cd-306001f15c27";
        let problem = service.get(&format!("/games/{id}")).await.is_problem(404, "game-not-found");
        assert_eq!(problem["game_id"], id);
    }

    async fn an_id_that_is_not_a_uuid_is_not_found(service: Service) {
        for id in ["1", "x", "01A20715267E7489B4CD306001F15C27", "%F0%9F%9F%A1", "%00"] {
            service.get(&format!("/games/{id}")).await.is_problem(404, "game-not-found");
        }
    }

    async fn an_id_in_upper_case_names_the_same_game(service: Service) {
        let game = service.game_with("D").await;
        let shown = service.get(&format!("/games/{}", game.id.to_uppercase())).await.is(200);
        assert_eq!(shown.json()["id"], game.id);
    }

    async fn head_is_answered_as_get_without_the_body(service: Service) {
        let game = service.game_with("D").await;
        let head = service.request(reqwest::Method::HEAD, &game.path("")).send().await.is(200);
        assert_eq!(head.header("etag"), "\"1\"");
        assert!(head.body.is_empty());
    }
}
