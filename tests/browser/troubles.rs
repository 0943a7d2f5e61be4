//! Services that die and answers that get lost, under an open page.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::chromium::Chromium;
use crate::forgetful_proxy::ForgetfulProxy;
use crate::service::Service;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: cargo test --test browser -- --ignored"]
async fn a_page_outlives_the_service_and_goes_on_without_a_reload() {
    let mut service = Service::start().await;
    let id = service.game_with("D").await;
    let browser = Chromium::at(&format!("{}/games/{id}#play=two", service.url)).await;
    browser.until_text("#connection", "Live").await;
    browser.run("window.isSamePage = true").await;

    service.kill().await;
    browser.until_text("#connection", "Connection lost").await;
    service.start_again().await;
    browser.until_text("#connection", "Live").await;

    service.kill().await;
    browser.until_text("#connection", "Connection lost").await;
    // A move that is made meanwhile is sent when the service is back.
    browser.drop_into("E").await;
    browser.until_text("#notice", "The answer was lost").await;
    service.start_again().await;
    browser.until_events(3).await;
    browser.until_text("#connection", "Live").await;

    service.make_move(&id, "alice", "D").await;
    browser.until_events(4).await;
    assert_eq!(service.events(&id).await, ["GameStarted", "D", "E", "D"]);
    assert_eq!(browser.run("window.isSamePage").await, true);
    browser
        .until("document.getElementById('notice').textContent === ''")
        .await;
    browser.close().await;
}

/// A browser gives a stream up when the answer is an error.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: cargo test --test browser -- --ignored"]
async fn a_page_comes_again_after_an_error_of_the_service() {
    let mut service = Service::start().await;
    let id = service.game_with("D").await;
    let browser = Chromium::at(&format!("{}/games/{id}", service.url)).await;
    browser.until_text("#connection", "Live").await;
    service.kill().await;
    let stand_in = TcpListener::bind(service.url.trim_start_matches("http://")).await;
    refuse_once(stand_in.expect("the port of the service")).await;
    service.start_again().await;
    browser.until_text("#connection", "Live").await;
    service.make_move(&id, "bob", "D").await;
    browser.until_events(3).await;
    browser.close().await;
}

/// Answers the first request with 503, as a proxy does whose service is away.
async fn refuse_once(listener: TcpListener) {
    let answer =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let (mut client, _) = listener.accept().await.expect("a client");
    let mut request = [0; 4096];
    let length = client.read(&mut request).await.expect("a request");
    assert_ne!(length, 0);
    client
        .write_all(answer.as_bytes())
        .await
        .expect("an answer");
    client.shutdown().await.expect("an end");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: cargo test --test browser -- --ignored"]
async fn a_move_whose_answer_is_lost_is_sent_again_and_made_once() {
    let service = Service::start().await;
    let id = service.game_with("").await;
    let proxy = ForgetfulProxy::before(&service.url).await;
    let browser = Chromium::at(&format!("{}/games/{id}#play=one", proxy.url)).await;
    browser.until_text("#connection", "Live").await;
    proxy.lose_answers_to_commands(3);
    browser.drop_into("D").await;
    browser.until_text("#outcome", "Idempotent-Replayed").await;
    assert_eq!(proxy.left_to_lose(), 0);
    browser.until_events(2).await;
    assert_eq!(service.events(&id).await, ["GameStarted", "D"]);
    browser
        .until("document.getElementById('notice').textContent === ''")
        .await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: cargo test --test browser -- --ignored"]
async fn back_from_another_page_shows_the_page_and_not_the_data() {
    let service = Service::start().await;
    let id = service.game_with("DD").await;
    let url = format!("{}/games/{id}", service.url);
    let browser = Chromium::at(&url).await;
    // The same address as JSON, which may not take the page's place in the cache.
    browser
        .until("(window.asked ??= fetch(location.href, { headers: { Accept: 'application/json' } }), true)")
        .await;
    browser.open(&service.url).await;
    browser.driver.back().await.expect("the page before");
    browser
        .until("document.querySelector('main:not([hidden])')")
        .await;
    browser.until_events(3).await;
    browser.close().await;
}
