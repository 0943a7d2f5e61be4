//! Replicas on KurrentDB that keep the read model in a state directory.

use std::path::PathBuf;
use std::sync::Arc;

use connect_four::event_store::{self, EventStore};
use connect_four::read_model::ReadModelLocation;
use reqwest::{Client, StatusCode};

use crate::double::Double;
use crate::program::{Program, run};
use crate::support::{Files, Following, append, moved, rows, start_games};

const POSITION: &str = "Event-Position";

async fn double_with_games(games: usize) -> (Double, Arc<dyn EventStore>) {
    let double = Double::start().await;
    let store = event_store::open(&double.connection_string()).await;
    let store = store.expect("it opens");
    start_games(&store, games).await;
    (double, store)
}

/// A replica, started like the others, when its lists include everything.
async fn replica(double: &Double, files: &Files, store: &Arc<dyn EventStore>) -> Program {
    let (url, directory) = (
        double.connection_string(),
        files.0.path().display().to_string(),
    );
    let program = Program::serve(&["--event-store", &url, "--state-directory", &directory]).await;
    includes(&program, store).await;
    program
}

async fn includes(program: &Program, store: &Arc<dyn EventStore>) {
    let head = store.head().await.expect("an answer").expect("events");
    let list = Client::new().get(format!("{}/games", program.url));
    let list = list
        .header(POSITION, head.to_string())
        .header("Prefer", "wait=5");
    assert_eq!(
        list.send().await.expect("an answer").status(),
        StatusCode::OK
    );
}

/// The file in the state directory.
fn model(files: &Files) -> PathBuf {
    match ReadModelLocation::in_state_directory(files.0.path()).with_version() {
        ReadModelLocation::File(path) => path,
        ReadModelLocation::Memory => panic!("it is a file"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_starts_again_reads_only_what_is_new() {
    let (double, store) = double_with_games(300).await;
    let files = Files::new();
    let program = replica(&double, &files, &store).await;
    assert!(double.calls().delivered >= 300);
    program.kill().await;

    let new = start_games(&store, 2).await;
    append(&store, new[0], &[moved("ada", "D")]).await;
    let before = double.calls().delivered;
    let program = replica(&double, &files, &store).await;
    // The computer and the watchers have subscriptions of their own, which begin at the end.
    let delivered = double.calls().delivered - before;
    assert!((3..30).contains(&delivered), "{delivered} events");
    program.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_with_other_tables_builds_its_own_file_while_the_old_one_is_used() {
    let (double, store) = double_with_games(50).await;
    let files = Files::new();
    // As a program with tables of version 2 would name it.
    let old = files.path("connect-four.read-model.v2.db");
    assert_ne!(old, model(&files));
    let following = Following::in_file(&old, &store).await;
    following.catches_up().await;

    let program = replica(&double, &files, &store).await;
    assert!(model(&files).exists());
    let last = start_games(&store, 1).await;
    let last = append(&store, last[0], &[moved("ada", "D")]).await;
    following.sees(last).await;
    includes(&program, &store).await;
    assert_eq!(following.numbers().await.len(), 51);
    program.kill().await;
    following.stop().await;
    assert_eq!(rows(&old), files.rebuilt_rows(&store).await);

    let again = replica(&double, &files, &store).await;
    again.kill().await;
    let following = Following::in_file(&model(&files), &store).await;
    following.catches_up().await;
    following.stop().await;
    assert_eq!(rows(&model(&files)), rows(&old));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_replica_with_the_same_state_directory_serves_from_memory() {
    let (double, store) = double_with_games(10).await;
    let files = Files::new();
    let first = replica(&double, &files, &store).await;
    let second = replica(&double, &files, &store).await;
    start_games(&store, 1).await;
    includes(&first, &store).await;
    includes(&second, &store).await;

    let directory = files.0.path().display().to_string();
    let url = double.connection_string();
    let (code, said) = run(&[
        "rebuild",
        "--event-store",
        &url,
        "--state-directory",
        &directory,
    ])
    .await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("Rebuilt from 11 events"), "{said}");
    includes(&first, &store).await;
}
