//! The program as a process that tests can signal and kill.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::service::Client;

const PATIENCE: Duration = Duration::from_secs(20);

/// A running `connect-four`. Killed when dropped.
pub(crate) struct Program {
    child: Child,
    pub(crate) client: Client,
    /// The first lines of the log, up to the one with the address.
    pub(crate) first_lines: String,
    log: JoinHandle<String>,
}

impl Program {
    /// Starts the program on a free port, and waits for the log line with the address.
    pub(crate) async fn start(arguments: &[&str]) -> Program {
        Program::spawn(command(env!("CARGO_BIN_EXE_connect-four")).args(arguments)).await
    }

    /// Like [`start`](Program::start), with the limits that this shell command sets.
    pub(crate) async fn limited(limits: &str, arguments: &[&str]) -> Program {
        let script = format!("{limits}; exec \"$0\" \"$@\"");
        let mut shell = command("sh");
        let program = env!("CARGO_BIN_EXE_connect-four");
        Program::spawn(shell.args(["-c", &script, program]).args(arguments)).await
    }

    async fn spawn(command: &mut Command) -> Program {
        let mut child = command
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
            log: tokio::spawn(async move {
                let mut said = String::new();
                while let Ok(Some(line)) = lines.next_line().await {
                    said.push_str(&line);
                    said.push('\n');
                }
                said
            }),
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

    /// The log after its first lines, up to the end of the program.
    pub(crate) async fn rest_of_log(&mut self) -> String {
        let log = timeout(PATIENCE, &mut self.log).await;
        log.expect("the end in time").expect("no panic")
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
    let mut child = command(env!("CARGO_BIN_EXE_connect-four"))
        .args(arguments)
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

fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command
        .env_remove("EVENT_STORE")
        .env_remove("LISTEN")
        .env_remove("RUST_LOG")
        .env_remove("STATE_DIRECTORY")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    command
}
