//! The events of all games: pages, and streams that begin at any position and do not end.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::held_store::HeldStore;
use crate::service::{Client, Service, on_every_store};
use crate::watcher::{FORMATS, NDJSON, PATIENCE, SSE, Watcher};

/// Opens a stream of all events after this position.
pub(crate) async fn watch_all(client: &Client, accept: &str, after: Option<&str>) -> Watcher {
    let request = client.watch("/events", accept);
    let request = match after {
        Some(after) => request.header("last-event-id", after),
        None => request,
    };
    request.open().await
}

pub(crate) async fn next(watcher: &mut Watcher, count: usize) -> Vec<Value> {
    let told = async {
        let mut events = Vec::new();
        while events.len() < count {
            events.push(watcher.next().await.expect("a stream that does not end"));
        }
        events
    };
    // The stream sends keep-alives, so a timeout per chunk would not detect missing events.
    timeout(PATIENCE, told).await.expect("events in time")
}

/// Every event after this position, read from the pages.
async fn pages(client: &Client, after: Option<&str>, limit: usize) -> Vec<Value> {
    let mut events = Vec::new();
    let after = after.map(|after| format!("&after={after}"));
    let mut path = format!("/events?limit={limit}{}", after.unwrap_or_default());
    loop {
        let answer = client.get(&path).await.is(200);
        let page = answer.json();
        let some = page["events"].as_array().expect("events");
        assert!(some.len() <= limit);
        if let Some(last) = some.last() {
            assert_eq!(answer.header("event-position"), position(last));
        }
        events.extend(some.iter().cloned());
        match page["next"].as_str() {
            Some(next) => path = next.to_owned(),
            None => return events,
        }
        assert_eq!(answer.header("link"), format!("<{path}>; rel=\"next\""));
        assert_eq!(some.len(), limit);
    }
}

pub(crate) fn position(event: &Value) -> String {
    event["position"].as_str().expect("a position").to_owned()
}

/// The current position, before the events of this test: the database may be shared.
async fn here(service: &Service) -> String {
    let names = json!({"player_one": "ada", "player_two": "grace"});
    let answer = service.post("/games", names).await.is(201);
    answer.header("event-position").to_owned()
}

on_every_store! {
    async fn a_stream_delivers_all_events_after_any_position_and_then_new_ones(service: Service) {
        let start = here(&service).await;
        let one = service.game_with("AB").await;
        let two = service.game_with("D").await;
        one.move_by("ada", "A").await.is(201);
        let events = pages(&service, Some(&start), 100).await;
        assert_eq!(events.len(), 6);
        let mut watchers = Vec::new();
        let replica = service.replica().await;
        for format in FORMATS {
            for service in [&service, &replica] {
                watchers.push((0, watch_all(service, format, Some(&start)).await));
                for (index, event) in events.iter().enumerate() {
                    let after = position(event);
                    watchers.push((index + 1, watch_all(service, format, Some(&after)).await));
                }
            }
        }
        for (player, column) in [("grace", "B"), ("ada", "A")] {
            one.move_by(player, column).await.is(201);
            two.service.post(&two.path("/resignation"), json!({"player": "ada"})).await;
        }
        let events = pages(&service, Some(&start), 3).await;
        assert_eq!(events.len(), 9);
        for (index, mut watcher) in watchers {
            assert_eq!(next(&mut watcher, 9 - index).await, events[index..]);
        }
    }

    async fn an_event_is_the_same_as_in_its_games_events(service: Service) {
        let start = here(&service).await;
        let game = service.game_with("ABABABA").await;
        let mut told = pages(&service, Some(&start), 100).await;
        for event in &mut told {
            let members = event.as_object_mut().expect("an object");
            assert!(members.shift_remove("position").is_some());
            assert_eq!(members.shift_remove("game_id"), Some(game.id.clone().into()));
        }
        assert_eq!(told, game.events().await);
    }

    async fn last_event_id_overrides_after_for_all_games(service: Service) {
        let start = here(&service).await;
        service.game_with("AB").await;
        let events = pages(&service, Some(&start), 100).await;
        for (query, header, first) in [(1, 0, 1), (0, 1, 2)] {
            let path = format!("/events?after={}", position(&events[query]));
            let request = service.watch(&path, SSE);
            let mut watcher = request.header("last-event-id", &position(&events[header])).open().await;
            assert_eq!(next(&mut watcher, 1).await[0], events[first]);
        }
    }

    async fn no_event_is_missed_or_repeated_under_load(service: Service) {
        let start = here(&service).await;
        let is_over = AtomicBool::new(false);
        let play = async {
            for _ in 0..8 {
                tokio::join!(service.game_with("ABABABA"), service.game_with("CDCDCDC"));
            }
            is_over.store(true, Ordering::SeqCst);
            here(&service).await
        };
        // Disconnects and resumes, each time after the last event that it received.
        let follow = async |format, stretch: usize| {
            let mut told: Vec<Value> = Vec::new();
            while !is_over.load(Ordering::SeqCst) {
                let after = told.last().map_or_else(|| start.clone(), position);
                let mut watcher = watch_all(&service, format, Some(&after)).await;
                told.extend(next(&mut watcher, stretch).await);
                if told.len() + stretch > 16 * 9 {
                    break;
                }
            }
            told
        };
        let (end, hasty, steady, lines) =
            tokio::join!(play, follow(SSE, 1), follow(SSE, 7), follow(NDJSON, 20));
        let events = pages(&service, Some(&start), 100).await;
        assert_eq!(events.len(), 16 * 9 + 1);
        assert_eq!(events.last().map(position), Some(end));
        for told in [hasty, steady, lines] {
            assert!(!told.is_empty());
            assert_eq!(told, events[..told.len()]);
        }
        let different: BTreeSet<_> = events.iter().map(position).collect();
        assert_eq!(different.len(), events.len());
    }

    async fn streams_of_all_games_share_one_subscription(service: Service) {
        let start = here(&service).await;
        let store = HeldStore::new(service.store.clone());
        store.let_go();
        let service = Service::on(store.clone()).await;
        service.is_ready().await;
        service.game_with("AB").await;
        let mut watchers = Vec::new();
        for _ in 0..10 {
            for format in FORMATS {
                let mut watcher = watch_all(&service, format, Some(&start)).await;
                next(&mut watcher, 3).await;
                watchers.push(watcher);
            }
        }
        service.game_with("").await;
        for watcher in &mut watchers {
            next(watcher, 1).await;
        }
        // One of the read model and one of the hub.
        assert_eq!(store.subscriptions(), 2);
    }

    async fn a_client_that_disconnects_from_all_games_is_removed(service: Service) {
        let start = here(&service).await;
        let watchers = [watch_all(&service, SSE, Some(&start)).await, watch_all(&service, NDJSON, None).await];
        service.has_watchers(2).await;
        drop(watchers);
        service.has_watchers(0).await;
    }
}

#[tokio::test]
async fn a_stream_of_all_games_has_the_format_that_browsers_expect() {
    let service = Service::on_memory().await;
    let game = service.game_with("D").await;
    let mut watcher = watch_all(&service, SSE, None).await;
    for (name, value) in [
        ("content-type", SSE),
        ("cache-control", "no-store, no-transform"),
        ("x-accel-buffering", "no"),
    ] {
        assert_eq!(watcher.headers()[name], value, "{name}");
    }
    let piece = watcher.next_piece().await.expect("open").expect("an event");
    let game_id = &game.id;
    let expected = format!(
        "retry: 2000\nid: 0\nevent: GameStarted\ndata: {{\"position\":\"0\",\"game_id\":\"{game_id}\",\"id\":"
    );
    assert!(piece.starts_with(&expected), "{piece}");
}

#[tokio::test]
async fn without_a_stream_in_accept_the_answer_is_a_page_of_all_games() {
    let service = Service::on_memory().await;
    let empty = service.get("/events").await.is(200);
    assert_eq!(empty.json(), json!({"events": [], "next": null}));
    assert_eq!(empty.header("event-position"), "");
    service.game_with("D").await;
    for accept in ["*/*", "application/json"] {
        let page = service.watch("/events", accept).send().await.is(200);
        assert_eq!(page.header("content-type"), "application/json");
        assert_eq!(page.header("cache-control"), "no-cache");
    }
    let refused = service.watch("/events", "text/html").send().await;
    refused.is_problem(406, "not-acceptable");
    for position in ["2", "7-3", "18446744073709551615"] {
        let path = format!("/events?after={position}");
        for accept in ["*/*", SSE, NDJSON] {
            let refused = service.watch(&path, accept).send().await;
            let problem = refused.is_problem(400, "invalid-query");
            assert_eq!(problem["parameter"], "after");
            let resumed = service
                .watch("/events", accept)
                .header("last-event-id", position);
            if accept != "*/*" {
                let refused = resumed.send().await;
                refused.is_problem(400, "invalid-last-event-id");
            }
        }
    }
    for format in FORMATS {
        let request = service.request(Method::HEAD, "/events");
        let head = request.header("accept", format).send().await.is(200);
        assert_eq!(head.header("content-type"), format);
    }
    service.has_watchers(0).await;
}

#[tokio::test]
async fn an_invalid_position_is_refused() {
    let service = Service::on_memory().await;
    for id in ["x", "-1", "+1", "1.0", "1-", "18446744073709551616"] {
        let request = service.watch("/events", SSE).header("last-event-id", id);
        let problem = request
            .send()
            .await
            .is_problem(400, "invalid-last-event-id");
        assert_eq!(problem["header"], "Last-Event-ID", "{id:?}");
        for accept in [SSE, "*/*"] {
            let id = id.replace('+', "%2B");
            let request = service.watch(&format!("/events?after={id}"), accept);
            let problem = request.send().await.is_problem(400, "invalid-query");
            assert_eq!(problem["parameter"], "after");
        }
    }
    for path in ["/events?limit=0", "/events?limit=101", "/events?before=1"] {
        service.get(path).await.is_problem(400, "invalid-query");
    }
    let request = service.watch("/events?limit=3", SSE);
    request.send().await.is_problem(400, "invalid-query");
}
