//! Measures how much games against the computer slow the moves of other games: the same moves on the same
//! service, with and without 500 such games, in turn. `cargo bench --bench computer`; `-- hard` or another
//! level runs one part. Each round with them begins with a move in almost every one of them.
//!
//! The target: the median time of a move rises by at most a tenth.

#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

#[expect(
    dead_code,
    reason = "this benchmark serves one kind of service and reports times"
)]
mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use connect_four::computer::{ComputerPlayer, Level};
use connect_four::domain::PlayerName;
use connect_four::event_store;
use connect_four::http::App;
use connect_four::server;
use http_body_util::Full;
use hyper::{Request, StatusCode};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::sleep;

use support::connection::Connection;
use support::servers::{runtime, serve_app};
use support::{Measured, measure, median, play};

/// The allocator of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Games against the computer.
const GAMES: u64 = 500;
/// How long each of their players thinks about a move.
const THINKING: Duration = Duration::from_secs(5);
const CONNECTIONS: usize = 8;
const ROUNDS: usize = 5;
const RUN: Duration = Duration::from_secs(3);

fn main() {
    server::raise_descriptor_limit().expect("a limit that can be raised");
    let asked_for: Vec<_> = std::env::args()
        .skip(1)
        .filter(|asked| asked != "--bench")
        .collect();
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    println!(
        "moves at {CONNECTIONS} connections, alone and beside {GAMES} games against the computer, whose players"
    );
    println!("think for {THINKING:?} (medians of {ROUNDS} rounds of {RUN:?} each)\n");
    println!(
        "| level  | store     | alone: p50 µs | p99 µs | beside: p50 µs | p99 µs | beside / alone | replies/s |"
    );
    println!(
        "|--------|-----------|--------------:|-------:|---------------:|-------:|---------------:|----------:|"
    );
    for level in Level::ALL {
        if !asked_for.is_empty() && !asked_for.iter().any(|asked| asked == level.as_str()) {
            continue;
        }
        let file = folder.path().join(format!("{level}.db"));
        for url in ["memory:".to_owned(), format!("sqlite://{}", file.display())] {
            compare(level, &url);
        }
    }
}

fn compare(level: Level, url: &str) {
    let servers = runtime("server");
    let address = servers.block_on(serve(level, url));
    let others = runtime("others");
    let (go_on, goes_on) = watch::channel(true);
    let replies = Arc::new(AtomicU64::new(0));
    for number in 0..GAMES {
        let (goes_on, replies) = (goes_on.clone(), replies.clone());
        others.spawn(play_the_computer(address, number, goes_on, replies));
    }
    // All games have begun, and their players are out of step.
    thread::sleep(THINKING);
    let mut rounds: [Vec<Measured>; 2] = Default::default();
    let mut replied = Vec::new();
    for round in 0..ROUNDS {
        // The two cases alternate, and each goes first equally often.
        for subject in [round % 2, 1 - round % 2] {
            go_on.send_replace(subject == 1);
            let before = replies.load(Ordering::Relaxed);
            rounds[subject].push(measure(CONNECTIONS, RUN, |clock| play(address, clock)));
            let after = replies.load(Ordering::Relaxed);
            if subject == 1 {
                replied.push((after - before) as f64 / RUN.as_secs_f64());
            }
        }
    }
    let of =
        |subject: usize, figure: fn(&Measured) -> f64| median(rounds[subject].iter().map(figure));
    let pairs = rounds[1].iter().zip(&rounds[0]);
    println!(
        "| {:<6} | {:<9} | {:>13.0} | {:>6.0} | {:>14.0} | {:>6.0} | {:>14.2} | {:>9.0} |",
        level.as_str(),
        url.split_inclusive(':').next().unwrap_or(url),
        of(0, |measured| measured.p50),
        of(0, |measured| measured.p99),
        of(1, |measured| measured.p50),
        of(1, |measured| measured.p99),
        median(pairs.map(|(beside, alone)| beside.p50 / alone.p50)),
        median(replied.into_iter()),
    );
    others.shutdown_background();
    servers.shutdown_background();
}

async fn serve(level: Level, url: &str) -> SocketAddr {
    let store = event_store::open(url).await.expect("a store");
    let name = PlayerName::parse("computer").expect("a name");
    let app = App::new(store).with_computer(ComputerPlayer { name, level });
    serve_app(app.expect("threads")).await
}

/// Plays one game after the other against the computer, but moves only while the benchmark says so.
async fn play_the_computer(
    address: SocketAddr,
    number: u64,
    mut goes_on: watch::Receiver<bool>,
    replies: Arc<AtomicU64>,
) {
    let mut connection = Connection::to(address).await;
    sleep(THINKING * u32::try_from(number).unwrap_or(0) / u32::try_from(GAMES).unwrap_or(1)).await;
    let mut seed = usize::try_from(number).unwrap_or(0);
    loop {
        let names = r#"{"player_one":"alice","player_two":"computer"}"#;
        let game = connection.post_json("/games", names.to_owned()).await;
        let mut game: Value = serde_json::from_slice(&game).expect("a game");
        let path = format!("/games/{}", game["id"].as_str().expect("an id"));
        while game["is_finished"] == false {
            // An error means that the benchmark is over.
            if goes_on.wait_for(|goes_on| *goes_on).await.is_err() {
                return;
            }
            let columns = game["legal_columns"].as_array().expect("columns");
            seed += 5;
            let column = columns[seed % columns.len()].as_str().expect("a letter");
            let body = format!(r#"{{"player":"alice","column":"{column}"}}"#);
            connection.post_json(&format!("{path}/moves"), body).await;
            game = reply(&mut connection, &path).await;
            replies.fetch_add(1, Ordering::Relaxed);
            sleep(THINKING).await;
        }
    }
}

/// The game when the computer has moved.
async fn reply(connection: &mut Connection, path: &str) -> Value {
    loop {
        let request = Request::get(path)
            .header("host", "localhost")
            .body(Full::default())
            .expect("a request");
        let (status, body) = connection.send(request).await;
        assert_eq!(status, StatusCode::OK);
        let game: Value = serde_json::from_slice(&body).expect("a game");
        if game["is_finished"] == true || game["next_player"] == "alice" {
            return game;
        }
        sleep(Duration::from_millis(20)).await;
    }
}
