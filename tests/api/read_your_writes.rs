//! Read your writes: a list includes the write, or the wait ends after the time that the client gave.

use std::pin::pin;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use connect_four::event_store::{GlobalPosition, MemoryStore};
use connect_four::http::{App, router};
use futures_util::poll;
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use tower::ServiceExt;

use crate::held_store::HeldStore;
use crate::idempotency_keys::KEY;
use crate::lists::{nobody_else, seen};
use crate::service::{Answer, Client, Service, on_every_store};

const LISTS: [&str; 3] = ["/games", "/players", "/players/ada"];

fn position(answer: &Answer) -> GlobalPosition {
    let text = answer.header("event-position");
    text.parse()
        .unwrap_or_else(|_| panic!("{text:?} is not a position"))
}

async fn as_of(client: &Client, path: &str, position: &str) -> Answer {
    let request = client.request(Method::GET, path);
    request.header("event-position", position).send().await
}

on_every_store! {
    async fn a_repeated_write_is_answered_with_the_event_position_of_the_first(service: Service) {
        let names = json!({"player_one": "ada", "player_two": "grace"});
        let start = |key| {
            let request = service.request(Method::POST, "/games").header("idempotency-key", key);
            request.json(&names).send()
        };
        let key = &uuid::Uuid::now_v7().to_string();
        let started = start(key).await.is(201);
        let id = started.json()["id"].as_str().expect("an id").to_owned();
        let game = service.game(&id);
        let keyed = |player, column| {
            game.move_request(player, column).header("idempotency-key", KEY).send()
        };
        let moved = keyed("ada", "D").await.is(201);
        let resigned = service.post(&game.path("/resignation"), json!({"player": "ada"})).await.is(200);
        assert!(position(&started) < position(&moved));
        assert!(position(&moved) < position(&resigned));
        assert_eq!(position(&start(key).await.is(201)), position(&started));
        assert_eq!(position(&keyed("ada", "D").await.is(201)), position(&moved));
        let put = service.request(Method::PUT, &game.path("")).json(&names).send().await.is(200);
        assert_eq!(position(&put), position(&resigned));
        let told = service.get("/events?limit=100").await.json();
        assert!(told["events"].as_array().is_some_and(|events| !events.is_empty()));
    }

    async fn a_list_that_waits_for_a_position_includes_the_write(service: Service) {
        let (ada, grace) = (&nobody_else("ada"), &nobody_else("grace"));
        let replica = service.replica().await;
        let game = service.start_game(ada, grace).await;
        for (revision, (player, column)) in [ada, grace].iter().cycle().zip("AABBCCEEFFGG".chars()).enumerate() {
            let written = game.move_by(player, &column.to_string()).await.is(201);
            let at = written.header("event-position");
            for service in [&service, &replica] {
                let list = seen(service, &format!("/games?player={ada}"), at).await.is(200);
                assert_eq!(list.json()["games"][0]["revision"], revision as u64 + 1);
                assert!(position(&list) >= position(&written));
                assert_eq!(list.header("preference-applied"), "wait=30");
            }
            let record = seen(&service, &format!("/players/{ada}"), at).await.is(200);
            assert_eq!(record.json()["in_progress"], 1);
        }
    }

    async fn a_list_that_is_behind_the_position_is_answered_with_503(service: Service) {
        let held = HeldStore::new(service.store.clone());
        let behind = Service::on(held.clone()).await;
        let ada = &nobody_else("ada");
        let names = json!({"player_one": ada, "player_two": "grace"});
        let written = behind.post("/games", names).await.is(201);
        let at = written.header("event-position");
        for path in LISTS {
            let asked = Instant::now();
            let answer = as_of(&behind, path, at).await;
            let problem = answer.is_problem(503, "read-model-behind");
            assert_eq!(problem["expected"], at);
            assert_eq!(answer.header("retry-after"), "1");
            assert_eq!(answer.header("preference-applied"), "");
            assert!(asked.elapsed() < Duration::from_secs(1));
        }
        for wait in ["wait=0", "wait=1"] {
            let seconds = Duration::from_secs(wait[5..].parse().expect("a number"));
            let asked = Instant::now();
            let request = behind.request(Method::GET, "/games").header("event-position", at);
            let answer = request.header("prefer", wait).send().await;
            answer.is_problem(503, "read-model-behind");
            assert_eq!(answer.header("preference-applied"), wait);
            assert!(asked.elapsed() >= seconds);
            assert!(asked.elapsed() < seconds + Duration::from_secs(1));
        }
        // Before the read model has caught up once, the answer is 503 and not an empty list.
        for path in LISTS {
            let answer = behind.get(path).await;
            let problem = answer.is_problem(503, "read-model-behind");
            assert_eq!(problem["expected"], json!(null));
            assert_eq!(answer.header("retry-after"), "1");
        }
        let path = format!("/games?player={ada}");
        let waiting = seen(&behind, &path, at);
        let asked = Instant::now();
        let (answer, ()) = tokio::join!(waiting, async { held.let_go() });
        assert_eq!(answer.is(200).json()["games"][0]["player_one"], *ada);
        assert!(asked.elapsed() < Duration::from_secs(25));
        as_of(&behind, &path, at).await.is(200);
    }

    async fn an_invalid_event_position_is_refused(service: Service) {
        for path in LISTS {
            for text in ["", "x", "-1", "+1", "1-", "\"1\"", "18446744073709551616"] {
                let answer = as_of(&service, path, text).await;
                let problem = answer.is_problem(400, "invalid-event-position");
                assert_eq!(problem["header"], "Event-Position");
            }
            let request = service.request(Method::GET, path).header("event-position", "1");
            let twice = request.header("event-position", "1").send().await;
            twice.is_problem(400, "invalid-event-position");
        }
        service.is_ready().await;
        let nothing_asked = service.request(Method::GET, "/games").header("prefer", "wait=3");
        assert_eq!(nothing_asked.send().await.is(200).header("preference-applied"), "");
    }

    async fn a_service_is_ready_once_its_lists_have_caught_up(service: Service) {
        service.game_with("AB").await;
        service.is_ready().await;
        let held = HeldStore::new(service.store.clone());
        let replica = Service::on(held.clone()).await;
        let answer = replica.get("/readyz").await;
        let problem = answer.is_problem(503, "read-model-behind");
        assert_eq!(problem["expected"], Value::Null);
        replica.get("/livez").await.is(200);
        held.let_go();
        replica.is_ready().await;
        // The service stays ready when the read model falls behind later.
        held.hold();
        replica.game_with("A").await;
        replica.get("/readyz").await.is(200);
    }
}

on_every_store! {
    async fn a_list_that_is_asked_for_after_a_write_includes_it(service: Service) {
        service.is_ready().await;
        for turn in 0..20 {
            let ada = &nobody_else("ada");
            let path = format!("/games?player={ada}");
            let game = service.start_game(ada, "grace").await;
            includes(&service, &path, |list| list["games"][0]["revision"] == 0, turn).await;
            game.move_by(ada, "D").await.is(201);
            includes(&service, &path, |list| list["games"][0]["revision"] == 1, turn).await;
            let record = format!("/players/{ada}");
            includes(&service, &record, |record| record["in_progress"] == 1, turn).await;
        }
    }

    async fn a_list_does_not_wait_for_long_for_a_read_model_that_is_behind(service: Service) {
        let held = HeldStore::new(service.store.clone());
        held.let_go();
        let replica = Service::on(held.clone()).await;
        replica.is_ready().await;
        held.hold();
        let ada = &nobody_else("ada");
        replica.start_game(ada, "grace").await;
        let asked = Instant::now();
        let list = replica.get(&format!("/games?player={ada}")).await.is(200).json();
        assert_eq!(list["games"], json!([]));
        assert!(asked.elapsed() >= Duration::from_millis(250));
        held.let_go();
    }

    async fn a_position_beyond_the_end_of_the_store_is_refused(service: Service) {
        service.game_with("A").await;
        service.is_ready().await;
        let far = match service.get("/events?limit=1").await.header("event-position").contains('-') {
            true => "8999999999999999999-8999999999999999999",
            false => "8999999999999999999",
        };
        for path in LISTS {
            let answer = as_of(&service, path, far).await;
            let problem = answer.is_problem(400, "invalid-event-position");
            assert_eq!(problem["header"], "Event-Position");
            let waiting = service.request(Method::GET, path).header("event-position", far);
            let answer = waiting.header("prefer", "wait=20").send().await;
            answer.is_problem(400, "invalid-event-position");
        }
    }
}

/// Asserts that the list includes the last write, or that it waited as long as a list may wait. A busy machine
/// can keep the read model behind for that long; then the list is requested again.
async fn includes(
    service: &Service,
    path: &str,
    is_included: impl Fn(&Value) -> bool,
    turn: usize,
) {
    loop {
        let asked = Instant::now();
        let answer = service.get(path).await;
        if answer.status == 200 && is_included(&answer.json()) {
            return;
        }
        assert!(
            asked.elapsed() >= Duration::from_millis(250),
            "turn {turn}: {path}"
        );
    }
}

/// Starts a game; returns the position of its event.
async fn start_game(app: &Router) -> String {
    let request = Request::post("/games")
        .header("host", "localhost")
        .header("content-type", "application/json")
        .body(Body::from(r#"{"player_one":"ada","player_two":"grace"}"#));
    let answer = app.clone().oneshot(request.expect("a request")).await;
    let answer = answer.expect("infallible");
    assert_eq!(answer.status(), 201);
    let position = answer.headers()["event-position"].to_str();
    position.expect("digits").to_owned()
}

/// Without sockets, so that paused time can advance at once.
#[tokio::test(start_paused = true)]
async fn a_list_waits_at_most_thirty_seconds() {
    let held = HeldStore::new(Arc::new(MemoryStore::new()));
    let app = router(App::new(held));
    let position = start_game(&app).await;
    for (wait, seconds) in [
        ("wait=7", 7),
        ("wait=30", 30),
        ("wait=31", 30),
        ("wait=999", 30),
    ] {
        let request = Request::get("/games")
            .header("host", "localhost")
            .header("event-position", &position)
            .header("prefer", wait)
            .body(Body::empty());
        let asked = tokio::time::Instant::now();
        let answer = app.clone().oneshot(request.expect("a request")).await;
        let answer = answer.expect("infallible");
        assert_eq!(answer.status(), 503);
        assert_eq!(answer.headers()["retry-after"], "1");
        assert_eq!(
            answer.headers()["preference-applied"],
            format!("wait={seconds}")
        );
        let took = asked.elapsed();
        assert!(took >= Duration::from_secs(seconds), "{took:?}");
        assert!(
            took < Duration::from_secs(seconds) + Duration::from_millis(100),
            "{took:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn shutdown_ends_lists_that_wait() {
    let app = App::new(HeldStore::new(Arc::new(MemoryStore::new())));
    let live = app.live();
    let app = router(app);
    let position = start_game(&app).await;
    let request = Request::get("/games")
        .header("host", "localhost")
        .header("event-position", &position)
        .header("prefer", "wait=30")
        .body(Body::empty());
    let mut waiting = pin!(app.oneshot(request.expect("a request")));
    assert!(poll!(&mut waiting).is_pending());
    let asked_to_stop = tokio::time::Instant::now();
    live.stop();
    let answer = waiting.await.expect("infallible");
    assert_eq!(answer.status(), 503);
    assert!(asked_to_stop.elapsed() < Duration::from_secs(1));
}
