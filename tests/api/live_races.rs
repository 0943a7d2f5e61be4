//! Watchers under a load of moves, and watchers that are too slow.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use connect_four::application::encode;
use connect_four::domain::{Column, GameEvent, PlayerName};
use connect_four::event_store::{
    EventStore, ExpectedRevision, MemoryStore, NewEvent, StreamName, StreamRevision,
};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use uuid::Uuid;

use crate::service::{Client, Game, Service, on_every_store};
use crate::watcher::{FORMATS, NDJSON, PATIENCE};

/// A tied game of 42 moves.
const TIE: &str = "AAAAAABBBBBBCCCCCCEDDDDDDEEEEEFFFFFFGGGGGG";

on_every_store! {
    async fn no_event_is_missed_or_repeated_under_load(service: Service) {
        let mut games = Vec::new();
        let mut movers = JoinSet::new();
        let mut watchers = JoinSet::new();
        for number in 0..4 {
            let game = service.start_game("ada", "grace").await;
            for _ in 0..12 {
                watchers.spawn(join_at_some_moment(number, game.id.clone(), service.another_client()));
            }
            // Two clients send the same moves. Each move is made by one of them.
            for _ in 0..2 {
                movers.spawn(play(game.path("/moves"), service.another_client()));
            }
            games.push(game);
        }
        movers.join_all().await;
        let mut events = Vec::new();
        for game in &games {
            events.push(game.events().await);
        }
        for (game, after, told) in watchers.join_all().await {
            let events = &events[game];
            assert_eq!(events.len(), 44);
            assert_eq!(told, events[after.map_or(0, |after| after + 1)..], "after {after:?}");
        }
        service.has_watchers(0).await;
    }
}

/// Sends every move. If the other client has already made it, the answer is the same.
async fn play(path: String, client: Client) {
    let turns = ["ada", "grace"].iter().cycle().zip(TIE.chars());
    for (revision, (player, column)) in turns.enumerate() {
        // Only valid at this turn, so that a late request does not make another move.
        let asked = json!({"player": player, "column": column.to_string()});
        let request = client.request(Method::POST, &path).json(&asked);
        let request = request.header("if-match", &format!("\"{revision}\""));
        request.send().await.is(201);
    }
}

/// Reads the game a few times, then watches it from one of the events that it has seen.
async fn join_at_some_moment(
    number: usize,
    id: String,
    client: Client,
) -> (usize, Option<usize>, Vec<Value>) {
    let path = format!("/games/{id}");
    let mut revision = 0;
    for _ in 0..fastrand::usize(0..60) {
        let game = client.get(&path).await.is(200).json();
        revision = game["revision"].as_u64().expect("a revision");
    }
    let seen = usize::try_from(revision).expect("a short game").min(42);
    let after = fastrand::usize(0..=seen + 1).checked_sub(1);
    let format = FORMATS[fastrand::usize(0..2)];
    let request = client.watch(&format!("{path}/events"), format);
    let request = match after {
        Some(after) => request.header("last-event-id", &after.to_string()),
        None => request,
    };
    (number, after, request.open().await.rest().await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watcher_that_does_not_read_delays_nobody_and_can_continue() {
    let store = MemoryStore::new();
    let service = Service::on(Arc::new(store.clone())).await;
    let game = service.start_game("ada", "grace").await;
    let mut slow = open_and_do_not_read(&game).await;
    let attentive = game.watch(NDJSON, Some(0)).await;

    let began = Instant::now();
    for (revision, (player, column)) in (0..).zip(turns().take(41)) {
        append_a_large_move(&store, &game, revision, player, column).await;
    }
    game.move_by("grace", "G").await.is(201);
    assert!(began.elapsed() < PATIENCE);
    assert_eq!(attentive.rest().await.len(), 43);

    let mut read = Vec::new();
    let reading = slow.read_to_end(&mut read);
    timeout(PATIENCE, reading)
        .await
        .expect("an end in time")
        .expect("all of it");
    assert_eq!(revisions(&read), (1..=43).collect::<Vec<_>>());
}

/// More events than a game can have, so that more events wait for the slow watcher than are buffered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watcher_that_is_too_far_behind_is_disconnected_without_a_gap() {
    let store = MemoryStore::new();
    let service = Service::on(Arc::new(store.clone())).await;
    let game = service.start_game("ada", "grace").await;
    let mut slow = open_and_do_not_read(&game).await;
    let mut attentive = game.watch(NDJSON, Some(0)).await;
    for revision in 0..150 {
        append_a_large_move(&store, &game, revision, "ada", Column::A).await;
        let told = attentive.next().await.expect("an event");
        assert_eq!(told["revision"], revision + 1);
    }
    let mut read = Vec::new();
    // The connection may end with a reset.
    let _ = timeout(PATIENCE, slow.read_to_end(&mut read))
        .await
        .expect("an end in time");
    let told = revisions(&read);
    assert_eq!(told, (1..).take(told.len()).collect::<Vec<_>>());
    assert!((1..150).contains(&told.len()), "{} events", told.len());
    assert!(
        !read.ends_with(b"\r\n0\r\n\r\n"),
        "a stream that looks complete"
    );
}

/// Time is paused: it advances as soon as every task is idle, so the test does not wait.
#[tokio::test(start_paused = true)]
async fn a_client_that_stops_reading_is_disconnected_after_a_timeout() {
    let store = MemoryStore::new();
    let service = Service::on(Arc::new(store.clone())).await;
    let game = service.start_game("ada", "grace").await;
    let _silent = open_and_do_not_read(&game).await;
    for (revision, (player, column)) in (0..).zip(turns().take(41)) {
        append_a_large_move(&store, &game, revision, player, column).await;
    }
    let began = tokio::time::Instant::now();
    while service.live.watchers() > 0 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(began.elapsed() < Duration::from_secs(60));
    }
    assert!(began.elapsed() > Duration::from_secs(25));
}

/// Opens an NDJSON stream over a connection with small buffers, and does not read it.
async fn open_and_do_not_read(game: &Game<'_>) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a small buffer");
    let address = game.service.url.trim_start_matches("http://");
    let address = address.parse().expect("an address");
    let mut connection = socket.connect(address).await.expect("a connection");
    let path = game.path("/events?after=0");
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: localhost\r\naccept: {NDJSON}\r\nconnection: close\r\n\r\n"
    );
    connection
        .write_all(request.as_bytes())
        .await
        .expect("sent");
    game.service.has_watchers(1).await;
    connection
}

/// The revisions of the lines in a chunked body, which may be incomplete.
fn revisions(answer: &[u8]) -> Vec<u64> {
    String::from_utf8_lossy(answer)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|event| event["revision"].as_u64())
        .collect()
}

fn turns() -> impl Iterator<Item = (&'static str, Column)> {
    let columns = TIE.chars().map(|letter| {
        let column: Result<Column, _> = letter.to_string().parse();
        column.expect("a column")
    });
    ["ada", "grace"].into_iter().cycle().zip(columns)
}

/// Appends directly to the store, with metadata that is large enough to fill socket buffers.
async fn append_a_large_move(
    store: &MemoryStore,
    game: &Game<'_>,
    revision: u64,
    player: &str,
    column: Column,
) {
    let player = PlayerName::parse(player).expect("a name");
    let (event_type, data) = encode(&GameEvent::MoveMade { player, column });
    let event = NewEvent {
        id: Uuid::now_v7(),
        event_type: event_type.into(),
        data,
        metadata: Bytes::from(format!("{{\"note\":\"{}\"}}", "x".repeat(400_000))),
    };
    let stream = StreamName::new(format!("game-{}", game.id)).expect("a name");
    let expected = ExpectedRevision::Exact(StreamRevision::new(revision));
    let appended = store.append(&stream, expected, vec![event]).await;
    appended.expect("there is no other writer");
}

#[tokio::test]
async fn thousands_of_long_polls_leave_no_watcher_behind() {
    let service = Service::on_memory().await;
    let game = service.game_with("D").await;
    for _ in 0..200 {
        let request = service.request(Method::GET, &game.path(""));
        let request = request.header("if-none-match", "\"1\"");
        request.header("prefer", "wait=0").send().await.is(304);
    }
    service.has_watchers(0).await;
}
