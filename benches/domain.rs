//! Measures the rules of the game: `cargo bench --bench domain`.
//!
//! Targets: replay of a full game of 42 moves takes less than 1 µs from decoded events and less than
//! 20 µs from stored JSON. `decide` with its win check takes less than 50 ns.

use std::hint::black_box;

use connect_four::application::decode;
use connect_four::domain::{Command, Disc, Game, GameEvent, MakeMove, Rejection, decide, replay};
use criterion::Criterion;
use serde_json::Value;

/// A stored event: its type and its JSON.
type Stored = (String, Vec<u8>);

/// The stored events of a recorded game that filled the board: a start, 42 moves, a tie.
fn full_game() -> Vec<Stored> {
    include_str!("../tests/tutorial-games.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).expect("a recorded game"))
        .find_map(|game: Value| {
            let events = game["stream"]
                .as_array()
                .filter(|events| events.len() == 44)?;
            Some(events.iter().map(stored).collect())
        })
        .expect("a recorded game of 42 moves")
}

fn stored(event: &Value) -> Stored {
    let event_type = event["type"].as_str().expect("an event has a type");
    (
        event_type.to_owned(),
        event["data"].to_string().into_bytes(),
    )
}

fn decoded(stored: &[Stored]) -> Vec<GameEvent> {
    stored
        .iter()
        .map(|(event_type, data)| decode(event_type, data).expect("a recorded event"))
        .collect()
}

fn replayed<'a>(events: impl IntoIterator<Item = &'a GameEvent>) -> Game {
    let mut game = Game::default();
    for event in events {
        replay(&mut game, event).expect("a recorded game is valid");
    }
    game
}

/// The command that caused the event.
fn asked(event: &GameEvent) -> Command {
    let GameEvent::MoveMade { player, column } = event else {
        panic!("{event:?} is not a move");
    };
    Command::MakeMove(MakeMove {
        player: player.clone(),
        column: *column,
    })
}

fn replaying(criterion: &mut Criterion) {
    let stored = full_game();
    let events = decoded(&stored);
    let mut group = criterion.benchmark_group("replay a game of 42 moves");
    group.bench_function("from decoded events", |bencher| {
        bencher.iter(|| replayed(black_box(&events)));
    });
    group.bench_function("from stored JSON", |bencher| {
        bencher.iter(|| replayed(&decoded(black_box(&stored))));
    });
    group.finish();
}

fn deciding(criterion: &mut Criterion) {
    let events = decoded(&full_game());
    let in_the_middle = replayed(&events[..22]);
    let before_the_last = replayed(&events[..42]);
    let the_next = asked(&events[22]);
    let the_last = asked(&events[42]);
    let not_his_turn = asked(&events[21]);

    let mut group = criterion.benchmark_group("decide");
    group.bench_function("a move in the middle of a game", |bencher| {
        bencher.iter(|| decide(black_box(&in_the_middle), black_box(&the_next)));
    });
    group.bench_function("the move that fills the board", |bencher| {
        bencher.iter(|| decide(black_box(&before_the_last), black_box(&the_last)));
    });
    group.bench_function("a refusal", |bencher| {
        bencher.iter(|| -> Result<_, Rejection> {
            decide(black_box(&in_the_middle), black_box(&not_his_turn))
        });
    });
    group.finish();
}

fn looking_for_four(criterion: &mut Criterion) {
    let full = replayed(&decoded(&full_game())).board();
    criterion.bench_function("look for four in a row on a full board", |bencher| {
        bencher.iter(|| black_box(full).has_four(black_box(Disc::Yellow)));
    });
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    replaying(&mut criterion);
    deciding(&mut criterion);
    looking_for_four(&mut criterion);
    criterion.final_summary();
}
