//! Waiting for the next move with long polls.

use std::time::{Duration, Instant};

use reqwest::Method;

use crate::service::{Game, Request, Service, on_every_store};

/// Requests the game, to be answered when it no longer has this entity tag.
fn poll(game: &Game<'_>, tag: &str, wait: &str) -> Request {
    let request = game.service.request(Method::GET, &game.path(""));
    let request = request.header("if-none-match", tag);
    request.header("prefer", &format!("wait={wait}"))
}

on_every_store! {
    async fn a_move_answers_the_requests_that_wait_for_it(service: Service) {
        let game = service.game_with("ABABAB").await;
        let waiting = tokio::spawn(poll(&game, "\"6\"", "30").send());
        let patient = tokio::spawn(poll(&game, "\"6\", \"7\", \"8\"", "1").send());
        service.has_watchers(2).await;
        let moved = game.move_by("ada", "A").await.is(201);
        let woken = waiting.await.expect("no panic").is(200);
        assert_eq!(woken.header("preference-applied"), "wait=30");
        // The answer comes after the move, or after the finish that follows it.
        assert_eq!(woken.body, moved.body);
        let told = patient.await.expect("no panic").is(304);
        assert_eq!(told.header("etag"), "\"8\"");
        service.has_watchers(0).await;
    }

    async fn without_a_move_a_long_poll_ends_with_304(service: Service) {
        let game = service.game_with("D").await;
        let asked = Instant::now();
        let answer = poll(&game, "\"1\"", "1").send().await.is(304);
        assert!(asked.elapsed() >= Duration::from_secs(1));
        assert_eq!(answer.header("preference-applied"), "wait=1");
        assert_eq!(answer.header("etag"), "\"1\"");
        assert!(answer.body.is_empty());
    }
}

#[tokio::test]
async fn a_client_with_an_older_revision_does_not_wait() {
    let service = Service::on_memory().await;
    let game = service.game_with("DD").await;
    let answer = poll(&game, "\"1\"", "30").send().await.is(200);
    assert_eq!(answer.json()["revision"], 2);
    assert_eq!(answer.header("preference-applied"), "wait=30");
    let nowhere = "/games/5b0f9a4e-8f43-4c8e-9d2b-6f1f0c1f3a77";
    let request = service.request(Method::GET, nowhere);
    let request = request.header("if-none-match", "\"1\"");
    let answer = request.header("prefer", "wait=30").send().await;
    answer.is_problem(404, "game-not-found");
}

#[tokio::test]
async fn a_request_without_if_none_match_does_not_wait() {
    let service = Service::on_memory().await;
    let game = service.game_with("D").await;
    let request = service.request(Method::GET, &game.path(""));
    let answer = request.header("prefer", "wait=30").send().await.is(200);
    assert_eq!(answer.header("preference-applied"), "");
    let request = service.request(Method::GET, &game.path(""));
    let answer = request.header("if-none-match", "\"1\"").send().await;
    assert_eq!(answer.is(304).header("preference-applied"), "");
}

#[tokio::test]
async fn a_request_for_a_finished_game_does_not_wait_and_the_maximum_is_thirty_seconds() {
    let service = Service::on_memory().await;
    let game = service.game_with("ABABABA").await;
    let asked = Instant::now();
    let answer = poll(&game, "\"8\"", "3600").send().await.is(304);
    assert!(asked.elapsed() < Duration::from_secs(5));
    assert_eq!(answer.header("preference-applied"), "wait=30");
}

/// A long poll may take longer than the five seconds of other requests. The test uses paused time.
#[tokio::test(start_paused = true)]
async fn a_long_poll_waits_thirty_seconds() {
    use axum::body::Body;
    use axum::http::Request;
    use connect_four::event_store::MemoryStore;
    use connect_four::http::{App, router};
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    let app = router(App::new(std::sync::Arc::new(MemoryStore::new())));
    let names = Body::from(r#"{"player_one":"ada","player_two":"grace"}"#);
    let start = Request::post("/games")
        .header("host", "localhost")
        .header("content-type", "application/json");
    let started = app.clone().oneshot(start.body(names).expect("a request"));
    let started = started.await.expect("an answer");
    let path = started.headers()["location"].to_str().expect("text");

    let began = tokio::time::Instant::now();
    let poll = Request::get(path)
        .header("host", "localhost")
        .header("if-none-match", "\"0\"");
    let poll = poll.header("prefer", "wait=31").body(Body::empty());
    let answer = app.clone().oneshot(poll.expect("a request")).await;
    assert_eq!(answer.expect("an answer").status(), 304);
    assert_eq!(began.elapsed().as_secs(), 30);

    for (accept, comment) in [("text/event-stream", ":\n"), ("application/x-ndjson", "\n")] {
        let watch = Request::get(format!("{path}/events"))
            .header("host", "localhost")
            .header("accept", accept);
        let watch = watch.header("last-event-id", "0").body(Body::empty());
        let answer = app.clone().oneshot(watch.expect("a request")).await;
        let mut body = answer.expect("an answer").into_body();
        for _ in 0..3 {
            let silent_since = tokio::time::Instant::now();
            let frame = body.frame().await.expect("a comment").expect("open");
            assert_eq!(frame.into_data().expect("data"), comment);
            assert_eq!(silent_since.elapsed().as_secs(), 15);
        }
    }
}
