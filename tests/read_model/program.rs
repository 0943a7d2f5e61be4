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

/// Starts the program. Killed when dropped.
pub(crate) fn start(arguments: &[&str]) -> Child {
    let mut command = command(arguments);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("the program starts")
}

/// Runs the program until it ends by itself. Returns its exit code and its output.
pub(crate) async fn run(arguments: &[&str]) -> (Option<i32>, String) {
    end_of(command(arguments)).await
}

/// Like [`run`], with a limit on the size of files. Shells count in blocks of 512 or 1024 bytes.
pub(crate) async fn run_limited(blocks: u32, arguments: &[&str]) -> (Option<i32>, String) {
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg(format!(r#"ulimit -f {blocks}; exec "$0" "$@""#))
        .arg(env!("CARGO_BIN_EXE_connect-four"));
    end_of(prepared(shell, arguments)).await
}

async fn end_of(mut command: Command) -> (Option<i32>, String) {
    let output = timeout(PATIENCE, command.output()).await;
    let output = output.expect("an end in time").expect("it starts");
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

fn command(arguments: &[&str]) -> Command {
    let program = Command::new(env!("CARGO_BIN_EXE_connect-four"));
    prepared(program, arguments)
}

fn prepared(mut command: Command, arguments: &[&str]) -> Command {
    command
        .args(arguments)
        .env_remove("EVENT_STORE")
        .env_remove("READ_MODEL")
        .env_remove("LISTEN")
        .env_remove("RUST_LOG")
        .env_remove("STATE_DIRECTORY")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}
