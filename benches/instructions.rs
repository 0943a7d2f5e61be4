//! Counts the instructions that a request costs in user space, with callgrind: of a move, a start, a
//! read and a 304. The counts hardly depend on what else the machine does.
//!
//! `cargo bench --bench instructions` prints the table. With `-- --check`, it counts only moves on the
//! request path, and fails if one costs over 10 % more than [`RECORDED`]. Needs valgrind.
//!
//! Each server runs once without and once with the requests to count; the difference is their cost. The
//! servers do only a part of what the program does, so that the columns tell what each part costs.

#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

#[path = "support/bare.rs"]
mod bare;
#[path = "support/connection.rs"]
mod connection;
#[path = "support/deaf_store.rs"]
mod deaf_store;
#[path = "support/servers.rs"]
mod servers;

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use connect_four::event_store;
use http_body_util::Full;
use hyper::http::request::Builder;
use hyper::{Request, StatusCode};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

use connection::{Connection, moves};
use deaf_store::DeafStore;
use servers::{runtime, serve, serve_bare, serve_store};

/// The allocator of the program, also used for the other servers.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The instructions of a move on the request path, when they were last recorded. Lower it when they fall.
/// The read model is not part of it: how many events it applies at once depends on the time that passes.
const RECORDED: u64 = 44_800;

const GAMES: usize = 40;
const MOVES_PER_GAME: usize = 42;
const REQUESTS: usize = 1500;

/// With this argument and the name of a server, the benchmark is that server.
const BE_SERVER: &str = "--be-server";

/// What runs under callgrind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Server {
    /// A bare axum handler, which stores nothing.
    Bare,
    /// The service on the memory store, with a read model that receives no events.
    RequestPath,
    /// The service on the memory store.
    WithReadModel,
    /// The program on the memory store, with its log lines and the computer player.
    Program,
}

impl Server {
    const ALL: [Server; 4] = [
        Server::Bare,
        Server::RequestPath,
        Server::WithReadModel,
        Server::Program,
    ];

    fn name(self) -> &'static str {
        match self {
            Server::Bare => "bare handler",
            Server::RequestPath => "request path",
            Server::WithReadModel => "with the read model",
            Server::Program => "the program",
        }
    }
}

/// The requests that are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Load {
    Nothing,
    Starts,
    Games,
    Reads,
    Unchanged,
}

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if let [first, name] = &arguments[..]
        && first == BE_SERVER
    {
        return runtime("server").block_on(be_server(name));
    }
    let clients = runtime("client");
    match arguments.iter().any(|argument| argument == "--check") {
        true => clients.block_on(check()),
        false => clients.block_on(print_table()),
    }
}

async fn print_table() {
    println!("instructions in user space, one connection, memory store\n");
    println!("| server              |    move |   start |     GET |     304 |");
    println!("|---------------------|--------:|--------:|--------:|--------:|");
    for server in Server::ALL {
        let counter = Counter::of(server).await;
        let start = counter.per_request(Load::Starts, REQUESTS).await;
        let made = counter.per_move(start).await;
        let read = counter.per_request(Load::Reads, REQUESTS).await;
        let unchanged = counter.per_request(Load::Unchanged, REQUESTS).await;
        let name = server.name();
        println!("| {name:<19} | {made:>7} | {start:>7} | {read:>7} | {unchanged:>7} |");
    }
}

async fn check() {
    let counter = Counter::of(Server::RequestPath).await;
    let start = counter.per_request(Load::Starts, REQUESTS).await;
    let made = counter.per_move(start).await;
    println!("a move costs {made} instructions on the request path; {RECORDED} were recorded");
    assert!(
        made * 10 <= RECORDED * 11,
        "a move costs over 10 % more instructions than were recorded"
    );
    if made * 10 < RECORDED * 9 {
        println!("that is over 10 % less: record the new figure in benches/instructions.rs");
    }
}

/// Counts the instructions of one server.
struct Counter {
    server: Server,
    /// Of a run without the requests to count.
    without: u64,
}

impl Counter {
    async fn of(server: Server) -> Counter {
        let without = instructions(server, Load::Nothing).await;
        Counter { server, without }
    }

    async fn per_request(&self, load: Load, requests: usize) -> u64 {
        let all = instructions(self.server, load).await;
        all.saturating_sub(self.without) / requests as u64
    }

    async fn per_move(&self, start: u64) -> u64 {
        let game = self.per_request(Load::Games, GAMES).await;
        game.saturating_sub(start) / MOVES_PER_GAME as u64
    }
}

/// The instructions of a whole run of the server.
async fn instructions(server: Server, load: Load) -> u64 {
    let folder = tempfile::tempdir().expect("a folder");
    let report = folder.path().join("callgrind");
    let mut running = start(server, &report);
    let mut output = BufReader::new(running.stdout.take().expect("a pipe")).lines();
    let address = loop {
        let line = output.next_line().await.expect("a readable pipe");
        let line = line.expect("a line with the address");
        let after = line.split_once("http://").map_or("", |(_, after)| after);
        let address = after.split([',', '/', ' ']).next().unwrap_or_default();
        if let Ok(address) = address.parse() {
            break address;
        }
    };
    // A server that logs must not be stopped by a full pipe.
    let draining = tokio::spawn(async move { while let Ok(Some(_)) = output.next_line().await {} });
    let mut connection = Connection::to(address).await;
    // Whatever happens only once is not counted.
    send(&mut connection, Load::Games, 1).await;
    send(&mut connection, Load::Reads, 20).await;
    send(&mut connection, Load::Unchanged, 20).await;
    match load {
        Load::Nothing => {}
        Load::Games => send(&mut connection, load, GAMES).await,
        Load::Starts | Load::Reads | Load::Unchanged => send(&mut connection, load, REQUESTS).await,
    }
    let id = running.id().expect("a running process");
    let id = rustix::process::Pid::from_raw(i32::try_from(id).expect("a process id"));
    rustix::process::kill_process(id.expect("a process id"), rustix::process::Signal::TERM)
        .expect("a process that can be stopped");
    running.wait().await.expect("a process that ends");
    draining.await.expect("a pipe that was drained");
    total(&report)
}

fn start(server: Server, report: &Path) -> Child {
    let mut command = Command::new("valgrind");
    command
        .arg("--tool=callgrind")
        .arg(format!("--callgrind-out-file={}", report.display()));
    match server {
        Server::Program => command.arg(env!("CARGO_BIN_EXE_connect-four")).args([
            "--listen",
            "127.0.0.1:0",
            "--event-store",
            "memory:",
        ]),
        Server::Bare | Server::RequestPath | Server::WithReadModel => command
            .arg(std::env::current_exe().expect("a path"))
            .args([BE_SERVER, server.name()]),
    };
    command
        // The same on every machine: the workers' search for tasks costs instructions, too.
        .env("TOKIO_WORKER_THREADS", "2")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("valgrind, a package of most systems")
}

/// The total in the report of callgrind.
fn total(report: &Path) -> u64 {
    let text = fs::read_to_string(report).expect("a report");
    let line = text.lines().find_map(|line| line.strip_prefix("totals:"));
    let total = line.expect("a total").trim().parse();
    total.expect("a number")
}

async fn send(connection: &mut Connection, load: Load, times: usize) {
    match load {
        Load::Nothing => {}
        Load::Starts => {
            for _ in 0..times {
                connection.start_game().await;
            }
        }
        Load::Games => {
            for _ in 0..times {
                let path = format!("{}/moves", connection.start_game().await);
                for body in moves() {
                    connection.post_json(&path, body).await;
                }
            }
        }
        Load::Reads => {
            let path = connection.start_game().await;
            for _ in 0..times {
                let read = Request::get(&path);
                ask(connection, read, StatusCode::OK).await;
            }
        }
        Load::Unchanged => {
            let path = connection.start_game().await;
            for _ in 0..times {
                let read = Request::get(&path).header("if-none-match", "\"0\"");
                ask(connection, read, StatusCode::NOT_MODIFIED).await;
            }
        }
    }
}

async fn ask(connection: &mut Connection, read: Builder, expected: StatusCode) {
    let request = read.header("host", "localhost").body(Full::default());
    let (status, _) = connection.send(request.expect("a request")).await;
    assert_eq!(status, expected);
}

/// Serves until a signal, and prints its address before.
async fn be_server(name: &str) {
    let mut terminate = signal(SignalKind::terminate()).expect("a signal");
    let address: SocketAddr = match name {
        _ if name == Server::Bare.name() => serve_bare(bare::routes()).await,
        _ if name == Server::RequestPath.name() => {
            let store = event_store::open("memory:").await.expect("a store");
            serve("memory:", Arc::new(DeafStore(store))).await
        }
        _ => serve_store("memory:").await,
    };
    println!("http://{address}");
    terminate.recv().await;
}
