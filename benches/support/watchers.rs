//! Thousands of watchers of one game, in a process of their own, so that their memory is not counted
//! as the server's.
//!
//! The benchmark runs itself again with [`ARGUMENT`]. The new process prints a line when all watchers
//! have the first event of the game, and one for each event that all of them received: its revision and
//! the time of the last arrival, by the system clock.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use futures_util::{StreamExt, stream};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpSocket;
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinSet;

/// With this argument, the benchmark runs as a process of watchers.
pub(crate) const ARGUMENT: &str = "--be-watchers";

/// The number of connections that are opened at once. It is small because a listener's queue is short.
const AT_ONCE: usize = 64;

/// The number of events of a game.
const LONGEST_GAME: usize = 44;

/// The number of files that this process may open.
pub(crate) fn open_file_limit() -> u64 {
    rlimit::increase_nofile_limit(u64::MAX).expect("a limit")
}

pub(crate) fn now() -> u128 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("a clock that is set").as_nanos()
}

/// The handle that the benchmark has on the process of watchers.
pub(crate) struct Watchers {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Watchers {
    /// Lets this many watchers connect to the game, and waits until all are connected. Each round uses
    /// its own client address, because the ports of closed connections are not free for a while.
    pub(crate) async fn start(
        address: SocketAddr,
        game: &str,
        count: usize,
        round: usize,
    ) -> Watchers {
        let this = std::env::current_exe().expect("a path");
        let mut child = Command::new(this)
            .args([ARGUMENT, &address.to_string(), game])
            .args([count.to_string(), round.to_string()])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("a process");
        let stdout = child.stdout.take().expect("a pipe");
        let lines = BufReader::new(stdout).lines();
        let mut watchers = Watchers { child, lines };
        assert_eq!(watchers.next().await.0, 0, "all have the game's start");
        watchers
    }

    /// The next event that all watchers have received, and the time when the last one received it.
    pub(crate) async fn next(&mut self) -> (usize, u128) {
        let line = self.lines.next_line().await.expect("a readable pipe");
        let line = line.expect("watchers that live");
        let (revision, at) = line.split_once(' ').expect("two numbers");
        (
            revision.parse().expect("a revision"),
            at.parse().expect("a time"),
        )
    }

    pub(crate) async fn leave(mut self) {
        self.child.kill().await.expect("a process of ours");
    }
}

/// The main function of the process of watchers.
pub(crate) async fn be_watchers(arguments: &[String]) {
    let [address, game, count, round] = arguments else {
        panic!("an address, a game, a count and a round");
    };
    open_file_limit();
    let address: SocketAddr = address.parse().expect("an address");
    let count: usize = count.parse().expect("a number");
    let from = Ipv4Addr::new(127, 0, 1, round.parse().expect("a small number"));
    let arrivals: Arc<[AtomicUsize]> = (0..LONGEST_GAME).map(|_| AtomicUsize::new(0)).collect();
    let connections = stream::iter(0..count)
        .map(|_| open(address, from, game))
        .buffer_unordered(AT_ONCE);
    let mut watchers = JoinSet::new();
    let mut connections = std::pin::pin!(connections);
    while let Some(mut lines) = connections.next().await {
        let arrivals = arrivals.clone();
        watchers.spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let Some(id) = line.strip_prefix("id: ") else {
                    continue;
                };
                let revision: usize = id.trim_end().parse().expect("a revision");
                if arrivals[revision].fetch_add(1, Ordering::SeqCst) + 1 == count {
                    println!("{revision} {}", now());
                }
            }
        });
    }
    watchers.join_all().await;
}

async fn open(
    address: SocketAddr,
    from: Ipv4Addr,
    game: &str,
) -> Lines<BufReader<tokio::net::TcpStream>> {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((from, 0).into()).expect("a free port");
    let mut connection = socket.connect(address).await.expect("a connection");
    let request = format!(
        "GET {game}/events HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n\r\n"
    );
    connection
        .write_all(request.as_bytes())
        .await
        .expect("sent");
    BufReader::with_capacity(1024, connection).lines()
}
