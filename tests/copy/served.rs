//! What clients of a service see of copied events.

use reqwest::Client;
use serde_json::{Value, json};

use crate::double::Double;
use crate::histories::all_events;
use crate::program::{Program, copy};
use crate::stores::{Files, to_read};

const GAME: &str = "/games/5b0f3a52-8c1e-4d49-9a57-0d7a0c3f9e12";

async fn get(url: &str, path: &str) -> String {
    let answer = Client::new().get(format!("{url}{path}")).send().await;
    answer.expect("an answer").text().await.expect("text")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copied_game_looks_the_same_and_is_continued() {
    let files = Files::new();
    let double = Double::start().await;
    let from = files.url("from.db");
    let (service, url) = Program::serve(&from).await;
    let http = Client::new();
    let names = json!({"player_one": "ada", "player_two": "grace"});
    let key = "a-key-of-sixteen-characters-or-more";
    http.put(format!("{url}{GAME}"))
        .json(&names)
        .send()
        .await
        .expect("an answer");
    let column_d = |url: &str| {
        let body = json!({"player": "ada", "column": "D"});
        let moved = Client::new().post(format!("{url}{GAME}/moves")).json(&body);
        moved.header("Idempotency-Key", key).send()
    };
    let moved = column_d(&url)
        .await
        .expect("an answer")
        .text()
        .await
        .expect("text");
    let paths = [GAME, &format!("{GAME}/events"), "/players/ada"];
    let mut before = Vec::new();
    for path in paths {
        before.push(get(&url, path).await);
    }
    let lists = "/games?player=ada";
    let listed: Value = serde_json::from_str(&get(&url, lists).await).expect("JSON");
    service.signal("TERM").await;
    service.end().await;

    for to in [files.url("to.db"), double.connection_string()] {
        copy(&from, &to).await;
        let stored = all_events(&*to_read(&to).await).await;
        for event in &stored {
            let metadata = String::from_utf8_lossy(&event.metadata);
            assert!(metadata.contains("first_recorded_at"), "{metadata}");
        }
        let (service, url) = Program::serve(&to).await;
        // The lists answer 503 until the read model has read the events.
        let listed_now = loop {
            let now: Value = serde_json::from_str(&get(&url, lists).await).expect("JSON");
            if now["games"].is_array() {
                break now;
            }
        };
        assert_eq!(listed_now, listed);
        for (path, before) in paths.iter().zip(&before) {
            assert_eq!(get(&url, path).await, *before, "{path}");
        }
        let all = get(&url, "/events").await;
        assert!(!all.contains("first_recorded_at"), "{all}");
        // The repeated request is recognised, and the game goes on.
        let again = column_d(&url)
            .await
            .expect("an answer")
            .text()
            .await
            .expect("text");
        assert_eq!(again, moved);
        let body = json!({"player": "grace", "column": "D"});
        let next = http
            .post(format!("{url}{GAME}/moves"))
            .json(&body)
            .send()
            .await;
        assert_eq!(next.expect("an answer").status(), 201);
        service.kill().await;
    }
}
