//! Request bodies that do not arrive, or not as a whole.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use connect_four::event_store::MemoryStore;
use connect_four::http::{App, router};
use futures_util::future::join_all;
use futures_util::stream;
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;
use tower::ServiceExt;

use crate::service::{Answer, Service};

const ID: &str = "5b0f3a52-8c1e-4d49-9a57-0d7a0c3f9e11";

/// The operations that read a body.
fn operations() -> [(&'static str, String); 4] {
    [
        ("POST", "/games".to_owned()),
        ("PUT", format!("/games/{ID}")),
        ("POST", format!("/games/{ID}/moves")),
        ("POST", format!("/games/{ID}/resignation")),
    ]
}

/// Sends this beginning of a request, and returns the answer and all that the service sends up to the
/// end of the connection. May close the sending side before the answer.
async fn answer(service: &Service, method: &str, path: &str, rest: &str, closes: bool) -> Answer {
    let mut raw = service.connect().await;
    raw.send(&format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{rest}"
    ))
    .await;
    if closes {
        raw.0.shutdown().await.expect("closed on one side");
    }
    Answer::parse(method, path, &raw.rest().await)
}

#[tokio::test]
async fn a_body_that_is_never_completed_gets_408_and_the_connection_is_closed() {
    let service = Service::on_memory().await;
    let operations = operations();
    let mut answers = Vec::new();
    for (method, path) in &operations {
        for rest in [
            "content-length: 40\r\n\r\n{\"play",
            "content-length: 40\r\n\r\n",
            "transfer-encoding: chunked\r\n\r\n5\r\n{\"pla\r\n",
        ] {
            answers.push(answer(&service, method, path, rest, false));
        }
    }
    for answer in join_all(answers).await {
        answer.is_problem(408, "request-timeout");
        assert_eq!(answer.header("connection"), "close");
    }
    let head = service.store.head().await.expect("a store in memory");
    assert_eq!(head, None, "nothing is stored");
}

/// Without sockets, so that paused time can advance at once.
#[tokio::test(start_paused = true)]
async fn a_body_has_a_time_limit_of_its_own_which_is_shorter_than_that_of_a_handler() {
    let app = App::new(Arc::new(MemoryStore::new()));
    let live = app.live();
    let router = router(app);
    let post = || {
        let body = Body::from_stream(stream::pending::<Result<&str, std::io::Error>>());
        let request = Request::post("/games").header("host", "localhost");
        let request = request.header("content-type", "application/json");
        router
            .clone()
            .oneshot(request.body(body).expect("a request"))
    };
    let sent = Instant::now();
    assert_eq!(post().await.expect("infallible").status(), 408);
    assert_eq!(sent.elapsed().as_secs(), 3);

    live.stop();
    let sent = Instant::now();
    let status = post().await.expect("infallible").status();
    assert_eq!(status, 408, "at shutdown the outcome is known, too");
    assert!(sent.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn a_body_that_is_cut_off_or_has_an_invalid_chunk_gets_400() {
    let service = Service::on_memory().await;
    for (method, path) in &operations() {
        for (rest, closes) in [
            ("content-length: 40\r\n\r\n{\"play", true),
            ("content-length: 40\r\n\r\n", true),
            ("transfer-encoding: chunked\r\n\r\n5\r\n{\"p", true),
            ("transfer-encoding: chunked\r\n\r\n5\r\n{\"pla\r\n", true),
            ("transfer-encoding: chunked\r\n\r\nx\r\n{}\r\n", false),
            ("transfer-encoding: chunked\r\n\r\n-1\r\n{}\r\n", false),
            (
                "transfer-encoding: chunked\r\n\r\nfffffffffffffffffff\r\n",
                false,
            ),
            ("transfer-encoding: chunked\r\n\r\n2\r\n{}x\r\n", false),
        ] {
            let answer = answer(&service, method, path, rest, closes).await;
            answer.is_problem(400, "malformed-request");
            assert_eq!(answer.header("connection"), "close", "{rest:?}");
        }
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_gets_413_however_it_is_sent() {
    let service = Service::on_memory().await;
    let large = " ".repeat(4097);
    for rest in [
        format!("content-length: 4097\r\n\r\n{large}"),
        format!("transfer-encoding: chunked\r\n\r\n1001\r\n{large}\r\n0\r\n\r\n"),
    ] {
        let answer = answer(&service, "POST", "/games", &rest, true).await;
        answer.is_problem(413, "payload-too-large");
    }
}
