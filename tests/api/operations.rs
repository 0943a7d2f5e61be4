//! What operators rely on: health, request ids, and a stop that does not take long.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use crate::service::{Service, on_every_store};

on_every_store! {
    async fn a_healthy_service_is_alive_and_ready(service: Service) {
        assert_eq!(service.get("/livez").await.is(200).json(), json!({"status": "alive"}));
        let ready = service.get("/readyz").await.is(200);
        assert_eq!(ready.json(), json!({"status": "ready"}));
        assert_eq!(ready.header("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn every_answer_has_a_request_id() {
    let service = Service::on_memory().await;
    let one = service.get("/livez").await;
    let other = service.get("/nowhere").await;
    assert_ne!(one.header("x-request-id"), "");
    assert_ne!(one.header("x-request-id"), other.header("x-request-id"));
}

#[tokio::test]
async fn a_client_may_choose_the_request_id_if_it_is_a_uuid() {
    let service = Service::on_memory().await;
    let with_id = |id| {
        let request = service.request(Method::GET, "/games/x");
        request.header("x-request-id", id).send()
    };
    let id = "0e3cd2a1-94f5-4e4c-b5de-5b1c6fa5a5d1";
    let answer = with_id(id).await;
    assert_eq!(answer.header("x-request-id"), id);
    let problem = answer.is_problem(404, "game-not-found");
    assert_eq!(problem["instance"], format!("urn:uuid:{id}"));
    assert_ne!(with_id("17").await.header("x-request-id"), "17");
}

#[tokio::test]
async fn a_stopped_service_takes_no_more_requests() {
    let service = Service::on_memory().await;
    let client = service.another_client();
    client.get("/livez").await.is(200);
    let asked_to_stop = Instant::now();
    service.stop().await;
    assert!(asked_to_stop.elapsed() < Duration::from_secs(3));
    let refused = client.request(Method::GET, "/livez").try_send().await;
    assert!(refused.is_err_and(|error| error.is_connect()));
}
