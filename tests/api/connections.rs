//! Connections: clients that are slow, do not speak HTTP, or send requests that HTTP does not allow.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::service::{Answer, Service};

async fn connect(service: &Service) -> TcpStream {
    let address = service.url.trim_start_matches("http://");
    TcpStream::connect(address).await.expect("a connection")
}

/// Time is paused: it advances as soon as every task is idle, so the test does not wait.
#[tokio::test(start_paused = true)]
async fn a_connection_with_an_unfinished_request_head_is_closed_after_a_timeout() {
    let service = Service::on_memory().await;
    for beginning in ["", "P", "GET /livez HTTP/1.1\r\nhost: local"] {
        let mut connection = connect(&service).await;
        let began = Instant::now();
        connection
            .write_all(beginning.as_bytes())
            .await
            .expect("sent");
        let mut answer = Vec::new();
        // The connection may end with a reset.
        let _ = connection.read_to_end(&mut answer).await;
        assert!(answer.is_empty(), "{beginning:?}");
        let took = began.elapsed();
        // Longer than a load balancer keeps an idle connection.
        let patience = Duration::from_secs(61)..Duration::from_secs(160);
        assert!(patience.contains(&took), "{beginning:?}: {took:?}");
    }
}

#[tokio::test]
async fn a_connection_that_does_not_speak_http_is_closed_and_the_service_goes_on() {
    let service = Service::on_memory().await;
    for beginning in [
        "PRI or other\r\n\r\n",
        "\0\0\0\0",
        "\r\n\r\n\r\n\u{7f}\r\n\r\n",
    ] {
        let mut connection = connect(&service).await;
        connection
            .write_all(beginning.as_bytes())
            .await
            .expect("sent");
        let mut answer = Vec::new();
        let _ = connection.read_to_end(&mut answer).await;
        assert!(!answer.starts_with(b"HTTP/1.1 2"), "{beginning:?}");
    }
    service.get("/livez").await.is(200);
}

#[tokio::test]
async fn a_client_that_closes_its_side_after_the_request_gets_the_answer() {
    let service = Service::on_memory().await;
    let body = r#"{"player_one":"ada","player_two":"grace"}"#;
    let request = format!(
        "POST /games HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut connection = connect(&service).await;
    connection
        .write_all(request.as_bytes())
        .await
        .expect("sent");
    connection.shutdown().await.expect("closed on one side");
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await.expect("read");
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
}

#[tokio::test]
async fn a_request_without_exactly_one_valid_host_is_refused() {
    let service = Service::on_memory().await;
    for fields in [
        "",
        "host: localhost\r\nhost: localhost\r\n",
        "host: a\r\nhost: b\r\n",
        "host: a b\r\n",
        "host: ada@localhost\r\n",
    ] {
        for path in [
            "/livez",
            "/",
            "/openapi.json",
            "/games",
            "/docs",
            "/metrics",
        ] {
            let sent = format!("GET {path} HTTP/1.1\r\n{fields}connection: close\r\n\r\n");
            let received = service.exchange(&sent).await;
            let answer = Answer::parse("GET", path, &received);
            answer.is_problem(400, "malformed-request");
        }
    }
    for sent in [
        "GET /livez HTTP/1.0\r\n\r\n",
        "GET /livez HTTP/1.0\r\nhost: localhost\r\n\r\n",
        "GET /livez HTTP/1.1\r\nhost:\r\nconnection: close\r\n\r\n",
        "GET http://a/livez HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
    ] {
        let received = service.exchange(sent).await;
        Answer::parse("GET", "/livez", &received).is(200);
    }
    let twice = "GET /livez HTTP/1.0\r\nhost: a\r\nhost: b\r\n\r\n";
    let received = service.exchange(twice).await;
    Answer::parse("GET", "/livez", &received).is_problem(400, "malformed-request");
}

/// The documentation says so: the parser refuses these before any code of the service runs.
#[tokio::test]
async fn a_head_that_cannot_be_parsed_gets_a_status_without_a_body_and_the_connection_is_closed() {
    let service = Service::on_memory().await;
    let long = "x".repeat(70_000);
    for (sent, status) in [
        ("GET / HTTP/1.1\r\nhost localhost\r\n\r\n".to_owned(), 400),
        (
            "GET /\u{7f}\u{1} HTTP/1.1\r\nhost: localhost\r\n\r\n".to_owned(),
            400,
        ),
        (
            format!("GET / HTTP/1.1\r\nhost: localhost\r\nx: {long}\r\n\r\n"),
            431,
        ),
        (
            format!("GET /{long} HTTP/1.1\r\nhost: localhost\r\n\r\n"),
            431,
        ),
    ] {
        let received = service.exchange(&sent).await;
        let received = String::from_utf8_lossy(&received);
        assert!(
            received.starts_with(&format!("HTTP/1.1 {status} ")),
            "{received}"
        );
        assert!(received.ends_with("\r\n\r\n"), "{received}");
    }
}
