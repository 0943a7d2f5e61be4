//! The service in a process of its own, so that its memory can be told from everybody else's.
//!
//! The benchmark runs itself again with [`ARGUMENT`]; that process writes the address that it
//! serves on, and serves until it is killed.

use std::net::SocketAddr;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::support::serve_store;

/// What makes the benchmark a server.
pub(crate) const ARGUMENT: &str = "--be-server";

/// A server, killed when dropped.
pub(crate) struct ServerProcess {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl ServerProcess {
    /// The service on this store.
    pub(crate) async fn start(store: &str) -> ServerProcess {
        let this = std::env::current_exe().expect("a path");
        let mut child = Command::new(this)
            .args([ARGUMENT, store])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("a process");
        let stdout = child.stdout.take().expect("a pipe");
        let line = BufReader::new(stdout).lines().next_line().await;
        let line = line.expect("a readable pipe").expect("a line");
        ServerProcess {
            child,
            address: line.parse().expect("an address"),
        }
    }

    /// Its physical memory, where Linux tells it.
    pub(crate) fn resident_bytes(&self) -> Option<f64> {
        let id = self.child.id()?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kib * 1024.0)
    }
}

/// What the other process does.
pub(crate) async fn be_server(arguments: &[String]) {
    let [store] = arguments else {
        panic!("a store");
    };
    println!("{}", serve_store(store).await);
    std::future::pending().await
}
