//! How long the computer thinks about a move: `cargo bench --bench solver`. `-- hard` runs the hardest level
//! only, and then searches for its slowest answer.
//!
//! The target: the hardest level answers within 100 ms on one core, whatever the position.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::fs;
use std::hint::black_box;
use std::time::{Duration, Instant};

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

/// How many games the slowest answer is searched in.
const GAMES: u64 = 100;

/// Lets the hardest level play whole games against moves that depend on a seed, and prints its slowest answer.
fn slowest() {
    let effort = Level::Hard.effort();
    let mut times = Vec::new();
    for seed in 0..GAMES {
        let mut random = fastrand::Rng::with_seed(seed);
        let (mut board, mut to_move) = after("");
        let mut moves = String::new();
        while !board.is_decided() {
            let began = Spent::so_far();
            let choice = choose(black_box(&board), to_move, effort).expect("a move");
            times.push((began.until_now(), moves.clone()));
            let open: Vec<_> = board.open_columns().collect();
            // Only sometimes its own choice, so that the positions are balanced and many.
            let column = match random.bool() {
                true => choice.column,
                false => open[random.usize(..open.len())],
            };
            moves.push_str(&column.to_string());
            (board, _) = board.drop_disc(column, to_move).expect("a legal move");
            to_move = match to_move {
                Disc::Yellow => Disc::Red,
                Disc::Red => Disc::Yellow,
            };
        }
    }
    times.sort();
    let of = |share: f64| times[(share * (times.len() - 1) as f64) as usize].0;
    let (slowest, moves) = &times[times.len() - 1];
    println!(
        "level hard, {} positions of {GAMES} games, {}: median {:.1?}, 99 % {:.1?}, slowest {slowest:.1?}, after {moves}",
        times.len(),
        Spent::WHAT,
        of(0.5),
        of(0.99),
    );
}

/// Time that this thread has spent. On Linux, only while it was running, so that a busy machine does not
/// count.
enum Spent {
    Running(Duration),
    Wall(Instant),
}

impl Spent {
    const WHAT: &str = if cfg!(target_os = "linux") {
        "CPU time"
    } else {
        "wall time"
    };

    fn so_far() -> Spent {
        let spent = fs::read_to_string("/proc/thread-self/schedstat").ok();
        let nanoseconds = spent.and_then(|spent| spent.split(' ').next()?.parse().ok());
        match nanoseconds {
            Some(nanoseconds) => Spent::Running(Duration::from_nanos(nanoseconds)),
            None => Spent::Wall(Instant::now()),
        }
    }

    fn until_now(&self) -> Duration {
        match (self, Spent::so_far()) {
            (Spent::Running(began), Spent::Running(ended)) => ended - *began,
            (Spent::Wall(began), _) => began.elapsed(),
            (Spent::Running(_), Spent::Wall(_)) => unreachable!("the file does not go away"),
        }
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args().sample_size(20);
    thinking(&mut criterion);
    criterion.final_summary();
    if std::env::args().any(|argument| argument == "hard") {
        slowest();
    }
}
