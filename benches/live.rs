//! Measures the watching of games: the time from a move's 201 until the last of thousands of watchers
//! has the event, the server's memory per watcher, the effect of watchers on moves in other games, and
//! the rate of 304 answers compared with a bare axum handler.
//!
//! `cargo bench --bench live`; `-- fan-out`, `-- movers` or `-- unchanged` runs one part.
//! The watchers are in another process, which shares the machine's cores with the server.

#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

#[path = "support/server_process.rs"]
mod server_process;
mod support;
#[path = "support/watchers.rs"]
mod watchers;

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use hdrhistogram::Histogram;
use http_body_util::Full;
use hyper::{Request, StatusCode};
use tokio::runtime::Runtime;
use tokio::time::{MissedTickBehavior, interval};

use server_process::{ServerProcess, be_server};
use support::connection::{Connection, moves};
use support::servers::{runtime, serve_bare, serve_store};
use support::{Clock, Measured, bare, measure, median, play};
use watchers::{Watchers, be_watchers, now, open_file_limit};

/// The allocator of the program, also used for the baseline.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const WATCHERS: usize = 5000;
/// Each game has 42 moves.
const GAMES: usize = 3;
/// The time between two moves, whether or not every watcher has received the last one.
const THINKING: Duration = Duration::from_millis(200);

const ROUNDS: usize = 5;
const RUN: Duration = Duration::from_secs(2);

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if let [first, rest @ ..] = &arguments[..]
        && first == watchers::ARGUMENT
    {
        return runtime("watchers").block_on(be_watchers(rest));
    }
    if let [first, rest @ ..] = &arguments[..]
        && first == server_process::ARGUMENT
    {
        open_file_limit();
        return runtime("server").block_on(be_server(rest));
    }
    let is_asked_for = |part: &str| {
        let mut parts = arguments.iter().filter(|asked| *asked != "--bench");
        let nothing = parts.clone().next().is_none();
        nothing || parts.any(|asked| asked == part)
    };
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let sqlite = |name: &str| format!("sqlite://{}", folder.path().join(name).display());
    let servers = runtime("server");
    if is_asked_for("fan-out") {
        fan_out(&servers, &["memory:", &sqlite("fan-out.db")]);
    }
    if is_asked_for("movers") {
        let stores = [
            ["memory:".to_owned(), "memory:".to_owned()],
            [sqlite("alone.db"), sqlite("watched.db")],
        ];
        movers(&servers, &stores);
    }
    if is_asked_for("unchanged") {
        unchanged(&servers);
    }
}

fn store_name(url: &str) -> &str {
    url.split_inclusive(':').next().unwrap_or(url)
}

fn fan_out(servers: &Runtime, stores: &[&str]) {
    let limit = usize::try_from(open_file_limit()).unwrap_or(usize::MAX);
    let count = WATCHERS.min(limit.saturating_sub(200));
    println!("{count} watchers of one game over SSE, a move every {THINKING:?}, {GAMES} games");
    if count < WATCHERS {
        println!("(not {WATCHERS}: this process may open {limit} files)");
    }
    println!(
        "\n| store   | 201 to the last watcher's event: p50 ms | p99 ms | server memory KiB/watcher |"
    );
    println!(
        "|---------|----------------------------------------:|-------:|--------------------------:|"
    );
    for (number, url) in stores.iter().enumerate() {
        let server = servers.block_on(ServerProcess::start(url));
        let mut times = Histogram::<u64>::new(3).expect("three digits");
        let mut memory = Vec::new();
        // Measured after a warm-up, so that memory which the server needs anyway is not counted.
        servers.block_on(watch_a_game(&server, 10, 200 + number, &mut None));
        for game in 0..GAMES {
            let round = 1 + number * GAMES + game;
            let mut times = Some(&mut times);
            let taken = servers.block_on(watch_a_game(&server, count, round, &mut times));
            // Later rounds use the memory that the first round freed.
            memory.extend((game == 0).then_some(taken));
        }
        let ms = |quantile| times.value_at_quantile(quantile) as f64 / 1e6;
        let memory = match memory.first() {
            Some(Some(bytes)) => format!("{:.1}", bytes / count as f64 / 1024.0),
            Some(None) | None => "not measured here".to_owned(),
        };
        let (p50, p99) = (ms(0.5), ms(0.99));
        let store = store_name(url);
        println!("| {store:<7} | {p50:>39.1} | {p99:>6.1} | {memory:>25} |");
    }
    println!();
}

/// Lets this many watchers follow a game from start to end, and returns the memory that they used
/// when all were connected.
async fn watch_a_game(
    server: &ServerProcess,
    count: usize,
    round: usize,
    times: &mut Option<&mut Histogram<u64>>,
) -> Option<f64> {
    let address = server.address;
    let game = Connection::to(address).await.start_game().await;
    let before = server.resident_bytes();
    let mut watchers = Watchers::start(address, &game, count, round).await;
    let taken = server
        .resident_bytes()
        .zip(before)
        .map(|(after, before)| after - before);
    let path = format!("{game}/moves");
    let mut player = Connection::to(address).await;
    let playing = async {
        let mut answered = Vec::new();
        let mut turns = interval(THINKING);
        turns.set_missed_tick_behavior(MissedTickBehavior::Skip);
        for body in moves() {
            turns.tick().await;
            player.post_json(&path, body).await;
            answered.push(now());
        }
        answered
    };
    let watching = async {
        let mut arrived = Vec::new();
        for _ in moves() {
            arrived.push(watchers.next().await);
        }
        arrived
    };
    let (answered, mut arrived) = tokio::join!(playing, watching);
    arrived.sort_unstable();
    for (number, (revision, at)) in arrived.into_iter().enumerate() {
        assert_eq!(revision, number + 1, "every event arrives once");
        let took = u64::try_from(at.saturating_sub(answered[number])).unwrap_or(u64::MAX);
        if let Some(times) = times {
            times.record(took.max(1)).expect("a histogram that grows");
        }
    }
    watchers.leave().await;
    taken
}

fn movers(servers: &Runtime, stores: &[[String; 2]]) {
    const CONNECTIONS: usize = 32;
    println!(
        "moves at {CONNECTIONS} connections, without watchers, and while 100 watch another game"
    );
    println!("(medians of {ROUNDS} rounds of {RUN:?} each)\n");
    println!("| store   | moves/s alone | p99 µs | moves/s watched | p99 µs | watched / alone |");
    println!("|---------|--------------:|-------:|----------------:|-------:|----------------:|");
    for (number, [alone, watched]) in stores.iter().enumerate() {
        let addresses = [alone, watched].map(|url| servers.block_on(serve_store(url)));
        let watchers = servers.block_on(async {
            let game = Connection::to(addresses[1]).await.start_game().await;
            Watchers::start(addresses[1], &game, 100, 210 + number).await
        });
        let mut rounds: [Vec<Measured>; 2] = Default::default();
        for round in 0..ROUNDS {
            // The two cases alternate, and each goes first equally often.
            for subject in [round % 2, 1 - round % 2] {
                let address = addresses[subject];
                rounds[subject].push(measure(CONNECTIONS, RUN, |clock| play(address, clock)));
            }
        }
        servers.block_on(watchers.leave());
        let of = |subject: usize, figure: fn(&Measured) -> f64| {
            median(rounds[subject].iter().map(figure))
        };
        let pairs = rounds[1].iter().zip(&rounds[0]);
        println!(
            "| {:<7} | {:>13.0} | {:>6.0} | {:>15.0} | {:>6.0} | {:>15.2} |",
            store_name(alone),
            of(0, |measured| measured.rate),
            of(0, |measured| measured.p99),
            of(1, |measured| measured.rate),
            of(1, |measured| measured.p99),
            median(pairs.map(|(watched, alone)| watched.rate / alone.rate)),
        );
    }
    println!();
}

fn unchanged(servers: &Runtime) {
    const CONNECTIONS: usize = 128;
    println!("GET with If-None-Match, answered 304, at {CONNECTIONS} connections");
    println!("(medians of {ROUNDS} rounds of {RUN:?} each)\n");
    println!("| server       | answers/s | p50 µs | p99 µs | of the bare handler |");
    println!("|--------------|----------:|-------:|-------:|--------------------:|");
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let sqlite = format!("sqlite://{}", folder.path().join("games.db").display());
    let subjects = [
        ("bare handler", servers.block_on(serve_bare(bare::routes()))),
        ("memory:", servers.block_on(serve_store("memory:"))),
        ("sqlite://", servers.block_on(serve_store(&sqlite))),
    ];
    let paths: Vec<_> = subjects
        .iter()
        .enumerate()
        .map(|(subject, (_, address))| match subject {
            0 => "/games/01a20715-267e-7489-b4cd-306001f15c27".to_owned(),
            _ => servers.block_on(game_at_revision_4(*address)),
        })
        .collect();
    let mut rounds: Vec<Vec<Measured>> = vec![Vec::new(); subjects.len()];
    for _ in 0..ROUNDS {
        for (subject, (_, address)) in subjects.iter().enumerate() {
            let path = &paths[subject];
            let ask = |clock| ask_again(*address, path.clone(), clock);
            rounds[subject].push(measure(CONNECTIONS, RUN, ask));
        }
    }
    for (subject, (name, _)) in subjects.iter().enumerate() {
        let of = |figure: fn(&Measured) -> f64| median(rounds[subject].iter().map(figure));
        let pairs = rounds[subject].iter().zip(&rounds[0]);
        println!(
            "| {name:<12} | {:>9.0} | {:>6.0} | {:>6.0} | {:>19.2} |",
            of(|measured| measured.rate),
            of(|measured| measured.p50),
            of(|measured| measured.p99),
            median(pairs.map(|(one, bare)| one.rate / bare.rate)),
        );
    }
}

async fn game_at_revision_4(address: SocketAddr) -> String {
    let mut connection = Connection::to(address).await;
    let game = connection.start_game().await;
    for body in moves().take(4) {
        connection.post_json(&format!("{game}/moves"), body).await;
    }
    game
}

async fn ask_again(address: SocketAddr, path: String, mut clock: Clock) -> Clock {
    let mut connection = Connection::to(address).await;
    loop {
        let request = Request::get(&path)
            .header("host", "localhost")
            .header("if-none-match", "\"4\"")
            .body(Full::<Bytes>::default())
            .expect("a request");
        match clock.time(connection.send(request)).await {
            Some((status, _)) => assert_eq!(status, StatusCode::NOT_MODIFIED),
            None => return clock,
        }
    }
}
