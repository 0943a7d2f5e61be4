//! `connect-four rebuild` while a service uses the read model: lists are answered all the time and never go
//! back, whatever happens to the rebuild, the service and the disk.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use connect_four::application::GameId;
use connect_four::event_store::EventStore;
use connect_four::read_model::{Placement, ReadModel};
use futures_util::future::{join, join_all};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::erasable::Erasable;
use crate::kills::play;
use crate::program::{Program, run, run_limited, start};
use crate::support::{
    Files, Following, PATIENCE, append, moved, rows, start_games, started, until,
};

const POSITION: &str = "Event-Position";

/// Identifies a file: a file that took the place of another one has another number.
fn inode(path: &Path) -> u64 {
    path.metadata().expect("a file").ino()
}

fn beside(model: &Path, suffix: &str) -> PathBuf {
    format!("{}{suffix}", model.display()).into()
}

async fn start_many(store: &Arc<dyn EventStore>, games: usize) {
    let games = (0..games).map(|_| async {
        append(store, GameId::generate(), &[started("ada", "grace")]).await;
    });
    join_all(games).await;
}

async fn rebuild_to_the_end(files: &Files) {
    let (code, said) = run(&["rebuild", "--event-store", &files.url()]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("The new file is in use"), "{said}");
}

async fn lists_include(http: &Client, url: &str, position: u64) {
    let list = http.get(format!("{url}/games")).header(POSITION, position);
    let list = list.header("Prefer", "wait=5").send().await;
    assert_eq!(list.expect("an answer").status(), StatusCode::OK);
}

/// Reads the first page again and again until it is told to stop. Asserts that every answer is a list,
/// and that no answer is older than the one before.
async fn lists_never_go_back(http: &Client, url: &str, stop: &AtomicBool) -> usize {
    let (mut latest, mut lists) = ((0, 0), 0);
    while !stop.load(Ordering::SeqCst) {
        let answer = http.get(format!("{url}/games?limit=1")).send().await;
        let answer = answer.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK);
        let position = answer.headers()[POSITION].to_str().expect("text");
        let position: u64 = position.parse().expect("a number");
        let page: Value = answer.json().await.expect("JSON");
        let players = http.get(format!("{url}/players/ada")).send().await;
        let players: Value = players.expect("an answer").json().await.expect("JSON");
        assert_eq!(page["games"].as_array().map(Vec::len), Some(1));
        let now = (position, players["played"].as_u64().expect("a number"));
        assert!(
            now.0 >= latest.0 && now.1 >= latest.1,
            "{now:?} after {latest:?}"
        );
        (latest, lists) = (now, lists + 1);
    }
    lists
}

/// Starts games until it is told to stop. Asserts that each is in the next list.
async fn writes_are_in_the_next_list(http: &Client, url: &str, stop: &AtomicBool) {
    while !stop.load(Ordering::SeqCst) {
        let names = json!({"player_one": "ada", "player_two": "mary"});
        let written = http.post(format!("{url}/games")).json(&names).send().await;
        let written = written.expect("an answer");
        let position = written.headers()[POSITION].clone();
        let game: Value = written.json().await.expect("JSON");
        let list = http.get(format!("{url}/games?player=mary&limit=1"));
        let list = list.header(POSITION, position).header("Prefer", "wait=5");
        let list = list.send().await.expect("an answer");
        assert_eq!(list.status(), StatusCode::OK);
        let list: Value = list.json().await.expect("JSON");
        assert_eq!(list["games"][0]["id"], game["id"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_load_every_list_is_answered_and_none_goes_back() {
    let files = Files::new();
    let store = files.events().await;
    start_many(&store, 3_000).await;
    drop(store);
    let program = Program::serve(&["--event-store", &files.url()]).await;
    let http = Client::new();
    lists_include(&http, &program.url, 3_000).await;

    let stop = AtomicBool::new(false);
    let rebuilding = async {
        for _ in 0..3 {
            let before = inode(&files.model());
            rebuild_to_the_end(&files).await;
            assert_ne!(inode(&files.model()), before);
        }
        stop.store(true, Ordering::SeqCst);
    };
    let playing = async {
        while !stop.load(Ordering::SeqCst) {
            play(http.clone(), program.url.clone(), 40).await;
        }
    };
    let reading = lists_never_go_back(&http, &program.url, &stop);
    let writing = writes_are_in_the_next_list(&http, &program.url, &stop);
    let (lists, ..) = tokio::join!(reading, writing, playing, rebuilding);
    assert!(lists > 10);
    program.kill().await;
    files.assert_is_as_rebuilt().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_that_is_killed_at_any_moment_leaves_the_lists_and_the_next_one_works() {
    let files = Files::new();
    let store = files.events().await;
    start_many(&store, 2_000).await;
    drop(store);
    let program = Program::serve(&["--event-store", &files.url()]).await;
    let http = Client::new();
    let stop = AtomicBool::new(false);
    let (model, url) = (files.model(), files.url());
    lists_include(&http, &program.url, 2_000).await;

    let killing = async {
        for moment in 0..12 {
            let mut rebuild = start(&["rebuild", "--event-store", &url]);
            // Not a wait for a condition: the moment of the kill is arbitrary.
            let moment = Duration::from_millis(10 + moment * 35);
            let ended = timeout(moment, rebuild.wait()).await;
            if ended.is_err() {
                rebuild.kill().await.expect("a process of ours");
            }
        }
        let mut rebuild = start(&["rebuild", "--event-store", &url]);
        until(|| beside(&model, ".building").exists()).await;
        rebuild.kill().await.expect("a process of ours");
        // The service takes over a file that was complete.
        until(|| !beside(&model, ".built").exists()).await;
        rebuild_to_the_end(&files).await;
        stop.store(true, Ordering::SeqCst);
    };
    join(lists_never_go_back(&http, &program.url, &stop), killing).await;
    program.kill().await;
    assert!(!beside(&model, ".building").exists());
    files.assert_is_as_rebuilt().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_killed_at_any_moment_of_the_change_leaves_a_complete_file() {
    let files = Files::new();
    let store = files.events().await;
    start_many(&store, 500).await;
    drop(store);
    let (model, url) = (files.model(), files.url());
    for moment in 0..10 {
        let program = Program::serve(&["--event-store", &url]).await;
        play(Client::new(), program.url.clone(), 20).await;
        let before = inode(&model);
        let mut rebuild = start(&["rebuild", "--event-store", &url]);
        until(|| beside(&model, ".built").exists() || inode(&model) != before).await;
        // Not a wait for a condition: the moment of the kill is arbitrary.
        let moment = Duration::from_millis(moment * 40);
        let _ = timeout(moment, rebuild.wait()).await;
        program.kill().await;
        // If the service did not take the file over, the rebuild puts it in its place.
        let ended = timeout(PATIENCE, rebuild.wait()).await;
        let ended = ended.expect("it ends in time").expect("a process of ours");
        assert_eq!(ended.code(), Some(0));
        assert_ne!(inode(&model), before);
    }
    files.assert_is_as_rebuilt().await;
}

/// The shell's limit on the size of files simulates a full disk, and needs no privileges.
#[tokio::test]
async fn a_disk_that_is_full_during_the_rebuild_leaves_the_old_lists() {
    let files = Files::new();
    let store = files.events().await;
    start_many(&store, 5_000).await;
    drop(store);
    let program = Program::serve(&["--event-store", &files.url()]).await;
    let http = Client::new();
    let before = inode(&files.model());
    let (code, said) = run_limited(400, &["rebuild", "--event-store", &files.url()]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("the read model was not rebuilt"), "{said}");
    assert_eq!(inode(&files.model()), before);
    assert!(!beside(&files.model(), ".building").exists());
    lists_include(&http, &program.url, 5_000).await;
    rebuild_to_the_end(&files).await;
    assert_ne!(inode(&files.model()), before);
    program.kill().await;
    files.assert_is_as_rebuilt().await;
}

#[tokio::test]
async fn a_complete_file_whose_rebuild_was_killed_is_taken_over_at_the_next_start_of_the_service() {
    let files = Files::new();
    let store = files.events().await;
    start_many(&store, 200).await;
    let (model, built) = (files.model(), beside(&files.model(), ".built"));
    let following = Following::in_file(&built, &store).await;
    following.catches_up().await;
    following.stop().await;
    start_many(&store, 200).await;
    drop(store);
    let new = inode(&built);
    let program = Program::serve(&["--event-store", &files.url()]).await;
    until(|| !built.exists()).await;
    assert_eq!(inode(&model), new);
    program.kill().await;
    files.assert_is_as_rebuilt().await;
}

#[tokio::test]
async fn a_service_that_is_killed_while_a_rebuild_waits_for_it_does_not_stop_the_rebuild() {
    let files = Files::new();
    let store = files.events().await;
    let games = start_games(&store, 200).await;
    let old = ReadModel::open(&files.location()).await.expect("it opens");
    let new = Arc::new(
        ReadModel::open_beside(&files.model())
            .await
            .expect("it opens"),
    );
    let projecting = new.start(store.clone(), Arc::new(()));
    timeout(PATIENCE, new.caught_up()).await.expect("in time");
    projecting.stop().await;
    // It has no projector, so it never takes over anything.
    let dies = async {
        until(|| beside(&files.model(), ".built").exists()).await;
        drop(old);
    };
    let (placed, ()) = join(new.put_in_place(PATIENCE), dies).await;
    assert_eq!(placed.expect("no error"), Placement::InPlace);
    append(&store, games[0], &[moved("ada", "D")]).await;
    drop(store);
    files.assert_is_as_rebuilt().await;
}

#[tokio::test]
async fn one_rebuild_at_a_time_builds_a_file() {
    let files = Files::new();
    let first = ReadModel::open_beside(&files.model())
        .await
        .expect("it opens");
    let second = ReadModel::open_beside(&files.model()).await;
    let refused = second.expect_err("it is refused").to_string();
    assert!(refused.contains("another rebuild is running"), "{refused}");
    first.delete().await.expect("no error");
    ReadModel::open_beside(&files.model())
        .await
        .expect("it opens");
}

#[tokio::test]
async fn the_position_of_lists_does_not_go_back_when_the_last_event_was_deleted() {
    let database = Erasable::default();
    let store: Arc<dyn EventStore> = Arc::new(database.clone());
    let files = Files::new();
    let path = files.path("model.db");
    let games = start_games(&store, 3).await;
    let following = Following::in_file(&path, &store).await;
    following.catches_up().await;
    database.delete(&games[2].stream());
    database.scavenge();
    until(|| following.told.truncated() == [games[2]]).await;

    let before = following.model.position();
    let old = inode(&path);
    let new = Arc::new(ReadModel::open_beside(&path).await.expect("it opens"));
    let projecting = new.start(store.clone(), Arc::new(()));
    timeout(PATIENCE, new.caught_up()).await.expect("in time");
    assert!(new.position() < before);
    projecting.stop().await;
    let placed = new.put_in_place(PATIENCE).await.expect("no error");
    assert_eq!(placed, Placement::InPlace);
    assert_ne!(inode(&path), old);
    until(|| following.model.position() == before).await;
    assert_eq!(following.numbers().await, [2, 1]);
    let last = append(&store, games[0], &[moved("ada", "D")]).await;
    following.sees(last).await;
    following.stop().await;
    assert_eq!(rows(&path), files.rebuilt_rows(&store).await);
}
