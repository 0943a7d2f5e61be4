//! Logging never decides about requests: a log line that cannot be written is dropped and counted.

use std::fs::OpenOptions;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use connect_four::event_store;
use connect_four::http::{App, router};
use futures_util::poll;
use http_body_util::BodyExt;
use reqwest::Method;
use serde_json::json;
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};
use tower::ServiceExt;

use crate::service::Client;

const PATIENCE: Duration = Duration::from_secs(20);

/// A port that was free a moment ago: the log, which would name the chosen one, cannot be read.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

/// Starts the program with its log going there, and waits until it answers.
async fn start(stdout: Stdio) -> (Child, Client) {
    let port = free_port();
    let child = Command::new(env!("CARGO_BIN_EXE_connect-four"))
        .args(["--event-store", "memory:", "--listen"])
        .arg(format!("127.0.0.1:{port}"))
        .env_remove("RUST_LOG")
        .stdout(stdout)
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the program starts");
    let client = Client::of(format!("http://127.0.0.1:{port}"));
    let answers = async {
        while client
            .request(Method::GET, "/livez")
            .try_send()
            .await
            .is_err()
        {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, answers).await.expect("it serves in time");
    (child, client)
}

async fn lost_lines(client: &Client) -> u64 {
    let metrics = client.get("/metrics").await.is(200);
    let metrics = String::from_utf8(metrics.body).expect("text");
    metrics
        .lines()
        .find_map(|line| line.strip_prefix("connect_four_log_lines_lost_total "))
        .expect("the metric")
        .parse()
        .expect("a number")
}

/// Sends more requests than any pipe and any queue hold log lines, then stops the program.
async fn play_and_stop(mut child: Child, client: &Client, loses_lines: bool) -> String {
    let names = json!({"player_one": "ada", "player_two": "grace"});
    let game = client.post("/games", names).await.is(201).json();
    let path = format!("/games/{}", game["id"].as_str().expect("an id"));
    for _ in 0..2000 {
        client.get(&path).await.is(200);
    }
    // Lines are written, and fail, a little after the answers.
    let lost = async {
        while loses_lines && lost_lines(client).await < 2000 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, lost)
        .await
        .expect("lost lines are counted");
    let id = child.id().expect("a running process").to_string();
    let signalled = Instant::now();
    let sent = Command::new("kill").args(["-s", "TERM", &id]).status();
    assert!(sent.await.expect("the kill command").success());
    let exit: ExitStatus = timeout(PATIENCE, child.wait())
        .await
        .expect("an exit in time")
        .expect("a process of ours");
    assert!(exit.success(), "{exit}");
    assert!(signalled.elapsed() < Duration::from_secs(3));
    let mut said = String::new();
    let mut stderr = child.stderr.take().expect("a pipe");
    stderr.read_to_string(&mut said).await.expect("text");
    said
}

#[tokio::test]
async fn a_full_disk_under_the_log_costs_only_log_lines() {
    let full = OpenOptions::new().write(true).open("/dev/full");
    let (child, client) = start(Stdio::from(full.expect("a full device"))).await;
    assert_eq!(play_and_stop(child, &client, true).await, "");
}

#[tokio::test]
async fn a_reader_of_the_log_that_goes_away_costs_only_log_lines() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let (child, client) = start(Stdio::from(OwnedFd::from(writer))).await;
    drop(reader);
    assert_eq!(play_and_stop(child, &client, true).await, "");
}

#[tokio::test]
async fn a_pipe_that_nobody_reads_stops_neither_requests_nor_the_program() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let (child, client) = start(Stdio::from(OwnedFd::from(writer))).await;
    // The lines that the pipe and the queue hold are not lost yet.
    assert_eq!(play_and_stop(child, &client, false).await, "");
    drop(reader);
}

#[tokio::test]
async fn a_command_whose_client_goes_away_is_carried_out_and_counted() {
    let folder = TempDir::new().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("games.db").display());
    let app = router(App::new(event_store::open(&url).await.expect("a store")));
    {
        let request = Request::post("/games")
            .header("host", "localhost")
            .header("content-type", "application/json")
            .body(Body::from(r#"{"player_one":"ada","player_two":"grace"}"#));
        let mut answer = pin!(app.clone().oneshot(request.expect("a request")));
        assert!(poll!(&mut answer).is_pending(), "the append takes a while");
        // What the server does when the connection breaks.
    }
    let counted = async {
        loop {
            let request = Request::get("/metrics")
                .header("host", "localhost")
                .body(Body::empty());
            let answer = app.clone().oneshot(request.expect("a request")).await;
            let body = answer.expect("infallible").into_body().collect().await;
            let metrics = body.expect("a body").to_bytes();
            let metrics = String::from_utf8_lossy(&metrics).into_owned();
            let line = r#"http_requests_total{method="POST",route="/games",status="201"} 1"#;
            if metrics.contains(line) {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, counted).await.expect("it is counted");
}
