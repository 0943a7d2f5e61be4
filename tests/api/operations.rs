//! Operations: health checks, request ids, metrics, and a fast shutdown.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use crate::idempotency_keys::{KEY, keyed};
use crate::service::{Service, on_every_store};

on_every_store! {
    async fn a_healthy_service_is_alive_and_ready(service: Service) {
        assert_eq!(service.get("/livez").await.is(200).json(), json!({"status": "alive"}));
        let ready = service.is_ready().await;
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
async fn a_stopped_service_accepts_no_more_requests() {
    let service = Service::on_memory().await;
    let client = service.another_client();
    client.get("/livez").await.is(200);
    let asked_to_stop = Instant::now();
    service.stop().await;
    assert!(asked_to_stop.elapsed() < Duration::from_secs(3));
    let refused = client.request(Method::GET, "/livez").try_send().await;
    assert!(refused.is_err_and(|error| error.is_connect()));
}

/// The value of the metric whose line begins with this text; zero if there is none.
async fn metric(service: &Service, line: &str) -> u64 {
    let metrics = service.get("/metrics").await.is(200);
    let metrics = String::from_utf8(metrics.body).expect("text");
    metrics
        .lines()
        .find_map(|found| found.strip_prefix(line)?.trim().parse().ok())
        .unwrap_or(0)
}

on_every_store! {
    async fn moves_requests_and_store_calls_are_counted(service: Service) {
        let game = service.game_with("DD").await;
        game.move_by("grace", "D").await.is(409);
        game.move_by("grace", "H").await.is(422);
        service.get("/games/nonsense").await.is(404);

        for (line, count) in [
            ("connect_four_moves_total{outcome=\"accepted\"}", 2),
            ("connect_four_moves_total{outcome=\"not-your-turn\"}", 1),
            ("connect_four_moves_total{outcome=\"invalid-request\"}", 1),
            (r#"connect_four_http_requests_total{method="POST",route="/games",status="201"}"#, 1),
            (r#"connect_four_http_requests_total{method="GET",route="/games/{id}",status="404"}"#, 1),
            ("connect_four_append_conflicts_total", 0),
            ("connect_four_store_call_seconds_count{call=\"append\",outcome=\"ok\"}", 3),
        ] {
            assert_eq!(metric(&service, line).await, count, "{line}");
        }
    }
}

on_every_store! {
    async fn repeated_commands_are_counted_once_each(service: Service) {
        let game = service.game_with("").await;
        keyed(&game, "ada", "D", KEY).await.is(201);
        assert_eq!(metric(&service, "connect_four_replays_total").await, 0);
        keyed(&game, "ada", "D", KEY).await.is(201);
        keyed(&game, "ada", "D", "another-key-of-16-characters").await.is(409);
        assert_eq!(metric(&service, "connect_four_replays_total").await, 1);
    }
}

#[tokio::test]
async fn metrics_are_openmetrics_text_and_contain_no_path() {
    let service = Service::on_memory().await;
    service.get("/players/rumpelstiltskin").await.is(404);
    let metrics = service.get("/metrics").await.is(200);
    assert!(
        metrics
            .header("content-type")
            .starts_with("application/openmetrics-text")
    );
    let text = String::from_utf8(metrics.body).expect("text");
    assert!(text.ends_with("# EOF\n"));
    assert!(!text.contains("rumpelstiltskin"));
}

#[tokio::test]
async fn cors_allows_requests_from_other_origins_and_exposes_the_headers() {
    let service = Service::on_memory().await;
    let preflight = service
        .request(Method::OPTIONS, "/games/x/moves")
        .header("origin", "https://play.example")
        .header("access-control-request-method", "POST")
        .header(
            "access-control-request-headers",
            "content-type,if-match,idempotency-key",
        )
        .send()
        .await
        .is(200);
    assert_eq!(preflight.header("access-control-allow-origin"), "*");
    let allowed = preflight.header("access-control-allow-headers").to_owned();
    for name in [
        "content-type",
        "if-match",
        "if-none-match",
        "idempotency-key",
        "last-event-id",
        "prefer",
        "authorization",
        "traceparent",
    ] {
        assert!(
            allowed.split(',').any(|allowed| allowed == name),
            "{name} in {allowed}"
        );
    }

    let game = service.game_with("D").await;
    let request = service.request(Method::GET, &game.path(""));
    let answer = request
        .header("origin", "https://play.example")
        .send()
        .await
        .is(200);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let exposed = answer.header("access-control-expose-headers").to_owned();
    for name in [
        "etag",
        "location",
        "content-location",
        "link",
        "retry-after",
        "x-request-id",
        "idempotent-replayed",
        "preference-applied",
        "www-authenticate",
    ] {
        assert!(
            exposed.split(',').any(|exposed| exposed == name),
            "{name} in {exposed}"
        );
    }
    // CORS also applies to refusals.
    let refused = service
        .request(Method::GET, "/nowhere")
        .header("origin", "https://play.example");
    assert_eq!(
        refused.send().await.header("access-control-allow-origin"),
        "*"
    );
}

on_every_store! {
    async fn the_metadata_of_events_contains_the_request_and_the_trace(service: Service) {
        let game = service.game_with("").await;
        let request_id = "0e3cd2a1-94f5-4e4c-b5de-5b1c6fa5a5d1";
        let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let traced = game.move_request("ada", "D").header("traceparent", traceparent);
        traced.header("x-request-id", request_id).send().await.is(201);
        let named = game.move_request("grace", "D").header("x-request-id", request_id);
        named.send().await.is(201);
        game.move_by("ada", "D").await.is(201);

        let page = game.get("/events").await.is(200).json();
        let metadata = |revision: usize| page["events"][revision]["metadata"].clone();
        assert_eq!(metadata(0), json!({}));
        assert_eq!(metadata(1), json!({
            "$correlationId": "4bf92f35-77b3-4da6-a3ce-929d0e0e4736",
            "$causationId": request_id,
            "traceparent": traceparent,
        }));
        assert_eq!(metadata(2), json!({
            "$correlationId": request_id,
            "$causationId": request_id,
        }));
        assert_eq!(metadata(3), json!({}));
    }

    async fn a_traceparent_that_is_not_valid_is_not_stored(service: Service) {
        let (trace, parent) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
        let zeros = "0".repeat(32);
        let valid = format!("00-{trace}-{parent}-01");
        let later = format!("cc-{trace}-{parent}-01-more");
        let columns = ["A", "B", "C", "D", "E", "F", "G"].iter().cycle();
        let fields = [
            vec![format!("00-{zeros}-{parent}-01")],
            vec![format!("00-{trace}-{}-01", &zeros[..16])],
            vec![format!("ff-{trace}-{parent}-01")],
            vec![format!("00-{}-{parent}-01", trace.to_uppercase())],
            vec![format!("00-{trace}-{}-01", parent.to_uppercase())],
            vec![format!("00-{trace}-{parent}-0A")],
            vec![format!("00-{}-{parent}-01", &trace[1..])],
            vec![format!("00-{trace}-{parent}0-01")],
            vec![format!("00-{trace}-{parent}-1")],
            vec![format!("00-{trace}-{parent}-01-")],
            vec![format!("00-{trace}-{parent}")],
            vec![format!("0-{trace}-{parent}-01")],
            vec![format!("CC-{trace}-{parent}-01")],
            vec![format!("cc-{trace}-{parent}-01more")],
            vec![valid.clone(), valid.clone()],
            vec![valid],
            vec![later],
        ];
        let game = service.game_with("").await;
        let players = ["ada", "grace"].iter().cycle();
        for ((fields, player), column) in fields.iter().zip(players).zip(columns) {
            let request = game.move_request(player, column);
            let request = fields.iter().fold(request, |request, field| request.header("traceparent", field));
            request.send().await.is(201);
        }
        let page = game.get("/events?after=0&limit=100").await.is(200).json();
        let stored = page["events"].as_array().expect("events");
        for (event, fields) in stored.iter().zip(&fields).take(fields.len() - 2) {
            assert_eq!(event["metadata"], json!({}), "{fields:?}");
        }
        // A version that is not known yet begins like version 00.
        for (event, fields) in stored.iter().zip(&fields).skip(fields.len() - 2) {
            assert_eq!(event["metadata"]["traceparent"], fields[0]);
            assert_eq!(event["metadata"]["$correlationId"], "4bf92f35-77b3-4da6-a3ce-929d0e0e4736");
        }
    }
}
