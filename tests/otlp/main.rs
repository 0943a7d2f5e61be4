//! Traces arrive at a collector, continue the trace of the client, and never get in the way of the service.

mod program;
mod receiver;

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::net::TcpListener;

use program::{Program, answered, refusal};
use receiver::Receiver;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
/// Spans are exported at once instead of every five seconds.
const AT_ONCE: (&str, &str) = ("OTEL_BSP_SCHEDULE_DELAY", "10");
/// Spans wait until the service stops.
const NEVER: (&str, &str) = ("OTEL_BSP_SCHEDULE_DELAY", "3600000");
const NO_DATABASE: (&str, &str) = ("EVENT_STORE", "kurrentdb://127.0.0.1:9?tls=false");
const FAILS: &str = "the export of traces fails";
const LOST: &str = "the last traces could not be exported";

#[tokio::test]
async fn the_span_of_a_request_continues_the_trace_of_the_client() {
    let mut collector = Receiver::start().await;
    let program = Program::start(&[(ENDPOINT, &collector.url), AT_ONCE]).await;
    let game = program.start_game().await;
    let alice = json!({"player": "alice", "column": "D"});
    let moved = program.post(&format!("/games/{game}/moves"), &alice);
    let moved = moved.header("traceparent", format!("00-{TRACE}-{PARENT}-01"));
    let moved = answered(moved, 201).await;
    let request_id = moved.headers()["x-request-id"].to_str().expect("text");

    // A service that does not follow the store yet also reads the stream.
    let in_trace = |span: &receiver::Span| span.trace == TRACE && span.name != "read_stream";
    let append = collector.span(in_trace).await;
    let request = collector.span(in_trace).await;
    assert_eq!(request.name, "POST /games/{id}/moves");
    assert_eq!(request.parent, PARENT);
    assert_eq!(request.kind, 2);
    assert!(!request.is_error);
    for (name, value) in [
        ("http.request.method", "POST"),
        ("http.route", "/games/{id}/moves"),
        ("http.response.status_code", "201"),
        ("connect_four.request.id", request_id),
        ("game.id", &game),
    ] {
        assert_eq!(request.attributes[name], value, "{name}");
    }
    assert_eq!(append.name, "append");
    assert_eq!(append.parent, request.id);
    assert_eq!(append.kind, 3);
    assert!(append.nanoseconds < request.nanoseconds);
    // What the players are called is in no attribute.
    assert!(!format!("{append:?} {request:?}").contains("alice"));
}

#[tokio::test]
async fn without_a_valid_traceparent_each_request_begins_a_trace_and_an_unsampled_one_is_not_exported()
 {
    let mut collector = Receiver::start().await;
    let program = Program::start(&[(ENDPOINT, &collector.url), AT_ONCE]).await;
    let mut traces = Vec::new();
    for fields in [
        &[][..],
        &["00-0-0-01"],
        &[&format!("00-{TRACE}-{PARENT}-01")[..]; 2],
    ] {
        let request = program.get("/livez");
        let request = fields.iter().fold(request, |request, field| {
            request.header("traceparent", *field)
        });
        answered(request, 200).await;
        let span = collector.span(|span| span.name == "GET /livez").await;
        assert_eq!(span.parent, "");
        traces.push(span.trace);
    }
    traces.dedup();
    assert_eq!(traces.len(), 3);
    assert!(!traces.contains(&TRACE.to_owned()));

    let unsampled = program
        .get("/livez")
        .header("traceparent", format!("00-{TRACE}-{PARENT}-00"));
    answered(unsampled, 200).await;
    program.stop().await;
    assert!(collector.rest().iter().all(|span| span.trace != TRACE));
}

#[tokio::test]
async fn the_standard_variables_name_the_service_and_the_collector() {
    let mut collector = Receiver::start().await;
    let url = format!("{}/v1/traces", collector.url);
    let headers = ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=secret");
    let service = ("OTEL_SERVICE_NAME", "games");
    let attributes = (
        "OTEL_RESOURCE_ATTRIBUTES",
        "deployment.environment.name=test",
    );
    let of_traces = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &url[..]);
    let elsewhere = (ENDPOINT, "http://127.0.0.1:9");
    let program =
        Program::start(&[of_traces, elsewhere, headers, service, attributes, AT_ONCE]).await;
    answered(program.get("/livez"), 200).await;
    let span = collector.span(|_| true).await;
    assert_eq!(span.resource["service.name"], "games");
    assert_eq!(span.resource["service.version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(span.resource["deployment.environment.name"], "test");
    assert_eq!(span.key.as_deref(), Some("secret"));

    let unnamed = Program::start(&[(ENDPOINT, &collector.url), AT_ONCE]).await;
    answered(unnamed.get("/livez"), 200).await;
    let span = collector
        .span(|span| span.resource["service.name"] != "games")
        .await;
    assert_eq!(span.resource["service.name"], "connect-four");
}

#[tokio::test]
async fn spans_do_not_depend_on_the_log_filter_and_do_not_change_the_log() {
    let mut collector = Receiver::start().await;
    let url = collector.url.clone();
    let endpoint = (ENDPOINT, &url[..]);
    let [with, without] = [vec![endpoint, NO_DATABASE, NEVER], vec![NO_DATABASE]];
    let [with, without] = [with, without].map(async |variables| {
        let program = Program::start(&variables).await;
        answered(program.get("/readyz"), 503).await;
        let (log, _) = program.stop().await;
        // The names of the fields, because their values differ.
        let form = |line: String| {
            let fields = line
                .split_whitespace()
                .filter_map(|word| word.split_once('='));
            fields.map(|(name, _)| name.to_owned()).collect::<Vec<_>>()
        };
        let lines = log.into_iter().filter(|line| line.contains("request{"));
        lines.map(form).collect::<Vec<_>>()
    });
    let (with, without) = (with.await, without.await);
    assert_eq!(with, without);
    assert!(
        with.len() >= 2,
        "that the store fails, and the answer: {with:?}"
    );
    collector.rest();

    let quiet =
        Program::start(&[endpoint, NEVER, ("RUST_LOG", "warn,connect_four::cli=info")]).await;
    let game = quiet.start_game().await;
    let (log, _) = quiet.stop().await;
    assert!(
        log.iter().all(|line| !line.contains("answered")),
        "{log:#?}"
    );
    let spans = collector.rest();
    assert!(
        spans
            .iter()
            .any(|span| span.attributes.get("game.id") == Some(&game))
    );
}

#[tokio::test]
async fn every_span_is_exported_before_the_service_stops() {
    let mut collector = Receiver::start().await;
    let program = Program::start(&[(ENDPOINT, &collector.url), NEVER]).await;
    // More than one batch.
    for _ in 0..700 {
        answered(program.get("/livez"), 200).await;
    }
    let (_, took) = program.stop().await;
    assert_eq!(collector.rest().len(), 700);
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[tokio::test]
async fn a_failure_of_the_service_is_a_failed_span_and_a_mistake_of_the_client_is_not() {
    let mut collector = Receiver::start().await;
    let program = Program::start(&[(ENDPOINT, &collector.url), AT_ONCE, NO_DATABASE]).await;
    answered(program.get("/readyz"), 503).await;
    let check = collector.span(|span| span.name == "check").await;
    assert_eq!(check.attributes["error.type"], "unavailable");
    let request = collector.span(|span| span.id == check.parent).await;
    assert_eq!(request.attributes["error.type"], "503");
    assert!(check.is_error && request.is_error);

    answered(program.get("/nothing"), 404).await;
    let request = collector.span(|span| span.name == "GET").await;
    assert!(!request.is_error);
}

#[tokio::test]
async fn a_collector_that_is_down_costs_one_log_line_and_no_time() {
    let refusing = closed_port().await;
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let silent = silent_url(&silent);
    for (url, is_reported) in [(refusing, true), (silent, false)] {
        let program = Program::start(&[(ENDPOINT, &url), AT_ONCE]).await;
        let began = Instant::now();
        // More spans than the queue holds.
        for _ in 0..3000 {
            answered(program.get("/livez"), 200).await;
        }
        let each = began.elapsed() / 3000;
        assert!(each < Duration::from_millis(20), "{each:?}");
        let (log, took) = program.stop().await;
        assert!(took < Duration::from_secs(2), "{took:?}");
        let complaints = log.iter().filter(|line| line.contains("traces"));
        let (failures, others): (Vec<_>, Vec<_>) =
            complaints.partition(|line| line.contains(FAILS));
        assert_eq!(failures.len(), usize::from(is_reported));
        assert!(others.iter().all(|line| line.contains(LOST)) && others.len() <= 1);
    }
}

#[tokio::test]
async fn after_an_outage_spans_arrive_again() {
    let port = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = silent_url(&port);
    drop(port);
    let program = Program::start(&[(ENDPOINT, &url), AT_ONCE]).await;
    answered(program.get("/livez"), 200).await;
    let mut collector = Receiver::start_at(&url).await;
    answered(program.get("/metrics"), 200).await;
    let span = collector.span(|span| span.name == "GET /metrics").await;
    assert_eq!(span.kind, 2);
}

#[tokio::test]
async fn without_a_collector_nothing_is_exported_and_a_wrong_one_is_refused() {
    for variables in [
        &[][..],
        &[(ENDPOINT, "")],
        &[
            (ENDPOINT, "http://127.0.0.1:9"),
            ("OTEL_SDK_DISABLED", "true"),
        ],
        &[
            (ENDPOINT, "http://127.0.0.1:9"),
            ("OTEL_TRACES_EXPORTER", "none"),
        ],
    ] {
        let program = Program::start(variables).await;
        answered(program.get("/livez"), 200).await;
        let (log, _) = program.stop().await;
        assert!(log.iter().all(|line| !line.contains("traces")), "{log:#?}");
    }
    let grpc = [
        (ENDPOINT, "http://127.0.0.1:9"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
    ];
    assert!(refusal(&grpc).await.contains("must be http/protobuf"));
    let no_scheme = [(ENDPOINT, "collector:4318")];
    assert!(
        refusal(&no_scheme)
            .await
            .contains("OTEL_EXPORTER_OTLP_ENDPOINT must be a URL")
    );
}

async fn closed_port() -> String {
    silent_url(&TcpListener::bind("127.0.0.1:0").await.expect("a free port"))
}

fn silent_url(listener: &TcpListener) -> String {
    format!(
        "http://{}",
        listener.local_addr().expect("a bound listener")
    )
}
