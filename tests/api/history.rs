//! Reading the moves and the events of a game.

use serde_json::{Value, json};

use crate::service::{Service, on_every_store};

on_every_store! {
    async fn moves_are_listed_in_order(service: Service) {
        let game = service.game_with("DDC").await;
        let answer = game.get("/moves").await.is(200);
        assert_eq!(answer.json(), json!({"revision": 3, "moves": [
            {"number": 1, "player": "ada", "column": "D", "row": 1, "disc": "YELLOW",
             "revision": 1, "resulting_revision": 1},
            {"number": 2, "player": "grace", "column": "D", "row": 2, "disc": "RED",
             "revision": 2, "resulting_revision": 2},
            {"number": 3, "player": "ada", "column": "C", "row": 1, "disc": "YELLOW",
             "revision": 3, "resulting_revision": 3},
        ]}));
        assert_eq!(answer.header("etag"), "\"3\"");
        assert_eq!(answer.header("cache-control"), "no-cache");
    }

    async fn the_resulting_revision_of_the_last_move_is_the_finish(service: Service) {
        let game = service.game_with("ABABABA").await;
        let last = game.get("/moves/7").await.is(200);
        assert_eq!(last.json()["revision"], 7);
        assert_eq!(last.json()["resulting_revision"], 8);
        assert_eq!(last.header("etag"), "\"8\"");
    }

    async fn the_answer_for_a_move_never_changes(service: Service) {
        let game = service.game_with("D").await;
        let before = game.get("/moves/1").await.is(200);
        game.move_by("grace", "C").await.is(201);
        let after = game.get("/moves/1").await.is(200);

        assert_eq!(before.body, after.body);
        assert_eq!(before.header("etag"), after.header("etag"));
        assert_eq!(after.header("cache-control"), "public, max-age=31536000, immutable");
    }

    async fn a_move_that_was_not_made_yet_is_not_found(service: Service) {
        let game = service.game_with("D").await;
        for number in ["2", "0", "-1", "x", "99999999999999999999"] {
            let problem = game.get(&format!("/moves/{number}")).await;
            assert_eq!(problem.is_problem(404, "move-not-found")["current_revision"], 1);
        }
        game.move_by("grace", "C").await.is(201);
        game.get("/moves/2").await.is(200);
    }

    async fn events_have_the_types_and_members_of_the_tutorial(service: Service) {
        let game = service.game_with("ABABABA").await;
        let page = game.get("/events").await.is(200);
        let events = page.json()["events"].as_array().expect("events").clone();
        let stored: Vec<_> = events.iter().map(|event| {
            (event["revision"].clone(), event["type"].clone(), event["data"].clone())
        }).collect();
        let first = json!({"player_one": "ada", "player_two": "grace"});
        assert_eq!(stored[0], (json!(0), json!("GameStarted"), first));
        let second = json!({"player": "ada", "column": "A"});
        assert_eq!(stored[1], (json!(1), json!("MoveMade"), second));
        let last = json!({"result": "PLAYER_ONE_WON"});
        assert_eq!(stored[8], (json!(8), json!("GameFinished"), last));
        assert_eq!(page.header("etag"), "\"8\"");

        for event in &events {
            assert_eq!(event["metadata"], json!({}));
            let id = event["id"].as_str().expect("an id");
            uuid::Uuid::try_parse(id).expect("a UUID");
            let at = event["recorded_at"].as_str().expect("a time");
            assert!(at.ends_with('Z') && at.contains('.'), "{at} has a fraction of a second");
            chrono::DateTime::parse_from_rfc3339(at).expect("an RFC 3339 time");
        }
    }

    async fn following_the_next_links_reads_all_events(service: Service) {
        let game = service.game_with("ABABABA").await;
        let whole = game.get("/events?limit=100").await.json();
        assert_eq!(whole["next"], json!(null));

        let mut url = game.path("/events?limit=4");
        let mut pages = Vec::new();
        loop {
            let answer = service.get(&url).await.is(200);
            let page = answer.json();
            pages.push(page["events"].as_array().expect("events").clone());
            let Value::String(next) = &page["next"] else {
                break;
            };
            assert_eq!(answer.header("link"), format!("<{next}>; rel=\"next\""));
            url = next.clone();
        }
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [4, 4, 1]);
        assert_eq!(json!(pages.concat()), whole["events"]);
    }

    async fn a_page_has_twenty_events_by_default(service: Service) {
        let game = service.game_with("AAAAAABBBBBBCCCCCCEDDD").await;
        let page = game.get("/events").await.json();
        assert_eq!(page["events"].as_array().map(Vec::len), Some(20));
        assert_eq!(page["next"], game.path("/events?after=19&limit=20"));
    }

    async fn a_page_after_the_last_event_is_empty(service: Service) {
        let game = service.game_with("D").await;
        for after in ["1", "7", "18446744073709551615"] {
            let page = game.get(&format!("/events?after={after}")).await.is(200).json();
            assert_eq!(page, json!({"revision": 1, "events": [], "next": null}));
        }
    }
}
