//! The service in a process of its own, so that its memory can be measured separately.
//!
//! The benchmark runs itself again with [`ARGUMENT`]. The new process prints the address that it
//! serves on, and serves until it is killed.

use std::net::SocketAddr;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::support::servers::serve_store;

/// With this argument, the benchmark runs as a server.
pub(crate) const ARGUMENT: &str = "--be-server";

/// A server process. Killed when dropped.
pub(crate) struct ServerProcess {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl ServerProcess {
    /// Starts the service on this store.
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

    /// Its physical memory; `None` on systems other than Linux.
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

/// The main function of the server process.
pub(crate) async fn be_server(arguments: &[String]) {
    let [store] = arguments else {
        panic!("a store");
    };
    println!("{}", serve_store(store).await);
    std::future::pending().await
}
