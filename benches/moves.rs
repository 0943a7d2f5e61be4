//! Moves over HTTP: the service on each store beside a bare axum handler that stores nothing,
//! in one run, over loopback, with keep-alive connections that play whole games.
//!
//! `cargo bench --bench moves`; with `-- 128 sqlite`, say, only some of it. Clients and servers share the machine's cores, so the ratio
//! to the bare handler says more than any rate.

#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

use std::fs::File;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use axum::routing::post;
use axum::serve::ListenerExt;
use axum::{Json, Router};
use bytes::Bytes;
use connect_four::event_store;
use connect_four::http::App;
use connect_four::server;
use hdrhistogram::Histogram;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

const CONNECTIONS: [usize; 3] = [1, 32, 128];
const ROUNDS: usize = 3;
const RUN: Duration = Duration::from_secs(2);
const WARM_UP: Duration = Duration::from_millis(300);

/// A game of 42 moves that nobody wins, so that every move costs what moves cost.
const TIE: &str = "AAAAAABBBBBBCCCCCCEDDDDDDEEEEEFFFFFFGGGGGG";

fn main() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let fsync = fdatasync_median(folder.path());
    println!(
        "one fdatasync of an appended 4 KiB page: {} µs (median)",
        fsync.as_micros()
    );
    println!("each figure is the median of {ROUNDS} rounds of {RUN:?}\n");

    let servers = runtime();
    let sqlite = format!("sqlite://{}", folder.path().join("games.db").display());
    let subjects = [
        ("bare handler", servers.block_on(serve_bare())),
        ("memory:", servers.block_on(serve_store("memory:"))),
        ("sqlite://", servers.block_on(serve_store(&sqlite))),
    ];

    println!("| connections | server       | moves/s | p50 µs | p99 µs | of the bare handler |");
    println!("|------------:|--------------|--------:|-------:|-------:|--------------------:|");
    let asked_for: Vec<_> = std::env::args()
        .skip(1)
        .filter(|asked| asked != "--bench")
        .collect();
    let is_asked_for = |words: [&str; 2]| {
        asked_for
            .iter()
            .all(|asked| words.iter().any(|word| word.contains(asked.as_str())))
    };
    for connections in CONNECTIONS {
        let mut rounds: Vec<Vec<Measured>> = vec![Vec::new(); subjects.len()];
        for _ in 0..ROUNDS {
            for (subject, (name, address)) in subjects.iter().enumerate() {
                let is_baseline =
                    subject == 0 && is_asked_for([&connections.to_string(), "bare memory sqlite"]);
                if !is_baseline && !is_asked_for([&connections.to_string(), name]) {
                    continue;
                }
                rounds[subject].push(measure(*address, connections));
            }
        }
        for (subject, (name, _)) in subjects.iter().enumerate() {
            if rounds[subject].is_empty() {
                continue;
            }
            let of = |figure: fn(&Measured) -> f64| median(rounds[subject].iter().map(figure));
            let pairs = rounds[subject].iter().zip(&rounds[0]);
            println!(
                "| {connections:>11} | {name:<12} | {:>7.0} | {:>6.0} | {:>6.0} | {:>19.2} |",
                of(|measured| measured.rate),
                of(|measured| measured.p50),
                of(|measured| measured.p99),
                median(pairs.map(|(one, bare)| one.rate / bare.rate)),
            );
        }
    }
}

fn runtime() -> Runtime {
    Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<_> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// What one durable write costs on the disk that the database lies on.
fn fdatasync_median(folder: &Path) -> Duration {
    let mut file = File::create(folder.join("fsync")).expect("a file");
    let mut times: Vec<_> = (0..200)
        .map(|_| {
            file.write_all(&[1; 4096]).expect("room on the disk");
            let start = Instant::now();
            file.sync_data().expect("a disk that syncs");
            start.elapsed()
        })
        .collect();
    times.sort();
    times[times.len() / 2]
}

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound listener");
    (listener, address)
}

async fn serve_store(url: &str) -> SocketAddr {
    let store = event_store::open(url).await.expect("a store");
    let (listener, address) = listener().await;
    tokio::spawn(server::serve(
        App::new(store),
        listener,
        std::future::pending(),
    ));
    address
}

#[derive(Deserialize)]
struct Move {
    player: String,
    column: String,
}

/// What the bare handler answers: as many bytes as a game in its middle, as cheaply as serde
/// makes them.
#[derive(Serialize)]
struct Answer {
    id: &'static str,
    revision: u64,
    player_one: &'static str,
    player_two: &'static str,
    next_player: &'static str,
    is_finished: bool,
    board: [(&'static str, &'static [&'static str]); 4],
    legal_columns: [&'static str; 4],
    player: String,
    column: String,
}

/// Parses the same body and answers a JSON of the same size, and that is all.
async fn serve_bare() -> SocketAddr {
    const COLUMN: &[&str] = &["YELLOW", "RED", "YELLOW", "RED", "YELLOW", "RED"];
    async fn answer(player: String, column: String) -> (StatusCode, Json<Answer>) {
        let answer = Answer {
            id: "01a20715-267e-7489-b4cd-306001f15c27",
            revision: 22,
            player_one: "alice",
            player_two: "bob",
            next_player: "alice",
            is_finished: false,
            board: [("A", COLUMN), ("B", COLUMN), ("C", COLUMN), ("D", COLUMN)],
            legal_columns: ["D", "E", "F", "G"],
            player,
            column,
        };
        (StatusCode::CREATED, Json(answer))
    }
    let (listener, address) = listener().await;
    let start_game = || answer(String::new(), String::new());
    let make_move = |Json(asked): Json<Move>| answer(asked.player, asked.column);
    let app = Router::new()
        .route("/games", post(start_game))
        .route("/games/{id}/moves", post(make_move));
    let listener = listener.tap_io(|connection| {
        connection.set_nodelay(true).expect("a TCP socket");
    });
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// What one round came to: moves a second, and microseconds.
#[derive(Clone, Copy)]
struct Measured {
    rate: f64,
    p50: f64,
    p99: f64,
}

fn measure(address: SocketAddr, connections: usize) -> Measured {
    let clients = runtime();
    clients.block_on(async {
        let begin = Instant::now() + WARM_UP;
        let end = begin + RUN;
        let mut players = JoinSet::new();
        for _ in 0..connections {
            players.spawn(play_until(address, begin, end));
        }
        let mut all = Histogram::<u64>::new(3).expect("three digits");
        for one in players.join_all().await {
            all.add(one).expect("histograms of one kind");
        }
        Measured {
            rate: all.len() as f64 / RUN.as_secs_f64(),
            p50: all.value_at_quantile(0.5) as f64 / 1000.0,
            p99: all.value_at_quantile(0.99) as f64 / 1000.0,
        }
    })
}

/// Plays games on one connection, and records the nanoseconds of each move in the period.
async fn play_until(address: SocketAddr, begin: Instant, end: Instant) -> Histogram<u64> {
    let stream = TcpStream::connect(address).await.expect("a connection");
    stream.set_nodelay(true).expect("a TCP socket");
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await.expect("HTTP/1.1");
    tokio::spawn(connection);
    let mut times = Histogram::new(3).expect("three digits");
    loop {
        let names = r#"{"player_one":"alice","player_two":"bob"}"#;
        let game = post_json(&mut sender, "/games", names.to_owned()).await;
        let game: Value = serde_json::from_slice(&game).expect("a game");
        let path = format!("/games/{}/moves", game["id"].as_str().expect("an id"));
        for (player, column) in ["alice", "bob"].iter().cycle().zip(TIE.chars()) {
            let body = format!(r#"{{"player":"{player}","column":"{column}"}}"#);
            let start = Instant::now();
            if start >= end {
                return times;
            }
            post_json(&mut sender, &path, body).await;
            if start >= begin {
                let elapsed = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
                times.record(elapsed).expect("a histogram that grows");
            }
        }
    }
}

async fn post_json(sender: &mut SendRequest<Full<Bytes>>, path: &str, body: String) -> Bytes {
    let request = Request::post(path)
        .header("host", "localhost")
        .header("content-type", "application/json")
        .body(Full::from(body))
        .expect("a request");
    let response = sender.send_request(request).await.expect("an answer");
    assert_eq!(response.status(), StatusCode::CREATED);
    response
        .into_body()
        .collect()
        .await
        .expect("a body")
        .to_bytes()
}
