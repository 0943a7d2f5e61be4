//! Measures `connect-four copy`: from SQLite to SQLite, and from SQLite to the test double of
//! KurrentDB, which runs in a process of its own.
//!
//! `cargo bench --bench copy`; `-- sqlite` or `-- kurrentdb` runs one part. Each figure is compared
//! with a baseline of the same run: the rows inserted by SQLite alone, without reading or checking
//! anything, and the games appended by the official crate alone.

#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

#[path = "../tests/support/kurrentdb/mod.rs"]
#[expect(dead_code, reason = "the benchmark injects no faults")]
mod double;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use bytes::Bytes;
use connect_four::application::{GameId, encode};
use connect_four::cli::copy::{OnDifference, Transfer};
use connect_four::domain::{GameEvent, GameResult, PlayerName};
use connect_four::event_store::{
    self, EventStore, ExpectedRevision, NewEvent, RecordedEvent, SqliteStore,
};
use futures_util::{StreamExt, stream};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use uuid::Uuid;

use double::Double;

/// The allocator of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const TIE: &str = "AAAAAABBBBBBCCCCCCEDDDDDDEEEEEFFFFFFGGGGGG";
/// The events of each game: its start, its moves and its end.
const EVENTS: usize = TIE.len() + 2;
const GAMES: usize = 15_000;
/// How many games are played at the same time, so that their events are interleaved.
const PLAYED_AT_ONCE: usize = 512;
/// How many appends the crate alone has in progress: as many as the adapter allows.
const APPENDS: usize = 90;
const ROUNDS: usize = 3;
/// How many events are read at once to check a copy.
const PAGE: usize = 4096;
const BE_DOUBLE: &str = "--be-double";

fn main() {
    let asked_for: Vec<_> = std::env::args()
        .skip(1)
        .filter(|asked| asked != "--bench")
        .collect();
    let is_asked_for =
        |part: &str| asked_for.is_empty() || asked_for.iter().any(|asked| asked == part);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    if asked_for.iter().any(|asked| asked == BE_DOUBLE) {
        return runtime.block_on(be_double());
    }
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    runtime.block_on(async {
        let source = folder.path().join("source.db");
        let events = play_games(&source).await;
        println!(
            "{events} events of {GAMES} games, which were played {PLAYED_AT_ONCE} at a time\n"
        );
        let source = format!("sqlite://{}", source.display());
        if is_asked_for("sqlite") {
            to_sqlite(&source, folder.path()).await;
        }
        if is_asked_for("kurrentdb") {
            to_kurrentdb(&source).await;
        }
    });
}

/// Returns the number of events.
async fn play_games(path: &Path) -> usize {
    let store = SqliteStore::open(path).await.expect("a new file");
    let store = &store;
    stream::iter(0..GAMES)
        .for_each_concurrent(PLAYED_AT_ONCE, |number| async move {
            let game = GameId::generate().stream();
            let mut after = None;
            for event in events_of(number) {
                let expected = ExpectedRevision::at(after);
                let appended = store.append(&game, expected, vec![event]).await;
                after = Some(appended.expect("there is no other writer").revision);
            }
        })
        .await;
    GAMES * EVENTS
}

fn events_of(number: usize) -> impl Iterator<Item = NewEvent> {
    let name = |number| PlayerName::parse(&format!("player {number}")).expect("a valid name");
    let players = [name(number % 5_000), name(5_000 + number % 4_999)];
    let [player_one, player_two] = players.clone();
    let started = GameEvent::GameStarted {
        player_one,
        player_two,
    };
    let moves = players.into_iter().cycle().zip(TIE.chars());
    let moves = moves.map(|(player, column)| GameEvent::MoveMade {
        player,
        column: column.to_string().parse().expect("a column"),
    });
    let finished = GameEvent::GameFinished {
        result: GameResult::Tied,
    };
    let events = [started].into_iter().chain(moves).chain([finished]);
    events.map(|event| {
        let (event_type, data) = encode(&event);
        let metadata = format!("{{\"$correlationId\":\"{}\"}}", Uuid::now_v7());
        NewEvent {
            id: Uuid::now_v7(),
            event_type: event_type.into(),
            data,
            metadata: metadata.into(),
        }
    })
}

async fn to_sqlite(source: &str, folder: &Path) {
    let games = games_of(source).await;
    println!(
        "| SQLite to SQLite | inserted by SQLite alone, events/s | copied, events/s | ratio |"
    );
    println!("|-----------------:|----------------------------------:|-----------------:|------:|");
    for round in 0..ROUNDS {
        let alone = {
            let folder = tempfile::tempdir_in(folder).expect("a folder");
            let path = folder.path().join("alone.db");
            drop(SqliteStore::open(&path).await.expect("a new file"));
            let began = Instant::now();
            insert_alone(&path, &games);
            (GAMES * EVENTS) as f64 / began.elapsed().as_secs_f64()
        };
        let copies = tempfile::tempdir_in(folder).expect("a folder");
        let target = format!("sqlite://{}/copy.db", copies.path().display());
        let copied = copy(source, &target).await;
        println!(
            "| {round:>16} | {alone:>33.0} | {copied:>16.0} | {:>5.2} |",
            copied / alone
        );
    }
    println!();
}

/// Each game as a whole, in transactions of 90 games, with nothing else to do.
fn insert_alone(path: &Path, games: &[Vec<RecordedEvent>]) {
    let mut file = rusqlite::Connection::open(path).expect("a database");
    file.execute_batch("PRAGMA synchronous = FULL; PRAGMA cache_size = -65536;")
        .expect("settings");
    for (chunk, games) in games.chunks(APPENDS).enumerate() {
        let transaction = file.transaction().expect("a transaction");
        let insert = "INSERT INTO events (stream, revision, id, type, data, metadata, recorded_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let mut insert = transaction.prepare_cached(insert).expect("a statement");
        for (number, event) in numbered(chunk * APPENDS, games) {
            let row = rusqlite::params![
                number as i64,
                event.revision.number() as i64,
                event.id.as_bytes(),
                &*event.event_type,
                &event.data[..],
                &event.metadata[..],
                event.recorded_at.timestamp_micros(),
            ];
            insert.execute(row).expect("a row");
        }
        drop(insert);
        transaction.commit().expect("a commit");
    }
}

fn numbered(
    first: usize,
    games: &[Vec<RecordedEvent>],
) -> impl Iterator<Item = (usize, &RecordedEvent)> {
    let games = (first..).zip(games);
    games.flat_map(|(number, game)| game.iter().map(move |event| (number, event)))
}

async fn to_kurrentdb(source: &str) {
    let games = games_of(source).await;
    println!("| SQLite to KurrentDB | the crate alone, events/s | copied, events/s | ratio |");
    println!("|--------------------:|--------------------------:|-----------------:|------:|");
    for round in 0..ROUNDS {
        let (_double, target) = start_double().await;
        let alone = append_alone(&target, games.clone()).await;
        let (_double, target) = start_double().await;
        let copied = copy(source, &target).await;
        println!(
            "| {round:>19} | {alone:>25.0} | {copied:>16.0} | {:>5.2} |",
            copied / alone
        );
    }
    println!();
}

/// Each game in one append, as the copy stores it.
async fn append_alone(target: &str, games: Vec<Vec<RecordedEvent>>) -> f64 {
    let settings = target.parse().expect("a good string");
    let client = kurrentdb::Client::new(settings).expect("a client");
    // Connects. Opening a store sets TCP_NODELAY on every connection of the process.
    let first = kurrentdb::EventData::binary("Opened", Bytes::new());
    let options = kurrentdb::AppendToStreamOptions::default();
    let appended = client.append_to_stream("first", &options, first);
    appended.await.expect("stored");
    let _store = event_store::open(target).await.expect("it opens");
    let events: usize = games.iter().map(Vec::len).sum();
    let began = Instant::now();
    stream::iter(games)
        .map(|game| tokio::spawn(append_game(client.clone(), game)))
        .for_each_concurrent(APPENDS, |stored| async { stored.await.expect("no panic") })
        .await;
    events as f64 / began.elapsed().as_secs_f64()
}

async fn append_game(client: kurrentdb::Client, game: Vec<RecordedEvent>) {
    let stream = game[0].stream.to_string();
    let options =
        kurrentdb::AppendToStreamOptions::default().stream_state(kurrentdb::StreamState::NoStream);
    let events: Vec<_> = game
        .into_iter()
        .map(|event| {
            kurrentdb::EventData::binary(&event.event_type, event.data)
                .id(event.id)
                .metadata(event.metadata)
        })
        .collect();
    let appended = client.append_to_stream(stream, &options, events);
    appended.await.expect("stored");
}

async fn copy(from: &str, to: &str) -> f64 {
    let source = event_store::open_to_read(from).await.expect("it opens");
    let target = event_store::open(to).await.expect("it opens");
    let began = Instant::now();
    let transfer = Transfer::new(source, target.clone(), OnDifference::Stop);
    transfer.copy().await.expect("a copy");
    let took = began.elapsed();
    let events = all_events(&*target).await.len();
    assert_eq!(events, GAMES * EVENTS);
    events as f64 / took.as_secs_f64()
}

async fn games_of(url: &str) -> Vec<Vec<RecordedEvent>> {
    let store = event_store::open_to_read(url).await.expect("it opens");
    let mut games = BTreeMap::<_, Vec<_>>::new();
    for event in all_events(&*store).await {
        games.entry(event.stream.clone()).or_default().push(event);
    }
    games.into_values().collect()
}

async fn all_events(store: &dyn EventStore) -> Vec<RecordedEvent> {
    let mut events: Vec<RecordedEvent> = Vec::new();
    loop {
        let after = events.last().map(|event| event.position);
        let page = store.read_all("game-", after, PAGE).await;
        let page = page.expect("the store answers");
        let is_last = page.len() < PAGE;
        events.extend(page);
        if is_last {
            return events;
        }
    }
}

/// A double in a process of its own, and its connection string. Killed when dropped.
async fn start_double() -> (Child, String) {
    let this = std::env::current_exe().expect("a path");
    let mut child = Command::new(this)
        .arg(BE_DOUBLE)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("a process");
    let stdout = child.stdout.take().expect("a pipe");
    let line = BufReader::new(stdout).lines().next_line().await;
    (child, line.expect("a readable pipe").expect("a line"))
}

async fn be_double() {
    let double = Double::start().await;
    println!("{}", double.connection_string());
    std::future::pending().await
}
