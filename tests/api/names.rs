//! The names of players: which names a new game accepts, and which names are the same name.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde_json::json;

use crate::lists::{nobody_else, seen};
use crate::service::{Service, on_every_store};
use crate::stored_games::{start, stored};

fn encoded(name: &str) -> String {
    utf8_percent_encode(name, NON_ALPHANUMERIC).to_string()
}

on_every_store! {
    async fn a_new_name_is_refused_by_its_character_and_the_place_of_it(service: Service) {
        for (name, detail) in [
            ("\u{2800}\u{3000} ", "blank"),
            ("bob\u{202e}", "character 4 is U+202E"),
            ("bob\u{200b}", "character 4 is U+200B"),
            ("\u{ad}bob", "character 1 is U+00AD"),
            ("b\u{200d}ob", "character 2 is U+200D"),
            ("bob\u{fe0f}", "character 4 is U+FE0F"),
            ("a\u{1}b", "character 2 is U+0001"),
            ("a\u{2028}b", "character 2 is U+2028"),
            ("👍\u{e0001}", "character 2 is U+E0001"),
        ] {
            for (one, two, pointer) in [(name, "alice", "player_one"), ("alice", name, "player_two")] {
                let body = json!({"player_one": one, "player_two": two});
                let refused = service.post("/games", body).await;
                let problem = refused.is_problem(422, "invalid-request");
                assert_eq!(problem["errors"][0]["pointer"], format!("#/{pointer}"));
                let said = problem["errors"][0]["detail"].as_str().expect("a text");
                assert!(said.contains(detail), "{name:?}: {said}");
            }
        }
        for name in ["👩\u{200d}👩\u{200d}👧", "🏳\u{fe0f}\u{200d}🌈", "7\u{fe0f}\u{20e3}", "जोशी", "\u{601}1"] {
            let game = service.start_game(name, "alice").await;
            assert_eq!(game.get("").await.is(200).json()["player_one"], name);
        }
    }

    async fn names_that_differ_only_in_their_normalization_are_the_same_name(service: Service) {
        let rest = nobody_else("");
        let (composed, decomposed) = (format!("Zo\u{eb}{rest}"), format!("Zoe\u{308}{rest}"));
        let same = json!({"player_one": composed, "player_two": decomposed});
        service.post("/games", same).await.is_problem(422, "players-not-distinct");

        let game = service.start_game(&decomposed, "bob").await;
        assert_eq!(game.get("").await.is(200).json()["player_one"], composed);
        let again = service.request(Method::PUT, &game.path(""));
        again.json(&json!({"player_one": decomposed, "player_two": "bob"})).send().await.is(200);

        let keyed = |name: &str| {
            let request = game.move_request(name, "D");
            request.header("idempotency-key", "0f3cd2a1-94f5-4e4c").send()
        };
        let made = keyed(&decomposed).await.is(201);
        assert_eq!(made.json()["last_move"]["player"], composed);
        for name in [&composed, &decomposed] {
            assert_eq!(keyed(name).await.is(201).body, made.body, "a repeated request");
        }
        let resigned = service.post(&game.path("/resignation"), json!({"player": decomposed})).await;
        let position = resigned.header("event-position").to_owned();
        assert_eq!(resigned.json()["result"], "PLAYER_TWO_WON");
        for name in [&composed, &decomposed] {
            let player = seen(&service, &format!("/players/{}", encoded(name)), &position).await;
            assert_eq!(player.is(200).json()["player"], composed);
            let list = seen(&service, &format!("/games?player={}", encoded(name)), &position).await;
            assert_eq!(list.is(200).json()["games"][0]["id"], game.id);
        }
    }

    async fn a_stored_game_keeps_its_names_in_every_normalization(service: Service) {
        let (composed, decomposed) = ("Zo\u{eb}", "Zoe\u{308}");
        let game = stored(&service, &[start(decomposed, "grace")]).await;
        let names = json!({"player_one": composed, "player_two": "grace"});
        service.request(Method::PUT, &game.path("")).json(&names).send().await.is(200);
        let made = game.move_by(composed, "D").await.is(201);
        assert_eq!(made.json()["last_move"]["player"], decomposed, "as the other programs know it");
        game.move_by("grace", "D").await.is(201);
        let position = game.move_by(decomposed, "D").await.is(201).header("event-position").to_owned();
        for name in [composed, decomposed] {
            let path = format!("/games?limit=100&player={}", encoded(name));
            let list = seen(&service, &path, &position).await.is(200).json();
            let games = list["games"].as_array().expect("games");
            assert!(games.iter().any(|listed| listed["id"] == game.id), "{name}: {list}");
        }

        let both = stored(&service, &[start(composed, decomposed)]).await;
        for name in [composed, decomposed, composed] {
            let made = both.move_by(name, "D").await.is(201);
            assert_eq!(made.json()["last_move"]["player"], name);
        }
    }
}
