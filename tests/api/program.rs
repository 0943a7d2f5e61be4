//! The program as a process that tests can signal and kill.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::service::Client;

const PATIENCE: Duration = Duration::from_secs(20);

/// A running `connect-four`. Killed when dropped.
pub(crate) struct Program {
    child: Child,
    pub(crate) client: Client,
    /// The first lines of the log, up to the one with the address.
    pub(crate) first_lines: String,
    _log: tokio::task::JoinHandle<()>,
}

impl Program {
    /// Starts the program on a free port, and waits for the log line with the address.
    pub(crate) async fn start(arguments: &[&str]) -> Program {
        let mut child = command(arguments)
            .args(["--listen", "127.0.0.1:0"])
            .spawn()
            .expect("the program starts");
        let stdout = child.stdout.take().expect("a pipe");
        let mut lines = BufReader::new(stdout).lines();
        let said = timeout(PATIENCE, where_it_listens(&mut lines)).await;
        let (first_lines, url) = said.expect("a start-up line in time");
        Program {
            child,
            client: Client::of(url),
            first_lines,
            // Keep reading, so that the pipe does not fill up.
            _log: tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} }),
        }
    }

    /// Sends SIGKILL, which a program cannot catch.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.expect("a process of ours");
    }

    /// Sends SIGTERM or SIGINT.
    pub(crate) async fn signal(&self, name: &str) {
        let id = self.child.id().expect("a running process").to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status().await;
        assert!(sent.expect("the kill command").success());
    }

    /// Limits the size of the files that the program may write, or lifts the limit.
    pub(crate) fn limit_file_size(&self, bytes: u64) {
        let id = self.child.id().expect("a running process");
        let limits = Some((bytes, rlimit::INFINITY));
        let id = i32::try_from(id).expect("a process id");
        rlimit::prlimit(id, rlimit::Resource::FSIZE, limits, None).expect("a process of ours");
    }

    pub(crate) async fn exit(&mut self) -> ExitStatus {
        let exit = timeout(PATIENCE, self.child.wait()).await;
        exit.expect("an exit in time").expect("a process of ours")
    }
}

async fn where_it_listens(lines: &mut Lines<BufReader<ChildStdout>>) -> (String, String) {
    let mut said = String::new();
    while let Some(line) = lines.next_line().await.expect("a readable pipe") {
        said.push_str(&line);
        said.push('\n');
        if let Some((_, rest)) = line.split_once("serving on ") {
            let end = rest.find(',').expect("a comma after the URL");
            return (said, rest[..end].to_owned());
        }
    }
    panic!("the program ended instead of serving: {said}");
}

/// The output and exit status of a program that does not serve.
pub(crate) async fn refusal(arguments: &[&str]) -> String {
    let mut child = command(arguments)
        .args(["--listen", "127.0.0.1:0"])
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let exit = timeout(PATIENCE, child.wait())
        .await
        .expect("an exit in time");
    assert_eq!(exit.expect("a process of ours").code(), Some(1));
    let mut said = String::new();
    let mut stderr = child.stderr.take().expect("a pipe");
    stderr.read_to_string(&mut said).await.expect("text");
    said
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_connect-four"));
    command
        .args(arguments)
        .env_remove("EVENT_STORE")
        .env_remove("LISTEN")
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    command
}
