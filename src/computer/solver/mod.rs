//! Chooses a move: negamax with alpha-beta pruning and iterative deepening.
//!
//! The choice is a pure function of its arguments. Nodes limit it, never a clock, and every
//! choice begins with an empty transposition table. So all replicas choose the same column for
//! the same position, whatever they have searched before and however busy they are.
//!
//! Why no crate does this: `connect-four-solver` is licensed under the AGPL, and
//! `connect-four-ai` chooses at random and searches to the end of the game, without a limit.

mod evaluation;
mod position;
mod score;
mod search;
mod transposition_table;

use crate::domain::{Board, Column, Disc};

use position::{Bitboard, Position};
use score::Score;
use search::Search;

/// How much a choice may cost. The search ends at the limit that it reaches first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// How many plies (moves of one player) to look ahead. All wins that can be forced within
    /// two more plies are seen too.
    pub depth: u8,
    /// How many nodes, which are positions of the search tree, to visit.
    pub nodes: u32,
}

/// A chosen move, and what the search found out about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// The column to play.
    pub column: Column,
    /// How the game ends when both sides play their best.
    pub value: Value,
    /// How many plies were searched completely.
    pub depth: u8,
    /// How many nodes were visited.
    pub nodes: u32,
}

/// How the game ends for the side to move when both sides play their best: the winner as early
/// as possible, the loser as late as possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// The side to move wins with the disc that falls after this many plies, an odd number.
    Win {
        /// From the next move, which is 1, to the winning one.
        plies: u32,
    },
    /// Nobody can force a win.
    Tie,
    /// The opponent wins with the disc that falls after this many plies, an even number.
    Loss {
        /// From the next move, which is 1, to the opponent's winning one.
        plies: u32,
    },
    /// The search did not reach far enough to know.
    Unknown,
}

/// The move for the side with this disc; `None` if the game is over.
///
/// With any effort, even none, a win in one move is taken; otherwise a win in one move of the
/// opponent is blocked, and none is made possible, as far as there is such a move.
pub fn choose(board: &Board, to_move: Disc, effort: Effort) -> Option<Choice> {
    if board.is_decided() {
        return None;
    }
    let position = Position::new(board, to_move);
    let wins = position.winning_moves();
    let choice = if wins != 0 {
        at_sight(wins, Value::Win { plies: 1 })
    } else if position.safe_moves() == 0 {
        at_sight(last_resort(position), Value::Loss { plies: 2 })
    } else {
        deepen(position, effort)
    };
    Some(choice)
}

/// A move that needs no search: the first one of these.
fn at_sight(moves: Bitboard, value: Value) -> Choice {
    Choice {
        column: position::first(moves),
        value,
        depth: 0,
        nodes: 0,
    }
}

/// The moves of a position without a safe one: the opponent is made to find the other threat.
fn last_resort(position: Position) -> Bitboard {
    match position.blocking_moves() {
        0 => position.legal_moves(),
        blocking => blocking,
    }
}

/// Iterative deepening: searches one ply deep, then two, and so on, until the value is known or
/// the effort is spent. What one search finds orders the moves of the next, which makes all of
/// them together cheaper than the last one alone would be. An interrupted search does not count.
fn deepen(position: Position, effort: Effort) -> Choice {
    let mut search = Search::new(effort.nodes);
    let mut column = position::first(position.safe_moves());
    let mut value = Value::Unknown;
    let mut depth = 0;
    while value == Value::Unknown && depth < effort.depth {
        let Ok(best) = search.best_move(position, depth + 1, column) else {
            break;
        };
        depth += 1;
        column = best.column;
        value = value_of(position, best.score, depth);
    }
    Choice {
        column,
        value,
        depth,
        nodes: search.visited(),
    }
}

fn value_of(position: Position, score: Score, depth: u8) -> Value {
    let plies_to = |disc: u32| disc - position.discs();
    match score.winning_disc() {
        Some(disc) if score > Score::TIE => Value::Win {
            plies: plies_to(disc),
        },
        Some(disc) => Value::Loss {
            plies: plies_to(disc),
        },
        None if u32::from(depth) >= position.empty_cells() => Value::Tie,
        None => Value::Unknown,
    }
}
