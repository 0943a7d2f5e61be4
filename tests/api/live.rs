//! Watching a game over server-sent events and NDJSON, from any revision to the end.

use std::time::{Duration, Instant};

use connect_four::event_store::{EventStore, SqliteStore};
use reqwest::Method;
use serde_json::json;
use std::sync::Arc;
use tempfile::TempDir;

use crate::service::{Service, on_every_store};
use crate::stored_games::{start, stored};
use crate::watcher::{FORMATS, NDJSON, SSE};

on_every_store! {
    async fn a_stream_of_a_finished_game_can_begin_at_every_revision(service: Service) {
        let game = service.game_with("ABABABA").await;
        let events = game.events().await;
        for format in FORMATS {
            assert_eq!(game.watch(format, None).await.rest().await, events);
            for after in 0..8 {
                let told = game.watch(format, Some(after)).await.rest().await;
                assert_eq!(told, events[after + 1..], "{format} after {after}");
            }
        }
    }

    async fn a_stream_delivers_the_events_after_any_revision_and_then_new_ones(service: Service) {
        let game = service.game_with("ABAB").await;
        let mut watchers = Vec::new();
        for format in FORMATS {
            for after in [None, Some(0), Some(1), Some(2), Some(3), Some(4)] {
                watchers.push((after, game.watch(format, after).await));
            }
        }
        for (player, column) in [("ada", "A"), ("grace", "B"), ("ada", "A")] {
            game.move_by(player, column).await.is(201);
        }
        let events = game.events().await;
        assert_eq!(events.len(), 9);
        for (after, watcher) in watchers {
            let told = watcher.rest().await;
            assert_eq!(told, events[after.map_or(0, |after| after + 1)..], "{after:?}");
        }
    }

    async fn a_client_that_has_the_last_event_of_a_finished_game_gets_204(service: Service) {
        let game = service.game_with("ABABABA").await;
        for format in FORMATS {
            for after in ["8", "9", "18446744073709551615"] {
                let path = game.path(&format!("/events?after={after}"));
                let by_query = service.watch(&path, format).send().await.is(204);
                assert_eq!(by_query.header("cache-control"), "no-store");
                assert!(by_query.body.is_empty());
                let by_header = service.watch(&game.path("/events"), format);
                by_header.header("last-event-id", after).send().await.is(204);
            }
        }
    }

    async fn last_event_id_overrides_after(service: Service) {
        let game = service.game_with("ABABABA").await;
        let request = service.watch(&game.path("/events?after=1"), SSE);
        let mut watcher = request.header("last-event-id", "5").open().await;
        assert_eq!(watcher.next().await.expect("an event")["revision"], 6);
        let request = service.watch(&game.path("/events?after=8"), SSE);
        let mut watcher = request.header("last-event-id", "0").open().await;
        assert_eq!(watcher.next().await.expect("an event")["revision"], 1);
    }

    async fn an_empty_last_event_id_counts_as_absent(service: Service) {
        let game = service.game_with("DC").await;
        for format in FORMATS {
            for (path, first) in [("/events", 0), ("/events?after=0", 1)] {
                for id in ["", " "] {
                    let request = service.watch(&game.path(path), format);
                    let mut watcher = request.header("last-event-id", id).open().await;
                    assert_eq!(watcher.next().await.expect("an event")["revision"], first);
                }
            }
            let request = service.watch("/events", format).header("last-event-id", "");
            assert_ne!(request.open().await.next().await, None);
        }
    }

    async fn an_unknown_game_cannot_be_watched(service: Service) {
        let path = "/games/5b0f9a4e-8f43-4c8e-9d2b-6f1f0c1f3a77/events";
        for format in FORMATS {
            let answer = service.watch(path, format).send().await;
            answer.is_problem(404, "game-not-found");
        }
        assert_eq!(service.live.watchers(), 0);
    }

    async fn a_stream_can_be_resumed_at_another_replica(service: Service) {
        let replica = service.replica().await;
        let game = service.game_with("ABAB").await;
        let mut here = game.watch(SSE, Some(3)).await;
        assert_eq!(here.next().await.expect("an event")["revision"], 4);
        let there = replica.game(&game.id);
        let mut there = there.watch(SSE, Some(4)).await;
        game.move_by("ada", "C").await.is(201);
        assert_eq!(there.next().await.expect("an event")["revision"], 5);
        assert_eq!(here.next().await.expect("an event")["revision"], 5);
    }

    async fn a_watcher_that_disconnects_is_removed(service: Service) {
        let game = service.game_with("AB").await;
        let watchers = [game.watch(SSE, None).await, game.watch(NDJSON, Some(2)).await];
        assert_eq!(service.live.watchers(), 2);
        drop(watchers);
        service.has_watchers(0).await;
    }
}

#[tokio::test]
async fn an_event_has_the_format_that_browsers_expect() {
    let service = Service::on_memory().await;
    let game = service.game_with("D").await;
    let mut watcher = game.watch(SSE, None).await;
    for (name, value) in [
        ("content-type", SSE),
        ("cache-control", "no-store, no-transform"),
        ("x-accel-buffering", "no"),
    ] {
        assert_eq!(watcher.headers()[name], value, "{name}");
    }
    let events = game.events().await;
    let mut retry = "retry: 2000\n";
    for (revision, event) in events.iter().enumerate() {
        let event_type = event["type"].as_str().expect("a type");
        let piece = watcher.next_piece().await.expect("open");
        let expected = format!("{retry}id: {revision}\nevent: {event_type}\ndata: {event}");
        assert_eq!(piece, Some(expected));
        retry = "";
    }
    // A stream that begins with a new event says `retry` there.
    let mut watcher = game.watch(SSE, Some(1)).await;
    game.move_by("grace", "D").await.is(201);
    let piece = watcher.next_piece().await.expect("open").expect("an event");
    assert!(piece.starts_with("retry: 2000\nid: 2\n"), "{piece}");
    let mut all = service.watch("/events", SSE).open().await;
    let piece = all.next_piece().await.expect("open").expect("an event");
    assert!(piece.starts_with("retry: 2000\nid: "), "{piece}");
}

/// Many readers of lines also split at these characters, for example Python's `str.splitlines`.
#[tokio::test]
async fn an_event_is_one_line_for_every_reader_of_lines() {
    let service = Service::on_memory().await;
    let name = "a\u{2028}d\u{2029}a";
    // A new game cannot have such a name; the tutorial's program stores any.
    let game = stored(&service, &[start(name, "grace")]).await;
    for path in [game.path("/events"), "/events".to_owned()] {
        for format in FORMATS {
            let mut watcher = service.watch(&path, format).open().await;
            let piece = watcher.next_piece().await.expect("open").expect("an event");
            assert!(piece.contains("a\\u2028d\\u2029a"), "{piece}");
            assert!(
                !piece.contains(['\u{85}', '\u{2028}', '\u{2029}']),
                "{piece}"
            );
        }
    }
    let told = game
        .watch(NDJSON, None)
        .await
        .next()
        .await
        .expect("an event");
    assert_eq!(
        told["data"]["player_one"], name,
        "clients read the same name"
    );
}

#[tokio::test]
async fn without_a_stream_in_accept_the_answer_is_a_page() {
    let service = Service::on_memory().await;
    let game = service.game_with("D").await;
    let path = game.path("/events");
    for accept in ["*/*", "application/json", "application/*"] {
        let page = service.watch(&path, accept).send().await.is(200);
        assert_eq!(page.header("content-type"), "application/json", "{accept}");
        assert_eq!(page.header("etag"), "\"1\"");
    }
    let refused = service.watch(&path, "text/html").send().await;
    assert_eq!(
        refused.is_problem(406, "not-acceptable")["accepted"],
        json!(["application/json", SSE, NDJSON])
    );
}

#[tokio::test]
async fn an_invalid_last_event_id_is_refused() {
    let service = Service::on_memory().await;
    let game = service.game_with("D").await;
    for id in ["x", "-1", "+1", "1.0", "\"1\"", "18446744073709551616"] {
        let request = service.watch(&game.path("/events"), SSE);
        let answer = request.header("last-event-id", id).send().await;
        let problem = answer.is_problem(400, "invalid-last-event-id");
        assert_eq!(problem["header"], "Last-Event-ID", "{id:?}");
    }
    let request = service.watch(&game.path("/events"), SSE);
    let request = request.header("last-event-id", "0");
    let twice = request.header("last-event-id", "1").send().await;
    twice.is_problem(400, "invalid-last-event-id");
    for query in ["limit=3", "after=x"] {
        let request = service.watch(&game.path(&format!("/events?{query}")), SSE);
        request.send().await.is_problem(400, "invalid-query");
    }
}

#[tokio::test]
async fn head_of_a_stream_is_answered() {
    let service = Service::on_memory().await;
    let game = service.game_with("D").await;
    for format in FORMATS {
        let request = service.request(Method::HEAD, &game.path("/events"));
        let head = request.header("accept", format).send().await.is(200);
        assert_eq!(head.header("content-type"), format);
    }
    service.has_watchers(0).await;
}

/// A client may name a revision that does not exist yet, for instance after the database was
/// restored. It receives no event before the end of the game.
#[tokio::test]
async fn a_watcher_after_a_future_revision_receives_the_end_of_the_game() {
    let service = Service::on_memory().await;
    let game = service.game_with("ABABAB").await;
    let watcher = game.watch(SSE, Some(40)).await;
    game.move_by("ada", "A").await.is(201);
    assert_eq!(watcher.rest().await, game.events().await[8..]);
}

#[tokio::test]
async fn a_stream_can_be_resumed_after_a_restart() {
    let folder = TempDir::new().expect("a folder");
    let open = async || {
        let store = SqliteStore::open(folder.path().join("games.db")).await;
        let store: Arc<dyn EventStore> = Arc::new(store.expect("a file of ours"));
        Service::on(store).await
    };
    let service = open().await;
    let game = service.game_with("ABAB").await;
    let mut watchers = Vec::new();
    for format in FORMATS {
        for after in 0..=4 {
            watchers.push((format, game.watch(format, Some(after)).await));
        }
    }
    let mut seen = Vec::new();
    let id = game.id.clone();
    service.stop().await;
    for (format, watcher) in watchers {
        let told = watcher.rest().await;
        seen.push((format, told));
    }

    let service = open().await;
    let game = service.game(&id);
    let mut resumed = Vec::new();
    for (index, (format, told)) in seen.into_iter().enumerate() {
        assert_eq!(told.len(), 4 - index % 5);
        resumed.push((game.watch(format, Some(4)).await, told));
    }
    for (player, column) in [("ada", "A"), ("grace", "B"), ("ada", "A")] {
        game.move_by(player, column).await.is(201);
    }
    let events = game.events().await;
    for (index, (watcher, mut told)) in resumed.into_iter().enumerate() {
        told.extend(watcher.rest().await);
        assert_eq!(told, events[index % 5 + 1..]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutdown_ends_streams_and_long_polls_first_and_takes_less_than_two_seconds() {
    let service = Service::on_memory().await;
    let game = service.game_with("AB").await;
    let mut watchers = Vec::new();
    for _ in 0..20 {
        for format in FORMATS {
            watchers.push(game.watch(format, Some(2)).await);
        }
    }
    let mut polls = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let request = service
            .another_client()
            .request(Method::GET, &game.path(""));
        let request = request.header("if-none-match", "\"2\"");
        polls.spawn(request.header("prefer", "wait=30").send());
    }
    service.has_watchers(60).await;
    let asked_to_stop = Instant::now();
    service.stop().await;
    assert!(asked_to_stop.elapsed() < Duration::from_secs(1));
    for watcher in watchers {
        assert!(watcher.rest().await.is_empty());
    }
    for answer in polls.join_all().await {
        assert_eq!(answer.is(304).header("etag"), "\"2\"");
    }
}
