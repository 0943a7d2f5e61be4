//! Games that another program stored, truncated or deleted: which requests still work.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use connect_four::event_store::{ExpectedRevision, NewEvent, StreamRevision};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::Barrier;

use crate::double::Double;
use crate::service::{Answer, Game, Service, on_every_store};
use crate::watcher::NDJSON;

/// Stores these events as another program would.
pub(crate) async fn stored<'a>(service: &'a Service, events: &[(&'static str, Value)]) -> Game<'a> {
    let game = service.game(&uuid::Uuid::now_v7().to_string());
    add(&game, None, events).await;
    game
}

async fn add(game: &Game<'_>, last: Option<u64>, events: &[(&'static str, Value)]) {
    let id: connect_four::application::GameId = game.id.parse().expect("an id");
    let events = events.iter().map(|(event_type, data)| NewEvent {
        id: uuid::Uuid::now_v7(),
        event_type: (*event_type).into(),
        data: Bytes::from(data.to_string()),
        metadata: Bytes::new(),
    });
    let stream = id.stream();
    let expected = ExpectedRevision::at(last.map(StreamRevision::new));
    let appended = game
        .service
        .store
        .append(&stream, expected, events.collect());
    appended.await.expect("there is no other writer");
}

pub(crate) fn start(one: &str, two: &str) -> (&'static str, Value) {
    ("GameStarted", json!({"player_one": one, "player_two": two}))
}

fn made(player: &str) -> (&'static str, Value) {
    ("MoveMade", json!({"player": player, "column": "D"}))
}

async fn resign(game: &Game<'_>, player: &str) -> Answer {
    let body = json!({"player": player});
    game.service.post(&game.path("/resignation"), body).await
}

on_every_store! {
    async fn a_player_of_a_stored_game_can_have_any_name(service: Service) {
        let long = "\u{1}é".repeat(5_000);
        for name in ["", "  ", "a\nb", &"x".repeat(65), &long] {
            let game = stored(&service, &[start(name, "grace")]).await;
            game.move_by(name, "D").await.is(201);
            game.move_by("grace", "D").await.is(201);
            let stranger = game.move_by(&format!("{name}!"), "D").await;
            let problem = stranger.is_problem(409, "player-not-in-game");
            assert!(problem["detail"].as_str().is_some_and(|detail| detail.len() < 1000));
            let keyed = || {
                let request = service.request(Method::POST, &game.path("/resignation"));
                let request = request.header("idempotency-key", "0f3cd2a1-94f5-4e4c");
                request.json(&json!({"player": name})).send()
            };
            let resigned = keyed().await.is(200);
            assert_eq!(resigned.json()["result"], "PLAYER_TWO_WON");
            assert_eq!(keyed().await.is(200).body, resigned.body);
        }
    }

    async fn the_revisions_before_an_invalid_event_can_be_read(service: Service) {
        let sound = [start("ada", "grace"), made("ada")];
        let game = stored(&service, &sound).await;
        let as_it_was = game.get("").await.is(200);
        add(&game, Some(1), &[("Undone", json!({})), made("grace")]).await;
        for rest in ["", "/moves", "?revision=2", "?revision=9", "/moves/2"] {
            let problem = game.get(rest).await.is_problem(500, "unreadable-game");
            assert_eq!(problem["revision"], 2, "{rest}");
        }
        let refused = game.move_by("grace", "D").await;
        assert_eq!(refused.is_problem(500, "unreadable-game")["revision"], 2);
        let refused = resign(&game, "grace").await;
        assert_eq!(refused.is_problem(500, "unreadable-game")["revision"], 2);
        let then = game.get("?revision=1").await.is(200);
        assert_eq!(then.json(), as_it_was.json());
        assert!(!then.header("link").contains("successor"));
        assert_eq!(game.get("/moves/1").await.is(200).json()["column"], "D");
        let page = game.get("/events").await.is(200).json();
        assert_eq!((&page["revision"], &page["events"][2]["type"]), (&json!(3), &json!("Undone")));
        let watch = service.watch(&game.path("/events"), NDJSON);
        let mut watcher = watch.header("last-event-id", "1").open().await;
        for revision in 2..4 {
            let event = watcher.next().await.expect("an event");
            assert_eq!(event["revision"], revision);
        }
    }
}

/// Asserts that every request for the game is answered with 410, whether or not it is cached.
async fn is_gone(game: &Game<'_>) {
    for rest in ["", "?revision=0", "/moves", "/moves/1", "/events"] {
        game.get(rest).await.is_problem(410, "game-deleted");
    }
    let text = game
        .service
        .watch(&game.path(""), "text/plain")
        .send()
        .await;
    text.is_problem(410, "game-deleted");
    let lines = game
        .service
        .watch(&game.path("/events"), NDJSON)
        .send()
        .await;
    lines.is_problem(410, "game-deleted");
    for player in ["ada", "grace"] {
        game.move_by(player, "D")
            .await
            .is_problem(410, "game-deleted");
        resign(game, player).await.is_problem(410, "game-deleted");
    }
    for players in [("ada", "grace"), ("kurt", "alan")] {
        let names = json!({"player_one": players.0, "player_two": players.1});
        let put = game.service.request(Method::PUT, &game.path(""));
        put.json(&names)
            .send()
            .await
            .is_problem(410, "game-deleted");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_game_without_its_first_events_is_answered_with_410() {
    let double = Double::start().await;
    let service = Service::at(&double.connection_string()).await;
    for metadata in [r#"{"$tb":2}"#, r#"{"$maxCount":1}"#, r#"{"$tb":10}"#] {
        let game = service.game_with("DD").await;
        let stream = format!("game-{}", game.id);
        double.set_metadata(&stream, metadata);
        // A replica that does not have the game in its cache.
        let replica = service.replica().await;
        is_gone(&replica.game(&game.id)).await;
        assert_eq!(double.stored(&stream).len(), 3, "{metadata}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_moves_at_once_one_is_made_even_if_reads_are_behind() {
    let double = Double::start().await;
    let service = Arc::new(Service::at(&double.connection_string()).await);
    double.visible_after(Duration::from_millis(40));
    for _ in 0..20 {
        let game = service.start_game("ada", "grace").await;
        tokio::time::sleep(Duration::from_millis(60)).await;
        let barrier = Barrier::new(2);
        let racer = async |column| {
            barrier.wait().await;
            game.move_by("ada", column).await
        };
        let began = Instant::now();
        let (one, other) = tokio::join!(racer("A"), racer("B"));
        let mut statuses = [one.status.as_u16(), other.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409], "{one:?} {other:?}");
        assert!(began.elapsed() < Duration::from_secs(2));
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_waits_for_a_position_that_soon_becomes_readable() {
    let service = Service::on_memory().await;
    service.game_with("").await;
    let page = service.watch("/events?after=1", "*/*");
    let more = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        add(
            &service.game(&uuid::Uuid::now_v7().to_string()),
            None,
            &[start("kurt", "alan")],
        )
        .await;
    };
    let (page, ()) = tokio::join!(page.send(), more);
    assert_eq!(page.is(200).json()["events"], json!([]));
}
