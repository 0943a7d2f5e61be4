//! The figures for operators, as a scrape shows them after known requests; and that the dashboard and
//! the alerts in `ops/` name only metrics that exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::service::{Client, Service};

const PATIENCE: Duration = Duration::from_secs(20);

async fn scrape(client: &Client) -> String {
    let metrics = client.get("/metrics").await.is(200);
    String::from_utf8(metrics.body).expect("text")
}

/// The value of the time series with this name and these labels.
fn value(scrape: &str, series: &str) -> Option<f64> {
    scrape.lines().find_map(|line| {
        let (name, value) = line.rsplit_once(' ')?;
        (name == series).then(|| value.parse().ok())?
    })
}

/// Scrapes until the time series has this value.
async fn has(client: &Client, series: &str, expected: f64) {
    let began = Instant::now();
    loop {
        let found = value(&scrape(client).await, series);
        if found == Some(expected) {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{series} is {found:?}");
    }
}

#[tokio::test]
async fn each_request_is_in_the_histogram_of_its_route_method_and_class_of_status() {
    let service = Service::on_memory().await;
    let game = service.game_with("DD").await;
    game.move_by("grace", "D").await.is(409);
    game.move_by("grace", "H").await.is(422);
    service.get("/nowhere").await.is(404);

    let seen = scrape(&service).await;
    for (labels, count) in [
        (
            r#"method="POST",route="/games/{id}/moves",status="2xx""#,
            2.0,
        ),
        (
            r#"method="POST",route="/games/{id}/moves",status="4xx""#,
            2.0,
        ),
        (r#"method="POST",route="/games",status="2xx""#, 1.0),
        (r#"method="GET",route="none",status="4xx""#, 1.0),
    ] {
        let series = |suffix, labels: &str| {
            value(
                &seen,
                &format!("connect_four_http_request_seconds_{suffix}{{{labels}}}"),
            )
        };
        assert_eq!(series("count", labels), Some(count), "{labels}: {seen}");
        let all = series("bucket", &format!(r#"le="+Inf",{labels}"#));
        assert_eq!(all, Some(count), "{labels}");
        assert!(series("sum", labels) > Some(0.0), "{labels}");
    }
}

#[tokio::test]
async fn a_request_is_in_flight_until_its_response_begins() {
    const IN_FLIGHT: &str = "connect_four_http_requests_in_flight";
    let service = Service::on_memory().await;
    let game = service.game_with("D").await;
    // The scrape itself.
    assert_eq!(value(&scrape(&service).await, IN_FLIGHT), Some(1.0));
    let request = service.request(Method::GET, &game.path(""));
    let request = request.header("if-none-match", "\"1\"");
    let waiting = tokio::spawn(request.header("prefer", "wait=30").send());
    has(&service, IN_FLIGHT, 2.0).await;
    game.move_by("grace", "D").await.is(201);
    waiting.await.expect("no panic").is(200);
    has(&service, IN_FLIGHT, 1.0).await;
}

#[tokio::test]
async fn open_connections_are_counted_until_they_close() {
    const OPEN: &str = "connect_four_http_connections";
    let service = Service::on_memory().await;
    let ours = value(&scrape(&service).await, OPEN).expect("the gauge");
    let address = service.url.strip_prefix("http://").expect("a URL");
    let connection = TcpStream::connect(address).await.expect("a connection");
    has(&service, OPEN, ours + 1.0).await;
    drop(connection);
    has(&service, OPEN, ours).await;
}

#[tokio::test]
async fn the_version_and_the_signs_of_life_of_projector_and_hub_are_shown() {
    let service = Service::on_memory().await;
    service.is_ready().await;
    let seen = scrape(&service).await;
    let version = env!("CARGO_PKG_VERSION");
    let build = format!(r#"connect_four_build_info{{version="{version}"}}"#);
    assert_eq!(value(&seen, &build), Some(1.0), "{seen}");
    // The hub starts with the first watcher.
    assert_eq!(value(&seen, "connect_four_live_silence_seconds"), Some(0.0));
    let game = service.game_with("D").await;
    let _watcher = service.live.watch(game.id.parse().expect("an id")).await;
    let seen = scrape(&service).await;
    for name in ["live", "read_model"] {
        let silence = value(&seen, &format!("connect_four_{name}_silence_seconds"));
        let silence = silence.expect("the gauge");
        assert!(silence > 0.0 && silence < 10.0, "{name}: {silence}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_figures_of_the_process_have_the_standard_names() {
    let service = Service::on_memory().await;
    let seen = scrape(&service).await;
    let figure = |name: &str| value(&seen, name).unwrap_or_else(|| panic!("{name} in {seen}"));
    assert!(figure("process_cpu_seconds_total") >= 0.0);
    let resident = figure("process_resident_memory_bytes");
    assert!(resident > 1_000_000.0, "{resident}");
    assert!(figure("process_virtual_memory_bytes") >= resident);
    // Standard input and output, the listener, and the connection.
    let open = figure("process_open_fds");
    assert!(open >= 5.0 && open <= figure("process_max_fds"), "{open}");
    let age = chrono::Utc::now().timestamp() as f64 - figure("process_start_time_seconds");
    assert!((-2.0..3600.0).contains(&age), "started {age} s ago");
}

/// Every file below `ops/`.
fn files(folder: &Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            let text = fs::read_to_string(&path).expect("text");
            files.push((path.display().to_string(), text));
        }
    }
    files
}

fn ops() -> Vec<(String, String)> {
    let files = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("ops"));
    assert!(files.len() >= 6, "ops/ has {} files", files.len());
    files
}

/// The names in expressions of Prometheus that are metrics of the service.
fn metrics_in(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| word.starts_with("connect_four_") || word.starts_with("process_"))
        .collect()
}

#[tokio::test]
async fn the_dashboard_and_the_alerts_name_only_metrics_that_a_scrape_has() {
    let service = Service::on_sqlite().await;
    let game = service.game_with("DD").await;
    game.move_by("grace", "D").await.is(409);
    let seen = scrape(&service).await;
    let there: BTreeSet<_> = seen
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split(['{', ' ']).next())
        .collect();
    let mut named = 0;
    for (path, text) in ops() {
        for name in metrics_in(&text) {
            named += 1;
            assert!(there.contains(name), "{path} names {name}: {seen}");
        }
    }
    assert!(named > 20, "only {named} names were found");
}

#[test]
fn the_files_for_operators_are_valid_json_and_yaml() {
    for (path, text) in ops() {
        match path.rsplit_once('.').map(|(_, kind)| kind) {
            Some("json") => drop(serde_json::from_str::<Value>(&text).expect(&path)),
            Some("yml") => drop(serde_saphyr::from_str::<Value>(&text).expect(&path)),
            Some("md") => {}
            other => panic!("{path}: nothing checks {other:?}"),
        }
    }
}

#[test]
fn every_panel_has_a_query_and_a_place_of_its_own() {
    let (_, text) = ops()
        .into_iter()
        .find(|(path, _)| path.ends_with("connect-four.json"))
        .expect("the dashboard");
    let dashboard: Value = serde_json::from_str(&text).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let mut taken = BTreeSet::new();
    for panel in panels {
        let place = &panel["gridPos"];
        let number = |name: &str| place[name].as_u64().expect("a number");
        for x in number("x")..number("x") + number("w") {
            for y in number("y")..number("y") + number("h") {
                assert!(
                    x < 24 && taken.insert((x, y)),
                    "{} overlaps",
                    panel["title"]
                );
            }
        }
        let targets = panel["targets"].as_array().map_or(0, Vec::len);
        assert!(panel["type"] == "row" || targets > 0, "{}", panel["title"]);
    }
}
