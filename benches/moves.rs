//! Measures moves over HTTP on each store, compared with a bare axum handler that stores nothing: in
//! one run, over loopback, with keep-alive connections that play whole games.
//!
//! `cargo bench --bench moves`; arguments select a part, for instance `-- 128 sqlite`. Clients and
//! servers share the machine's cores, so the ratio to the bare handler says more than the rate.

#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

#[path = "support/deaf_store.rs"]
mod deaf_store;
mod support;
#[path = "support/updating.rs"]
mod updating;

use std::fs::File;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use connect_four::event_store;
use deaf_store::DeafStore;
use support::servers::{runtime, serve, serve_bare, serve_store};
use support::{Measured, bare, measure, median, play};

/// The allocator of the program, also used for the baseline.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CONNECTIONS: [usize; 3] = [1, 32, 128];
const ROUNDS: usize = 3;
const RUN: Duration = Duration::from_secs(2);

fn main() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let fsync = fdatasync_median(folder.path());
    println!(
        "one fdatasync of an appended 4 KiB page: {} µs (median)",
        fsync.as_micros()
    );
    println!("each figure is the median of {ROUNDS} rounds of {RUN:?}\n");

    let servers = runtime("server");
    let sqlite = |name: &str| format!("sqlite://{}", folder.path().join(name).display());
    let subjects = [
        ("bare handler", servers.block_on(serve_bare(bare::routes()))),
        (
            "UPDATE of a row",
            servers.block_on(serve_bare(updating::routes(&folder.path().join("row.db")))),
        ),
        ("memory:", servers.block_on(serve_store("memory:"))),
        (
            "sqlite://",
            servers.block_on(serve_store(&sqlite("games.db"))),
        ),
        (
            "sqlite, no lists",
            servers.block_on(serve_without_lists(&sqlite("no-lists.db"))),
        ),
    ];

    println!(
        "| connections | server           | moves/s | p50 µs | p99 µs | of the bare handler |"
    );
    println!(
        "|------------:|------------------|--------:|-------:|-------:|--------------------:|"
    );
    let asked_for: Vec<_> = std::env::args()
        .skip(1)
        .filter(|asked| asked != "--bench")
        .collect();
    let is_asked_for = |words: [&str; 2]| {
        asked_for
            .iter()
            .all(|asked| words.iter().any(|word| word.contains(asked.as_str())))
    };
    let names = subjects.map(|(name, _)| name).join(" ");
    for connections in CONNECTIONS {
        let mut rounds: Vec<Vec<Measured>> = vec![Vec::new(); subjects.len()];
        for _ in 0..ROUNDS {
            for (subject, (name, address)) in subjects.iter().enumerate() {
                // The baseline is measured beside every other server.
                let is_baseline = subject == 0 && is_asked_for([&connections.to_string(), &names]);
                if !is_baseline && !is_asked_for([&connections.to_string(), name]) {
                    continue;
                }
                rounds[subject].push(measure(connections, RUN, |clock| play(*address, clock)));
            }
        }
        for (subject, (name, _)) in subjects.iter().enumerate() {
            if rounds[subject].is_empty() {
                continue;
            }
            let of = |figure: fn(&Measured) -> f64| median(rounds[subject].iter().map(figure));
            let pairs = rounds[subject].iter().zip(&rounds[0]);
            println!(
                "| {connections:>11} | {name:<16} | {:>7.0} | {:>6.0} | {:>6.0} | {:>19.2} |",
                of(|measured| measured.rate),
                of(|measured| measured.p50),
                of(|measured| measured.p99),
                median(pairs.map(|(one, bare)| one.rate / bare.rate)),
            );
        }
    }
}

/// The service with a read model that receives no events.
async fn serve_without_lists(url: &str) -> SocketAddr {
    let store = event_store::open(url).await.expect("a store");
    serve(url, Arc::new(DeafStore(store))).await
}

/// The duration of one durable write on the disk that has the database.
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
