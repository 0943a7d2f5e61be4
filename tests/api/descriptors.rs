//! File descriptors: the limit is raised, and connections cannot take those that the store needs.

use serde_json::json;
use tempfile::TempDir;

use crate::program::Program;
use crate::raw::Raw;
use crate::service::Answer;

const LIVEZ: &str = "GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n";

#[tokio::test]
async fn the_limit_on_open_files_is_raised_at_the_start() {
    let program = Program::limited("ulimit -Sn 64", &["--event-store", "memory:"]).await;
    let mut connections = Vec::new();
    for _ in 0..100 {
        let mut raw = program.client.connect().await;
        raw.get("/livez").await.is(200);
        connections.push(raw);
    }
}

#[tokio::test]
async fn connections_beyond_the_limit_get_a_503_and_the_store_keeps_working() {
    let folder = TempDir::new().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("games.db").display());
    let program = Program::limited("ulimit -n 128", &["--event-store", &url]).await;
    program.client.is_ready().await;
    let names = json!({"player_one": "ada", "player_two": "grace"});
    let game = program.client.post("/games", names.clone()).await.is(201);
    let mut connections: Vec<Raw> = Vec::new();
    let refused = loop {
        assert!(connections.len() < 128, "all of them are served");
        let mut raw = program.client.connect().await;
        raw.send(LIVEZ).await;
        let mut first = [0; 12];
        tokio::io::AsyncReadExt::read_exact(&mut raw.0, &mut first)
            .await
            .expect("an answer");
        if first == *b"HTTP/1.1 200" {
            connections.push(raw);
            continue;
        }
        break [&first[..], &raw.rest().await].concat();
    };
    let answer = Answer::parse("GET", "/livez", &refused);
    answer.is_problem(503, "too-many-connections");
    assert_eq!(answer.header("retry-after"), "2");
    assert_eq!(answer.header("connection"), "close");
    assert!(connections.len() > 10, "{}", connections.len());

    // Silent connections beyond the limit do not keep others from a 503.
    let mut silent = Vec::new();
    for _ in 0..40 {
        silent.push(program.client.connect().await);
    }
    // The first connection, which the client keeps alive, reaches the store.
    let id = game.json()["id"].as_str().expect("an id").to_owned();
    for column in ["A", "B"] {
        let player = if column == "A" { "ada" } else { "grace" };
        let body = json!({"player": player, "column": column});
        let path = format!("/games/{id}/moves");
        program.client.post(&path, body).await.is(201);
    }
    drop((connections, silent));
    // Their descriptors are free again once the service has noticed.
    loop {
        let mut raw = program.client.connect().await;
        raw.send("GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            .await;
        let received = raw.rest().await;
        if received.starts_with(b"HTTP/1.1 200") {
            break;
        }
    }
}
