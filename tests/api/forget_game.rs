//! Deleting a game for ever, with `connect-four forget-game`.

use std::fs;
use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use connect_four::event_store::{EventStore, SqliteStore, StreamName};
use reqwest::Method;
use serde_json::json;
use tokio::process::Command;

use crate::double::Double;
use crate::program::Program;
use crate::service::{Client, Service, on_every_store};

const PATIENCE: Duration = Duration::from_secs(30);
const EVENT_STREAM: &str = "text/event-stream";

async fn forget(store: &str, game: &str) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_connect-four"))
        .args(["forget-game", game, "--event-store", store])
        .output();
    output.await.expect("the program starts")
}

fn complaint(output: &Output) -> String {
    assert!(!output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Asserts that requests of every kind for the game are answered with 410, also one that would start it.
async fn is_forgotten(client: &Client, path: &str) {
    for below in ["", "/moves", "/events"] {
        let answer = client.get(&format!("{path}{below}")).await;
        answer.is_problem(410, "game-deleted");
    }
    let moved = json!({"player": "ada", "column": "D"});
    let moved = client.post(&format!("{path}/moves"), moved).await;
    moved.is_problem(410, "game-deleted");
    let players = json!({"player_one": "ada", "player_two": "grace"});
    let put = client.request(Method::PUT, path).json(&players);
    put.send().await.is_problem(410, "game-deleted");
}

/// Asks for the list of all games until it has only these.
async fn lists_only(client: &Client, expected: &[&str]) {
    let began = Instant::now();
    loop {
        let answer = client.get("/games").await;
        if answer.status == 200 {
            let list = answer.json();
            let games = list["games"].as_array().expect("games").iter();
            let ids: Vec<_> = games.filter_map(|game| game["id"].as_str()).collect();
            if ids == expected {
                return;
            }
        }
        assert!(began.elapsed() < PATIENCE, "{}", answer.status);
    }
}

on_every_store! {
    async fn a_game_whose_stream_is_deleted_is_gone_and_its_watchers_are_disconnected(service: Service) {
        let kept = service.game_with("A").await;
        let game = service.game_with("DE").await;
        lists_only(&service, &[&game.id, &kept.id]).await;
        let path = game.path("");
        let mut watcher = game.watch(EVENT_STREAM, None).await;
        for _ in 0..3 {
            watcher.next().await.expect("an event of the history");
        }
        let stream = StreamName::new(format!("game-{}", game.id)).expect("a name");
        let deleted = service.store.delete_stream(&stream).await;
        assert_eq!(deleted, Ok(()));
        // The connection is cut, so that the client comes back and is told.
        let rest = tokio::time::timeout(PATIENCE, watcher.try_next()).await;
        assert!(!matches!(rest.expect("an end"), Ok(Some(_))));
        is_forgotten(&service, &path).await;
        lists_only(&service, &[&kept.id]).await;
        service.has_watchers(0).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_kurrentdb_every_replica_forgets_the_game_while_it_runs() {
    let double = Double::start().await;
    let url = double.connection_string();
    let replicas = [Service::at(&url).await, Service::at(&url).await];
    let game = replicas[0].game_with("DE").await;
    let kept = replicas[0].game_with("A").await;
    for replica in &replicas {
        lists_only(replica, &[&kept.id, &game.id]).await;
        replica.get(&game.path("")).await.is(200);
    }
    let output = forget(&url, &game.id).await;
    assert!(output.status.success(), "{output:?}");
    for replica in &replicas {
        is_forgotten(replica, &game.path("")).await;
        lists_only(replica, &[&kept.id]).await;
    }
    // Once more, for example because nobody knows whether the first time succeeded.
    assert!(forget(&url, &game.id).await.status.success());
}

/// Whether any file in the folder contains the text.
fn is_on_disk(folder: &Path, text: &str) -> bool {
    let entries = fs::read_dir(folder).expect("a folder");
    entries
        .map(|entry| entry.expect("an entry").path())
        .any(|path| {
            let bytes = fs::read(path).expect("a file");
            bytes
                .windows(text.len())
                .any(|part| part == text.as_bytes())
        })
}

#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite_the_game_is_forgotten_while_no_service_runs_and_its_names_leave_the_disk() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("games.db").display());
    let arguments = ["--event-store", url.as_str()];

    let mut program = Program::start(&arguments).await;
    let start = async |name: &str| {
        let players = json!({"player_one": name, "player_two": "grace"});
        let started = program.client.post("/games", players).await.is(201);
        started.json()["id"].as_str().expect("an id").to_owned()
    };
    // Between two other games, and the last event of the file.
    let kept = start("ada").await;
    let game = start("rumpelstiltskin").await;
    lists_only(&program.client, &[&game, &kept]).await;
    let complaint_in_use = complaint(&forget(&url, &game).await);
    assert!(
        complaint_in_use.contains("stop the service"),
        "{complaint_in_use}"
    );
    let path = format!("/games/{game}");
    program.client.get(&path).await.is(200);
    program.signal("TERM").await;
    assert!(program.exit().await.success());

    assert!(is_on_disk(folder.path(), "rumpelstiltskin"));
    let output = forget(&url, &game).await;
    assert!(output.status.success(), "{output:?}");

    let mut program = Program::start(&arguments).await;
    is_forgotten(&program.client, &path).await;
    lists_only(&program.client, &[&kept]).await;
    let next = program
        .client
        .post("/games", json!({"player_one": "a", "player_two": "b"}));
    let next = next.await.is(201).json()["id"].as_str().map(str::to_owned);
    lists_only(&program.client, &[&next.expect("an id"), &kept]).await;
    program.signal("TERM").await;
    assert!(program.exit().await.success());

    // The read model still had the name, and is built again from the events.
    let rebuilt = Command::new(env!("CARGO_BIN_EXE_connect-four"))
        .args(["rebuild", "--event-store", &url])
        .output();
    assert!(rebuilt.await.expect("the program starts").status.success());
    assert!(!is_on_disk(folder.path(), "rumpelstiltskin"));
    let program = Program::start(&arguments).await;
    is_forgotten(&program.client, &path).await;
    program.kill().await;
}

#[tokio::test]
async fn an_unknown_game_is_not_forgotten_and_can_still_be_started() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("games.db");
    let url = format!("sqlite://{}", file.display());
    let id = "5b0f9a4e-8f43-4c8e-9d2b-6f1f0c1f3a77";
    assert!(complaint(&forget(&url, id).await).contains("nothing was deleted"));
    let store = SqliteStore::open(&file).await.expect("it opens");
    assert_eq!(store.head().await, Ok(None));
    assert!(complaint(&forget(&url, "17").await).contains("UUID"));
}
