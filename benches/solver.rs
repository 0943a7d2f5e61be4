//! How long the computer thinks about a move: `cargo bench --bench solver`.
//!
//! The target: the hardest level answers within 100 ms on one core, whatever the position.

use std::hint::black_box;

use connect_four::computer::{Level, choose};
use connect_four::domain::{Board, Disc};
use criterion::Criterion;

/// Positions in which the hardest level visits all the nodes that it may visit.
const POSITIONS: [(&str, &str); 4] = [
    ("the first move", ""),
    ("the second move", "D"),
    ("an opening with many choices", "DDDDDEC"),
    ("the middle of a close game", "DDDDDDEEEBB"),
];

/// The board after these moves, and whose turn it is.
fn after(moves: &str) -> (Board, Disc) {
    let discs = [Disc::Yellow, Disc::Red].into_iter().cycle();
    let board = moves
        .chars()
        .zip(discs)
        .fold(Board::EMPTY, |board, (letter, disc)| {
            let column = letter.to_string().parse().expect("a column");
            board.drop_disc(column, disc).expect("a legal move").0
        });
    let to_move = if moves.len().is_multiple_of(2) {
        Disc::Yellow
    } else {
        Disc::Red
    };
    (board, to_move)
}

fn thinking(criterion: &mut Criterion) {
    for level in Level::ALL {
        let mut group = criterion.benchmark_group(format!("choose, level {level}"));
        for (name, moves) in POSITIONS {
            let (board, to_move) = after(moves);
            group.bench_function(name, |bencher| {
                bencher.iter(|| choose(black_box(&board), to_move, level.effort()));
            });
        }
        group.finish();
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args().sample_size(20);
    thinking(&mut criterion);
    criterion.final_summary();
}
