//! Connections: HTTP/1.1 and HTTP/2, and clients that are slow or do not speak HTTP.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2::handshake;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::service::Service;

async fn connect(service: &Service) -> TcpStream {
    let address = service.url.trim_start_matches("http://");
    TcpStream::connect(address).await.expect("a connection")
}

#[tokio::test]
async fn a_client_that_begins_with_the_http_2_preface_is_answered_in_http_2() {
    let service = Service::on_memory().await;
    let game = service.game_with("D").await;
    let io = TokioIo::new(connect(&service).await);
    let (mut sender, connection) = handshake(TokioExecutor::new(), io).await.expect("HTTP/2");
    tokio::spawn(connection);
    let request = hyper::Request::get(format!("{}{}", service.url, game.path("")));
    let request = request.body(Empty::<Bytes>::new()).expect("a request");
    let answer = sender.send_request(request).await.expect("an answer");
    assert_eq!(answer.version(), hyper::Version::HTTP_2);
    assert_eq!(answer.headers()["etag"], "\"1\"");
    let body = answer.into_body().collect().await.expect("a body");
    assert_eq!(body.to_bytes(), game.get("").await.body);
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
