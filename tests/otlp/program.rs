//! The program as a process with the variables of OpenTelemetry.

use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(20);

/// A running service. Killed when dropped.
pub(crate) struct Program {
    child: Child,
    url: String,
    http: reqwest::Client,
    log: JoinHandle<Vec<String>>,
}

impl Program {
    /// Starts the service with these variables, and waits until it prints its address.
    pub(crate) async fn start(variables: &[(&str, &str)]) -> Program {
        let mut child = command(variables).spawn().expect("the program starts");
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
            http: reqwest::Client::new(),
            log: tokio::spawn(async move {
                let mut log = Vec::new();
                while let Ok(Some(line)) = lines.next_line().await {
                    log.push(line);
                }
                log
            }),
        }
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{}{path}", self.url))
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        self.http.post(format!("{}{path}", self.url)).json(body)
    }

    /// Starts a game, and returns its id.
    pub(crate) async fn start_game(&self) -> String {
        let players = json!({"player_one": "alice", "player_two": "bob"});
        let started = answered(self.post("/games", &players), 201).await;
        let game: Value = started.json().await.expect("JSON");
        game["id"].as_str().expect("an id").to_owned()
    }

    /// Sends SIGTERM. Returns the log and how long the program took to end.
    pub(crate) async fn stop(mut self) -> (Vec<String>, Duration) {
        let began = Instant::now();
        let id = self.child.id().expect("a running process").to_string();
        let sent = Command::new("kill").args(["-s", "TERM", &id]).status();
        assert!(sent.await.expect("the kill command").success());
        let exit = timeout(PATIENCE, self.child.wait()).await.expect("in time");
        assert!(exit.expect("a process of ours").success());
        let took = began.elapsed();
        (self.log.await.expect("no panic"), took)
    }
}

/// The answer to this request, which must have this status.
pub(crate) async fn answered(request: RequestBuilder, status: u16) -> Response {
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.status(), status);
    answer
}

/// The output of a program that refuses to start with these variables.
pub(crate) async fn refusal(variables: &[(&str, &str)]) -> String {
    let ended = timeout(PATIENCE, command(variables).output()).await;
    let Output { status, stderr, .. } = ended.expect("in time").expect("the program starts");
    assert_eq!(status.code(), Some(1));
    String::from_utf8(stderr).expect("text")
}

fn command(variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_connect-four"));
    command
        .args(["--listen", "127.0.0.1:0"])
        .env_clear()
        .env("EVENT_STORE", "memory:")
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}
