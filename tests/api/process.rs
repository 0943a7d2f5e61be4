//! The program as a process: start, signals, SIGKILL, and errors at the start.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::program::{Program, refusal};
use crate::service::Client;

fn folder_with_store() -> (TempDir, String) {
    let folder = TempDir::new().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("games.db").display());
    (folder, url)
}

#[tokio::test]
async fn the_log_names_the_address_and_the_event_store() {
    let (folder, url) = folder_with_store();
    let program = Program::start(&["--event-store", &url]).await;
    let file = folder.path().join("games.db");
    assert!(program.first_lines.contains(&program.client.url));
    assert!(program.first_lines.contains(&file.display().to_string()));
    program.client.is_ready().await;
}

#[tokio::test]
async fn a_signal_stops_the_program_soon_and_no_event_is_lost() {
    let (_folder, url) = folder_with_store();
    let mut id = None;
    for (name, subcommand) in [("TERM", "serve"), ("INT", "serve")] {
        let mut program = Program::start(&[subcommand, "--event-store", &url]).await;
        if let Some(id) = &id {
            program.client.get(&format!("/games/{id}")).await.is(200);
        }
        let names = json!({"player_one": "ada", "player_two": "grace"});
        let game = program.client.post("/games", names).await.is(201).json();
        id = game["id"].as_str().map(str::to_owned);

        let signalled = Instant::now();
        program.signal(name).await;
        assert!(program.exit().await.success());
        assert!(signalled.elapsed() < Duration::from_secs(3));
    }
}

#[tokio::test]
async fn a_second_process_on_the_same_file_is_refused() {
    let (_folder, url) = folder_with_store();
    let first = Program::start(&["--event-store", &url]).await;
    let said = refusal(&["--event-store", &url]).await;
    assert!(said.contains("in use by another process"), "{said}");
    first.client.is_ready().await;
    first.kill().await;
    Program::start(&["--event-store", &url]).await;
}

#[tokio::test]
async fn an_unusable_store_is_named_in_the_error_and_not_changed() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("letter.txt");
    std::fs::write(&file, "dear ada, it is your turn").expect("a file");
    let said = refusal(&["--event-store", &format!("sqlite://{}", file.display())]).await;
    assert!(
        said.contains("letter.txt is not a SQLite database"),
        "{said}"
    );
    let letter = std::fs::read_to_string(&file).expect("still there");
    assert_eq!(letter, "dear ada, it is your turn");

    for (url, instead) in [
        ("sqlite://:memory:", "use memory:"),
        ("sqlite://games.db?mode=rwc", "?mode=rwc are not supported"),
    ] {
        let said = refusal(&["--event-store", url]).await;
        assert!(said.contains(instead), "{said}");
    }
    let said = refusal(&["--event-store", "postgres://localhost"]).await;
    assert!(said.contains("is not the URL of an event store"), "{said}");
    let said = refusal(&["--event-store", "memory:", "--log", "lou=d="]).await;
    assert!(said.contains("--log"), "{said}");
}

#[tokio::test]
async fn the_log_has_a_line_for_each_request_and_no_names() {
    use tokio::io::AsyncReadExt;
    let mut child = tokio::process::Command::new(env!("CARGO_BIN_EXE_connect-four"))
        .args([
            "--event-store",
            "memory:",
            "--listen",
            "127.0.0.1:0",
            "--log-format",
            "json",
        ])
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the program starts");
    let mut log = String::new();
    let mut stdout = child.stdout.take().expect("a pipe");
    while !log.contains("serving on") {
        let mut chunk = [0; 4096];
        let length = stdout.read(&mut chunk).await.expect("a readable pipe");
        log.push_str(&String::from_utf8_lossy(&chunk[..length]));
    }
    let serving = log.lines().find(|line| line.contains("serving on"));
    let first: Value = serde_json::from_str(serving.expect("that line")).expect("a JSON line");
    let client = Client::of(format!(
        "http://{}",
        first["address"].as_str().expect("an address")
    ));
    let names = json!({"player_one": "Rumpelstiltskin", "player_two": "grace"});
    let game = client.post("/games", names).await.is(201).json();
    let id = game["id"].as_str().expect("an id");
    let body = json!({"player": "grace", "column": "D"});
    client
        .post(&format!("/games/{id}/moves"), body)
        .await
        .is(409);

    // The log line of a request is written a little after its answer.
    while log.matches("\"answered\"").count() < 2 {
        let mut chunk = [0; 4096];
        let length = stdout.read(&mut chunk).await.expect("a readable pipe");
        assert!(length > 0, "the program ended: {log}");
        log.push_str(&String::from_utf8_lossy(&chunk[..length]));
    }
    child.kill().await.expect("a process of ours");
    stdout.read_to_string(&mut log).await.expect("text");
    assert!(!log.contains("Rumpelstiltskin"));
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    let answered: Vec<_> = lines
        .iter()
        .filter(|line| line["message"] == "answered")
        .collect();
    assert_eq!(answered.len(), 2);
    for (line, status, outcome) in [
        (answered[0], 201, "ok"),
        (answered[1], 409, "not-your-turn"),
    ] {
        assert_eq!(line["status"], status);
        assert_eq!(line["outcome"], outcome);
        assert_eq!(line["span"]["game.id"], id);
        assert_eq!(line["span"]["method"], "POST");
    }
}

#[tokio::test]
async fn the_health_subcommand_reports_whether_the_service_is_healthy() {
    let ask = async |url: String| {
        let mut asked = tokio::process::Command::new(env!("CARGO_BIN_EXE_connect-four"));
        let output = asked.args(["health", &url]).output().await;
        output.expect("the program starts")
    };
    let program = Program::start(&["--event-store", "memory:"]).await;
    let url = program.client.url.clone();
    program.client.is_ready().await;
    assert!(ask(format!("{url}/readyz")).await.status.success());
    let refused = ask(format!("{url}/nowhere")).await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("404"));
    program.kill().await;
    assert_eq!(ask(format!("{url}/readyz")).await.status.code(), Some(1));
}

/// A tied game that fills every column.
const COLUMNS: &str = "AAAAAABBBBBBCCCCCCEDDDDDDEEEEEFFFFFFGGGGGG";
const KILLS: usize = 20;
const CLIENTS: usize = 6;

/// The moves that the clients sent, by game and number, and whether each was acknowledged.
type Ledger = Arc<Mutex<BTreeMap<(String, usize), bool>>>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_move_is_lost_when_the_program_is_killed_repeatedly_under_load() {
    let (_folder, url) = folder_with_store();
    let ledger = Ledger::default();
    let mut games: Vec<Option<String>> = vec![None; CLIENTS];

    for kill in 0..KILLS {
        let program = Program::start(&["--event-store", &url]).await;
        assert_nothing_is_lost(&program.client, &ledger).await;

        // Each client continues the game that the last kill interrupted.
        let made = Arc::new(AtomicUsize::new(0));
        let enough = Arc::new(Notify::new());
        let target = 40 + kill * 3;
        let mut players = JoinSet::new();
        for game in &games {
            let (client, game) = (program.client.another_client(), game.clone());
            let (made, enough) = (made.clone(), enough.clone());
            let ledger = ledger.clone();
            players.spawn(async move {
                let mut game = game;
                let note = |id: &str, number, acknowledged| {
                    let entry = ((id.to_owned(), number), acknowledged);
                    ledger.lock().expect("no thread panicked").extend([entry]);
                    if acknowledged && made.fetch_add(1, Ordering::SeqCst) + 1 == target {
                        enough.notify_one();
                    }
                };
                play_until_the_service_is_killed(&client, &mut game, note).await;
                game
            });
        }
        enough.notified().await;
        program.kill().await;
        games = players.join_all().await;
    }

    let program = Program::start(&["--event-store", &url]).await;
    let moves = assert_nothing_is_lost(&program.client, &ledger).await;
    assert!(moves >= KILLS * 40);
}

/// Plays one game after another until a request gets no answer.
async fn play_until_the_service_is_killed(
    client: &Client,
    game: &mut Option<String>,
    note: impl Fn(&str, usize, bool),
) {
    loop {
        let id = match game {
            Some(id) => id.clone(),
            None => {
                let names = json!({"player_one": "ada", "player_two": "grace"});
                let request = client.request(Method::POST, "/games").json(&names);
                let Ok(answer) = request.try_send().await else {
                    return;
                };
                let id = answer.is(201).json()["id"]
                    .as_str()
                    .expect("an id")
                    .to_owned();
                game.insert(id).clone()
            }
        };
        let look = client.request(Method::GET, &format!("/games/{id}/moves"));
        let Ok(answer) = look.try_send().await else {
            return;
        };
        let made = answer.is(200).json()["moves"]
            .as_array()
            .map_or(0, Vec::len);
        for (number, column) in (1..).zip(COLUMNS.chars()).skip(made) {
            let player = if number % 2 == 1 { "ada" } else { "grace" };
            let column = column.to_string();
            let body = json!({"player": player, "column": column});
            let request = client.request(Method::POST, &format!("/games/{id}/moves"));
            note(&id, number, false);
            let Ok(answer) = request.json(&body).try_send().await else {
                return;
            };
            answer.is(201);
            note(&id, number, true);
        }
        *game = None;
    }
}

/// Asserts that every acknowledged move is stored once and unchanged, that only moves that were sent
/// are stored, and that every history is valid. Returns the number of acknowledged moves.
async fn assert_nothing_is_lost(client: &Client, ledger: &Ledger) -> usize {
    let ledger = ledger.lock().expect("no thread panicked").clone();
    let games: BTreeSet<_> = ledger.keys().map(|(id, _)| id).collect();
    for id in games {
        // An invalid history would be answered with 500.
        let stored = client
            .get(&format!("/games/{id}/moves"))
            .await
            .is(200)
            .json();
        let stored = stored["moves"].as_array().expect("moves").clone();
        for (number, (move_, column)) in (1..).zip(stored.iter().zip(COLUMNS.chars())) {
            assert_eq!(move_["number"], number);
            assert_eq!(move_["column"], column.to_string(), "move {number} of {id}");
            assert!(
                ledger.contains_key(&(id.clone(), number)),
                "no client sent move {number}"
            );
        }
        for number in stored.len() + 1..=COLUMNS.len() {
            let told = ledger.get(&(id.clone(), number));
            assert_ne!(told, Some(&true), "move {number} of {id} is lost");
        }
    }
    ledger
        .values()
        .filter(|acknowledged| **acknowledged)
        .count()
}
