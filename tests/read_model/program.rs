//! The program as a process that tests can kill.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::support::PATIENCE;

/// A running service. Killed when dropped.
pub(crate) struct Program {
    child: Child,
    pub(crate) url: String,
    _log: tokio::task::JoinHandle<()>,
}

impl Program {
    /// Starts the service on a free port, and waits until it prints its address.
    pub(crate) async fn serve(arguments: &[&str]) -> Program {
        let mut child = command(arguments)
            .args(["--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let stdout = child.stdout.take().expect("a pipe");
        let mut lines = BufReader::new(stdout).lines();
        let url = timeout(PATIENCE, async {
            while let Some(line) = lines.next_line().await.expect("a readable pipe") {
                if let Some((_, rest)) = line.split_once("serving on ") {
                    return rest.split(',').next().expect("a URL").to_owned();
                }
            }
            panic!("the program ended instead of serving");
        });
        Program {
            child,
            url: url.await.expect("a line in time"),
            // Keeps reading, so that the pipe does not fill up.
            _log: tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} }),
        }
    }

    /// Sends SIGKILL, which the program cannot handle.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.expect("a process of ours");
    }
}

/// Runs the program until it ends by itself. Returns its exit code and its output.
pub(crate) async fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let output = timeout(PATIENCE, command(arguments).output()).await;
    let output = output.expect("an end in time").expect("it starts");
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_connect-four"));
    command
        .args(arguments)
        .env_remove("EVENT_STORE")
        .env_remove("READ_MODEL")
        .env_remove("LISTEN")
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}
