//! Measures the read model: the speed of a rebuild, the size of the file, whether lists stay as fast with a thousand times
//! as many games, and how much it slows down moves.
//!
//! `cargo bench --bench read_model`; `-- rebuild`, `-- lists` or `-- moves` runs one part.
//! Takes some minutes and a gigabyte in `target/tmp`.

#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use connect_four::application::{CommandHandler, CommandOptions, GameId, GameRepository, encode};
use connect_four::domain::{
    Column, GameEvent, GameResult, MakeMove, PlayerName, Players, StartGame,
};
use connect_four::event_store::{
    EventStore, ExpectedRevision, NewEvent, SqliteStore, StreamRevision,
};
use connect_four::read_model::{GameStatus, GamesQuery, Projecting, ReadModel, ReadModelLocation};
use futures_util::{StreamExt, stream};
use tokio::runtime::{Builder, Runtime};
use uuid::Uuid;

/// The allocator of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const TIE: &str = "AAAAAABBBBBBCCCCCCEDDDDDDEEEEEFFFFFFGGGGGG";
/// The number of appends in progress at the same time.
const AT_ONCE: usize = 512;
const FEW: usize = 1_000;
const MANY: usize = 1_000_000;
/// The number of games per player, which does not depend on the number of games.
const GAMES_OF_A_PLAYER: usize = 40;
const ROUNDS: usize = 3;

fn main() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let asked_for: Vec<_> = std::env::args()
        .skip(1)
        .filter(|asked| asked != "--bench")
        .collect();
    let is_asked_for =
        |part: &str| asked_for.is_empty() || asked_for.iter().any(|asked| asked == part);
    let runtime = runtime();
    if is_asked_for("rebuild") {
        runtime.block_on(rebuild(folder.path()));
    }
    if is_asked_for("lists") || is_asked_for("moves") {
        let (lists, moves) = (is_asked_for("lists"), is_asked_for("moves"));
        runtime.block_on(with_few_and_many(folder.path(), lists, moves));
    }
}

fn runtime() -> Runtime {
    Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

/// Plays whole games, many at once, so that each transaction contains events of many games, and each
/// game is spread over many transactions.
async fn rebuild(folder: &Path) {
    const GAMES: usize = 60_000;
    let store = open(&folder.join("rebuild.db")).await;
    let began = Instant::now();
    stream::iter(0..GAMES)
        .for_each_concurrent(AT_ONCE, |number| play_recorded(&store, number))
        .await;
    let events = GAMES * (TIE.len() + 2);
    println!(
        "{events} events of {GAMES} games, written in {:.1?}\n",
        began.elapsed()
    );
    println!("| rebuilt into | events/s |");
    println!("|--------------|---------:|");
    for round in 0..ROUNDS {
        let path = folder.join(format!("rebuilt-{round}.db"));
        for location in [ReadModelLocation::File(path), ReadModelLocation::Memory] {
            let began = Instant::now();
            let (model, projecting) = caught_up(&location, &store).await;
            let rate = events as f64 / began.elapsed().as_secs_f64();
            projecting.stop().await;
            assert_eq!(model.status().events_applied, events as u64);
            let kind = match location {
                ReadModelLocation::Memory => "memory",
                ReadModelLocation::File(_) => "a file",
            };
            println!("| {kind:<12} | {rate:>8.0} |");
        }
    }
    println!();
}

/// Appends a game of 44 events in eleven appends.
async fn play_recorded(store: &Arc<dyn EventStore>, number: usize) {
    let names = [player(number % 5_000), player(5_000 + number % 4_999)];
    let mut events = vec![started(&names)];
    events.extend(moves(&names));
    events.push(GameEvent::GameFinished {
        result: GameResult::Tied,
    });
    let game = GameId::generate();
    let mut revision = None;
    for events in events.chunks(4) {
        revision = Some(append(store, game, revision, events).await);
    }
}

async fn with_few_and_many(folder: &Path, lists: bool, moves: bool) {
    let mut times = Vec::new();
    let mut costs = Vec::new();
    for games in [FEW, MANY] {
        let store = open(&folder.join(format!("{games}.db"))).await;
        stream::iter(0..games)
            .for_each_concurrent(AT_ONCE, |number| begin_recorded(&store, number, games))
            .await;
        let path = folder.join(format!("{games}.model.db"));
        let began = Instant::now();
        let location = ReadModelLocation::File(path.clone());
        let (model, projecting) = caught_up(&location, &store).await;
        let (events, took) = (model.status().events_applied, began.elapsed());
        let size = path.metadata().expect("a file").len() / 1_000_000;
        println!("{games} games, {events} events: built in {took:.1?}, {size} MB\n");
        if lists {
            times.push(list_times(&model, games).await);
        }
        if moves {
            costs.push(move_costs(&store).await);
        }
        projecting.stop().await;
    }
    if let [few, many] = &times[..] {
        println!(
            "| list of 20 games              | 1,000 games p50 µs | 1,000,000 games p50 µs | ratio |"
        );
        println!(
            "|-------------------------------|-------------------:|-----------------------:|------:|"
        );
        for ((name, few), (_, many)) in few.iter().zip(many) {
            println!(
                "| {name:<29} | {few:>18.1} | {many:>22.1} | {:>5.2} |",
                many / few
            );
        }
        println!();
    }
    if let [few, many] = &costs[..] {
        println!("| moves at once | 1,000 games µs/move | 1,000,000 games µs/move | ratio |");
        println!("|--------------:|--------------------:|------------------------:|------:|");
        for ((name, few), (_, many)) in few.iter().zip(many) {
            println!(
                "| {name:>13} | {few:>19.1} | {many:>23.1} | {:>5.2} |",
                many / few
            );
        }
        println!();
    }
}

/// Appends a game of a few events. Every player has finished every second game. Ada plays in all games.
async fn begin_recorded(store: &Arc<dyn EventStore>, number: usize, games: usize) {
    let opponents = (games / GAMES_OF_A_PLAYER).max(1);
    let names = [name("ada"), player(number * 7919 % opponents)];
    let mut events = vec![started(&names)];
    events.extend(moves(&names).take(2));
    if (number / opponents).is_multiple_of(2) {
        events.push(GameEvent::GameFinished {
            result: GameResult::PlayerOneWon,
        });
    }
    append(store, GameId::generate(), None, &events).await;
}

/// The median time of each kind of list.
async fn list_times(model: &ReadModel, games: usize) -> Vec<(&'static str, f64)> {
    let opponents = (games / GAMES_OF_A_PLAYER).max(1);
    let mut times = Vec::new();
    for (kind, status, of) in [
        ("all", None, None),
        ("finished", Some(GameStatus::Finished), None),
        ("player", None, Some("somebody")),
        (
            "player, in progress",
            Some(GameStatus::InProgress),
            Some("somebody"),
        ),
        ("player of all games", None, Some("ada")),
        (
            "player of all games, finished",
            Some(GameStatus::Finished),
            Some("ada"),
        ),
    ] {
        let mut took = Vec::new();
        for sample in 0..3_000 {
            let player = of.map(|of| match of {
                "ada" => "ada".to_owned(),
                _ => player(sample * 104_729 % opponents).as_str().to_owned(),
            });
            let query = GamesQuery {
                status,
                player,
                limit: 20,
                ..GamesQuery::default()
            };
            let began = Instant::now();
            let page = model.games(&query).await.expect("an answer");
            took.push(began.elapsed());
            assert!(!page.games.is_empty());
        }
        times.push((kind, median(&mut took)));
    }
    times
}

/// The time of a move with everything that a request does except HTTP, while a projector runs.
async fn move_costs(store: &Arc<dyn EventStore>) -> Vec<(usize, f64)> {
    let handler = CommandHandler::new(Arc::new(GameRepository::new(store.clone())));
    let mut costs = Vec::new();
    for at_once in [1, 32] {
        let mut rounds: Vec<_> = Vec::new();
        for _ in 0..ROUNDS * 3 {
            let games = at_once.max(4);
            let began = Instant::now();
            stream::iter(0..games)
                .for_each_concurrent(at_once, |_| play(&handler))
                .await;
            rounds.push(began.elapsed() / (games * TIE.len()) as u32);
        }
        costs.push((at_once, median(&mut rounds)));
    }
    costs
}

async fn play(handler: &CommandHandler) {
    let names = [name("ada"), name("grace")];
    let game = GameId::generate();
    let players = Players::new(names[0].clone(), names[1].clone()).expect("two players");
    let terms = CommandOptions::default();
    let started = handler
        .start_game(game, StartGame { players }, &terms)
        .await;
    started.expect("a new game");
    for event in moves(&names) {
        if let GameEvent::MoveMade { player, column } = event {
            let moved = handler
                .make_move(game, MakeMove { player, column }, &terms)
                .await;
            moved.expect("a legal move");
        }
    }
}

async fn open(path: &Path) -> Arc<dyn EventStore> {
    Arc::new(SqliteStore::open(path).await.expect("a new file"))
}

async fn caught_up(
    location: &ReadModelLocation,
    store: &Arc<dyn EventStore>,
) -> (Arc<ReadModel>, Projecting) {
    let model = Arc::new(ReadModel::open(location).await.expect("a new file"));
    let projecting = model.start(store.clone(), Arc::new(()));
    model.caught_up().await;
    (model, projecting)
}

async fn append(
    store: &Arc<dyn EventStore>,
    game: GameId,
    after: Option<StreamRevision>,
    events: &[GameEvent],
) -> StreamRevision {
    let events = events.iter().map(|event| {
        let (event_type, data) = encode(event);
        NewEvent {
            id: Uuid::now_v7(),
            event_type: event_type.into(),
            data,
            metadata: Bytes::new(),
        }
    });
    let stream = game.stream();
    let appended = store.append(&stream, ExpectedRevision::at(after), events.collect());
    appended.await.expect("there is no other writer").revision
}

fn name(text: &str) -> PlayerName {
    PlayerName::parse(text).expect("a valid name")
}

fn player(number: usize) -> PlayerName {
    name(&format!("player {number}"))
}

fn started(names: &[PlayerName; 2]) -> GameEvent {
    let [player_one, player_two] = names.clone();
    GameEvent::GameStarted {
        player_one,
        player_two,
    }
}

fn moves(names: &[PlayerName; 2]) -> impl Iterator<Item = GameEvent> {
    names
        .iter()
        .cycle()
        .zip(TIE.chars())
        .map(|(player, column)| {
            let column: Column = column.to_string().parse().expect("a column");
            let player = player.clone();
            GameEvent::MoveMade { player, column }
        })
}

fn median(times: &mut [Duration]) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e6
}
