//! Request bodies in other media types, codings and encodings, and bodies with many errors.

use std::process::Stdio;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::handshake;
use hyper_util::rt::{TokioExecutor, TokioIo};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::service::{Answer, Game, Service, on_every_store};

const MOVE: &str = r#"{"player":"ada","column":"D"}"#;

fn utf_16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(unit).collect()
}

async fn send_move(game: &Game<'_>, body: impl Into<reqwest::Body>) -> Answer {
    let request = game.service.request(Method::POST, &game.path("/moves"));
    request.raw_json(body).send().await
}

/// Runs the curl command at the end of the detail of a 415, and returns the status of its answer.
async fn run_curl(problem: &Value) -> String {
    let detail = problem["detail"].as_str().expect("a detail");
    let (_, command) = detail.split_once(": curl ").expect("a command");
    let command =
        format!("curl --silent --output /dev/null --write-out '%{{http_code}}' {command}");
    let ran = Command::new("sh")
        .arg("-c")
        .arg(&command)
        .stdin(Stdio::null())
        .output()
        .await;
    String::from_utf8(ran.expect("a shell").stdout).expect("a status")
}

on_every_store! {
    async fn the_curl_in_a_415_works(service: Service) {
        let game = service.game_with("").await;
        let new = format!("/games/{}", uuid::Uuid::new_v4());
        for (method, path, status) in [
            (Method::PUT, new, "201"),
            (Method::POST, "/games?color=always".to_owned(), "201"),
            (Method::POST, game.path("/moves"), "409"),
            (Method::POST, game.path("/resignation"), "409"),
        ] {
            let answer = service.request(method.clone(), &path).header("content-type", "text/plain").send().await;
            let problem = answer.is_problem(415, "unsupported-media-type");
            // The example names alice, who does not play in this game.
            assert_eq!(run_curl(&problem).await, status, "{method} {path}: {problem}");
        }
    }

    async fn a_byte_order_mark_is_ignored(service: Service) {
        let game = service.game_with("").await;
        send_move(&game, format!("\u{feff}{MOVE}")).await.is(201);
        for body in ["\u{feff}", "\u{feff}\u{feff}{}"] {
            send_move(&game, body).await.is_problem(400, "malformed-json");
        }
    }

    async fn bodies_in_other_encodings_are_named(service: Service) {
        let game = service.game_with("").await;
        let gzip = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03".to_vec();
        for (body, name) in [
            (utf_16(MOVE, u16::to_le_bytes), "UTF-16"),
            (utf_16(MOVE, u16::to_be_bytes), "UTF-16"),
            (utf_16(&format!("\u{feff}{MOVE}"), u16::to_le_bytes), "UTF-16"),
            (utf_16(&format!("\u{feff}{MOVE}"), u16::to_be_bytes), "UTF-16"),
            (MOVE.chars().flat_map(|letter| u32::from(letter).to_le_bytes()).collect(), "UTF-32"),
            (MOVE.chars().flat_map(|letter| u32::from(letter).to_be_bytes()).collect(), "UTF-32"),
            (gzip, "gzip"),
            (b"{\"player\":\"\xe9\",\"column\":\"D\"}".to_vec(), "UTF-8"),
        ] {
            let problem = send_move(&game, body).await.is_problem(400, "malformed-json");
            let detail = problem["detail"].as_str().expect("a detail");
            assert!(detail.contains(name), "{name}: {detail}");
        }
        assert_eq!(game.event_types().await.len(), 1);
    }

    async fn a_content_coding_is_refused(service: Service) {
        let game = service.game_with("").await;
        let send = |codings: &'static [&'static str]| {
            let request = service.request(Method::POST, &game.path("/moves"));
            let request = codings.iter().fold(request, |request, coding| request.header("content-encoding", coding));
            request.raw_json(MOVE).send()
        };
        for codings in [&["gzip"][..], &["br"], &["identity, gzip"], &["identity", "x"]] {
            let answer = send(codings).await;
            assert_eq!(answer.header("accept-encoding"), "identity");
            let problem = answer.is_problem(415, "unsupported-media-type");
            let detail = problem["detail"].as_str().expect("a detail");
            assert!(detail.contains("Content-Encoding"), "{detail}");
        }
        send(&[", Identity,"]).await.is(201);
    }

    async fn a_body_with_many_errors_gets_ten_of_them_and_the_number_of_the_others(service: Service) {
        let game = service.game_with("").await;
        let many: Vec<_> = (0..500).map(|number| format!("\"{number}\":0")).collect();
        let answer = send_move(&game, format!("{{{}}}", many.join(","))).await;
        assert!(answer.body.len() < 2000, "{}", answer.body.len());
        let problem = answer.is_problem(422, "invalid-request");
        let errors = problem["errors"].as_array().expect("errors");
        assert_eq!(errors.len(), 10);
        assert_eq!(errors[0]["pointer"], "#/player");
        // Two members are missing, and 500 are unknown.
        assert_eq!(problem["more_errors"], 492);
        let detail = problem["detail"].as_str().expect("a detail");
        assert!(detail.contains("492"), "{detail}");

        let few = r#"{"player":"ada","column":"D","x":0}"#;
        let problem = send_move(&game, few).await.is_problem(422, "invalid-request");
        assert_eq!(problem["more_errors"], Value::Null);
        let long = "é".repeat(20_000);
        let answer = send_move(&game, json!({"player": "ada", "column": "D", long: 0}).to_string()).await;
        assert!(answer.body.len() < 2000, "{}", answer.body.len());
        answer.is_problem(422, "invalid-request");
    }
}

#[tokio::test]
async fn the_curl_in_a_415_works_over_http_2() {
    let service = Service::on_memory().await;
    let address = service.url.trim_start_matches("http://");
    let connection = TcpStream::connect(address).await.expect("a connection");
    let io = TokioIo::new(connection);
    let (mut sender, connection) = handshake(TokioExecutor::new(), io).await.expect("HTTP/2");
    tokio::spawn(connection);
    let url = format!("{}/games/{}", service.url, uuid::Uuid::new_v4());
    let request = hyper::Request::put(url).body(Full::new(Bytes::from_static(b"x")));
    let answer = sender
        .send_request(request.expect("a request"))
        .await
        .expect("an answer");
    assert_eq!(answer.status(), 415);
    let body = answer
        .into_body()
        .collect()
        .await
        .expect("a body")
        .to_bytes();
    let problem = serde_json::from_slice(&body).expect("a problem");
    assert_eq!(run_curl(&problem).await, "201", "{problem}");
}

/// The command is copied into a shell.
#[tokio::test]
async fn the_curl_in_a_415_contains_no_text_that_a_shell_would_run() {
    let service = Service::on_memory().await;
    for host in ["a';touch x;'", "$(touch x)", "a b", "`x`", "a\"b"] {
        let request = service.request(Method::POST, "/games").header("host", host);
        // Such a host is refused before anything is made of it.
        let answer = request.body("x").send().await;
        let problem = answer.is_problem(400, "malformed-request");
        let detail = problem["detail"].as_str().expect("a detail");
        assert!(!detail.contains(host), "{detail}");
    }
}
