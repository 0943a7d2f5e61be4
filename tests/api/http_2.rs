//! HTTP/2: how it is recognised, and connections that make no progress.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::service::{Answer, Service};

const PREFACE: &str = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// An empty SETTINGS frame.
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];

type Sender = SendRequest<Empty<Bytes>>;

/// A connection whose client allows this many bytes of each response. The task ends with the connection.
async fn http_2(service: &Service, window: u32) -> (Sender, JoinHandle<()>) {
    let io = TokioIo::new(service.connect().await.0);
    let (sender, connection) = Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .initial_stream_window_size(window)
        .handshake(io)
        .await
        .expect("HTTP/2");
    let connection = tokio::spawn(async {
        let _ = connection.await;
    });
    (sender, connection)
}

fn get(service: &Service, path: &str) -> hyper::http::request::Builder {
    hyper::Request::get(format!("{}{path}", service.url))
}

fn request(service: &Service, path: &str) -> hyper::Request<Empty<Bytes>> {
    get(service, path).body(Empty::new()).expect("a request")
}

#[tokio::test]
async fn a_client_that_begins_with_the_http_2_preface_is_answered_in_http_2() {
    let service = Service::on_memory().await;
    let game = service.game_with("D").await;
    let (mut sender, _connection) = http_2(&service, 65_535).await;
    let answer = sender.send_request(request(&service, &game.path(""))).await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.version(), hyper::Version::HTTP_2);
    assert_eq!(answer.headers()["etag"], "\"1\"");
    let body = answer.into_body().collect().await.expect("a body");
    assert_eq!(body.to_bytes(), game.get("").await.body);
}

#[tokio::test]
async fn the_preface_may_arrive_in_pieces() {
    let service = Service::on_memory().await;
    for split in [1, 3, 14, 23] {
        let (first, second) = PREFACE.split_at(split);
        let mut raw = service.connect().await;
        raw.send(first).await;
        // The next request is served after the first piece was read.
        service.get("/livez").await.is(200);
        raw.send(second).await;
        raw.0.write_all(SETTINGS).await.expect("sent");
        let mut frame = [0; 9];
        raw.0.read_exact(&mut frame).await.expect("a frame");
        assert_eq!(frame[3], 4, "SETTINGS after {split} bytes");
    }
}

#[tokio::test]
async fn a_connection_may_have_a_hundred_streams() {
    const MAX_CONCURRENT_STREAMS: u16 = 3;
    let service = Service::on_memory().await;
    let mut raw = service.connect().await;
    raw.send(PREFACE).await;
    raw.0.write_all(SETTINGS).await.expect("sent");
    let mut head = [0; 9];
    raw.0.read_exact(&mut head).await.expect("a frame");
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let mut settings = vec![0; length as usize];
    raw.0.read_exact(&mut settings).await.expect("its payload");
    let most = settings.chunks_exact(6).find_map(|setting| {
        let (id, value) = setting.split_first_chunk::<2>()?;
        let is_it = u16::from_be_bytes(*id) == MAX_CONCURRENT_STREAMS;
        is_it.then(|| u32::from_be_bytes(*value.first_chunk().expect("four bytes")))
    });
    assert_eq!(most, Some(100));
}

#[tokio::test]
async fn a_method_that_begins_like_the_preface_is_not_allowed() {
    let service = Service::on_memory().await;
    for method in ["PRINT", "PRI", "P"] {
        let sent = format!("{method} / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        let received = service.exchange(&sent).await;
        let answer = Answer::parse(method, "/", &received);
        answer.is_problem(405, "method-not-allowed");
        assert_eq!(answer.header("allow"), "GET,HEAD");
    }
}

/// Time is paused: it advances as soon as every task is idle, so the tests below do not wait.
#[tokio::test(start_paused = true)]
async fn a_connection_that_goes_silent_during_or_after_the_preface_is_closed() {
    let service = Service::on_memory().await;
    for beginning in ["PRI", &PREFACE[..20], PREFACE] {
        let mut raw = service.connect().await;
        let began = Instant::now();
        raw.send(beginning).await;
        let mut received = Vec::new();
        let _ = raw.0.read_to_end(&mut received).await;
        let took = began.elapsed();
        assert!(took < Duration::from_secs(160), "{beginning:?}: {took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_on_which_no_stream_makes_progress_is_closed() {
    let service = Service::on_memory().await;
    // With one byte, hyper regards the responses as sent, and the connection as idle.
    for (window, limit) in [(0, 40), (1, 120)] {
        let (mut sender, connection) = http_2(&service, window).await;
        let mut answers = Vec::new();
        for _ in 0..50 {
            let answer = sender.send_request(request(&service, "/openapi.json"));
            answers.push(answer.await.expect("a head, which needs no window"));
        }
        let stalled = Instant::now();
        let closed = timeout(Duration::from_secs(600), connection).await;
        closed.expect("closed").expect("no panic");
        let took = stalled.elapsed();
        assert!(took < Duration::from_secs(limit), "{window}: {took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_and_one_with_a_stream_of_events_is_not() {
    let service = Service::on_memory().await;
    let game = service.game_with("D").await;
    let (_idle, idle) = http_2(&service, 65_535).await;
    let (mut sender, mut watching) = http_2(&service, 65_535).await;
    let watch = get(&service, &game.path("/events")).header("accept", "application/x-ndjson");
    let watch = watch.header("last-event-id", "1").body(Empty::new());
    let answer = sender.send_request(watch.expect("a request")).await;
    let mut body = answer.expect("an answer").into_body();
    let closed = timeout(Duration::from_secs(120), idle).await;
    closed.expect("closed").expect("no panic");
    let until = Instant::now() + Duration::from_secs(300);
    while Instant::now() < until {
        body.frame().await.expect("open").expect("an empty line");
    }
    let ended = timeout(Duration::ZERO, &mut watching).await;
    assert!(ended.is_err(), "the stream of events is still open");
}
