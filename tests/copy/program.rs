//! The program as a process that tests can signal and kill.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

/// Long enough for a test that copies 100,000 games.
pub(crate) const PATIENCE: Duration = Duration::from_secs(600);

/// A running program. Killed when dropped.
pub(crate) struct Program {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Program {
    pub(crate) fn start(arguments: &[&str]) -> Program {
        Program::spawn(command(arguments))
    }

    /// Like [`start`](Program::start), but no file may become larger. Shells count in blocks of 512 or
    /// 1024 bytes.
    pub(crate) fn limited(blocks: u32, arguments: &[&str]) -> Program {
        let mut shell = Command::new("sh");
        shell
            .arg("-c")
            .arg(format!(r#"ulimit -S -f {blocks}; exec "$0" "$@""#))
            .arg(env!("CARGO_BIN_EXE_connect-four"));
        Program::spawn(prepared(shell, arguments))
    }

    fn spawn(mut command: Command) -> Program {
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let stdout = child.stdout.take().expect("a pipe");
        Program {
            child,
            lines: BufReader::new(stdout).lines(),
        }
    }

    /// Starts a service on a free port. Returns its URL.
    pub(crate) async fn serve(store: &str) -> (Program, String) {
        Program::serve_at("127.0.0.1:0", store).await
    }

    /// Starts a service at this address. Returns its URL.
    pub(crate) async fn serve_at(address: &str, store: &str) -> (Program, String) {
        let listen = ["serve", "--listen", address, "--log", "info"];
        let mut program = Program::start(&[&listen[..], &["--event-store", store]].concat());
        let line = program.says("serving on ").await;
        let (_, rest) = line.split_once("serving on ").expect("the line");
        let url = rest.split(',').next().expect("a URL").to_owned();
        (program, url)
    }

    /// The next line of its output that contains this text.
    pub(crate) async fn says(&mut self, text: &str) -> String {
        let said = timeout(PATIENCE, async {
            while let Some(line) = self.lines.next_line().await.expect("a readable pipe") {
                if line.contains(text) {
                    return line;
                }
            }
            panic!("the program ended and did not say {text:?}");
        });
        said.await.expect("a line in time")
    }

    /// Sends SIGKILL, which the program cannot handle.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.expect("a process of ours");
    }

    pub(crate) async fn signal(&self, name: &str) {
        let id = self.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status().await;
        assert!(sent.expect("the kill command").success());
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id().expect("a running process")
    }

    /// Its exit code, when it ends, and the rest of its output.
    pub(crate) async fn end(mut self) -> (Option<i32>, String) {
        let ended = timeout(PATIENCE, async {
            let mut said = String::new();
            while let Ok(Some(line)) = self.lines.next_line().await {
                said.push_str(&line);
                said.push('\n');
            }
            (self.child.wait().await.expect("a process").code(), said)
        });
        ended.await.expect("an end in time")
    }
}

/// Runs the program until it ends by itself. Returns its exit code and all of its output.
pub(crate) async fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let output = timeout(PATIENCE, command(arguments).output()).await;
    let output = output.expect("an end in time").expect("it starts");
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

/// Copies, and asserts that it succeeds.
pub(crate) async fn copy(from: &str, to: &str) -> String {
    let (code, said) = run(&["copy", "--from", from, "--to", to]).await;
    assert_eq!(code, Some(0), "{said}");
    said
}

/// Compares the stores.
pub(crate) async fn verify(from: &str, to: &str) -> (Option<i32>, String) {
    run(&["copy", "--from", from, "--to", to, "--verify"]).await
}

fn command(arguments: &[&str]) -> Command {
    prepared(Command::new(env!("CARGO_BIN_EXE_connect-four")), arguments)
}

fn prepared(mut command: Command, arguments: &[&str]) -> Command {
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
