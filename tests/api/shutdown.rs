//! Shutdown: connections without a request do not delay it.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::time::Instant;

use crate::program::Program;
use crate::raw::Raw;
use crate::service::{Client, Service};

/// An empty SETTINGS frame.
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];

/// Connections on which no request is in flight.
async fn idle_connections(client: &Client) -> Vec<Raw> {
    let mut connections = Vec::new();
    for beginning in [
        "",
        "PRI",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET /livez HTTP/1.1\r\nhost: local",
    ] {
        let mut raw = client.connect().await;
        raw.send(beginning).await;
        connections.push(raw);
    }
    connections[2].0.write_all(SETTINGS).await.expect("sent");
    let mut kept_alive = client.connect().await;
    kept_alive.get("/livez").await.is(200);
    connections.push(kept_alive);
    connections
}

#[tokio::test]
async fn connections_without_a_request_do_not_delay_shutdown() {
    let service = Service::on_memory().await;
    let connections = idle_connections(&service).await;
    let asked_to_stop = Instant::now();
    service.stop().await;
    let took = asked_to_stop.elapsed();
    assert!(took < Duration::from_secs(1), "{took:?}");
    for mut raw in connections {
        raw.rest().await;
    }
}

#[tokio::test]
async fn a_shutdown_with_idle_connections_is_not_worth_a_warning() {
    let mut program = Program::start(&["--event-store", "memory:"]).await;
    let _connections = idle_connections(&program.client).await;
    program.signal("TERM").await;
    assert!(program.exit().await.success());
    let log = program.rest_of_log().await;
    assert!(log.contains("stopped"), "{log}");
    assert!(!log.contains("WARN"), "{log}");
}
