//! Negamax with alpha-beta pruning: the value of a position, from those of the positions that
//! its moves lead to.

use std::cmp::Reverse;

use crate::domain::Column;

use super::evaluation::evaluate;
use super::position::{Bitboard, CENTRE_FIRST, Position, cells};
use super::score::Score;
use super::transposition_table::{Bound, Entry, TranspositionTable};

/// One search: what it found out so far, and how many nodes it may still visit.
#[derive(Debug)]
pub(super) struct Search {
    table: TranspositionTable,
    visited: u32,
    limit: u32,
}

/// The best move of a position, and the score that it leads to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Best {
    pub(super) column: Column,
    pub(super) score: Score,
}

/// The search has visited as many nodes as it may.
#[derive(Debug, Clone, Copy)]
pub(super) struct OutOfNodes;

impl Search {
    pub(super) fn new(limit: u32) -> Search {
        Search {
            table: TranspositionTable::for_nodes(limit),
            visited: 0,
            limit,
        }
    }

    pub(super) fn visited(&self) -> u32 {
        self.visited
    }

    /// The best move of a position that has a safe one and no winning one, searched this many
    /// plies deep. The move to try first is the best one of a search that was less deep.
    pub(super) fn best_move(
        &mut self,
        position: Position,
        depth: u8,
        first: Column,
    ) -> Result<Best, OutOfNodes> {
        let moves = ordered(position, position.safe_moves(), Some(first));
        self.best_of(moves, position, depth, Window::FULL)
    }

    /// The score of a position in which the side to move cannot win with the next disc. A score
    /// inside the window is exact; at or below alpha, the true one is at most as good; at or
    /// above beta, at least as good.
    fn negamax(
        &mut self,
        position: Position,
        depth: u8,
        window: Window,
    ) -> Result<Score, OutOfNodes> {
        self.visit()?;
        if position.empty_cells() == 0 {
            return Ok(Score::TIE);
        }
        let discs = position.discs();
        let safe_moves = position.safe_moves();
        if safe_moves == 0 {
            return Ok(Score::loss(discs + 2));
        }
        if depth == 0 {
            return Ok(evaluate(position));
        }

        // After a safe move, nobody has won with the next two discs.
        let mut window = window
            .at_least(Score::loss(discs + 4))
            .at_most(Score::win(discs + 3));
        if window.is_empty() {
            return Ok(window.alpha);
        }

        let known = self.table.get(position.key());
        // A decisive score holds for any depth: what is decided stays decided.
        if let Some(entry) = known
            && (entry.depth >= depth || entry.score.is_decisive())
        {
            window = match entry.bound {
                Bound::Exact => return Ok(entry.score),
                Bound::Lower => window.at_least(entry.score),
                Bound::Upper => window.at_most(entry.score),
            };
            if window.is_empty() {
                return Ok(entry.score);
            }
        }

        let moves = ordered(position, safe_moves, known.map(|entry| entry.best));
        let Best { column, score } = self.best_of(moves, position, depth, window)?;
        let entry = Entry {
            score,
            bound: window.bound(score),
            depth,
            best: column,
        };
        self.table.insert(position.key(), entry);
        Ok(score)
    }

    /// The best of these moves, of which there is one at least.
    fn best_of(
        &mut self,
        moves: impl Iterator<Item = Column>,
        position: Position,
        depth: u8,
        mut window: Window,
    ) -> Result<Best, OutOfNodes> {
        let mut best: Option<Best> = None;
        for column in moves {
            let score = -self.negamax(position.play(column), depth - 1, window.reversed())?;
            if best.is_none_or(|best| score > best.score) {
                best = Some(Best { column, score });
            }
            window = window.at_least(score);
            if window.is_empty() {
                // A cutoff: the opponent will avoid this position, however good the other
                // moves are.
                break;
            }
        }
        Ok(best.expect("a move"))
    }

    fn visit(&mut self) -> Result<(), OutOfNodes> {
        if self.visited == self.limit {
            return Err(OutOfNodes);
        }
        self.visited += 1;
        Ok(())
    }
}

/// The scores that matter, between alpha and beta.
#[derive(Debug, Clone, Copy)]
struct Window {
    /// What the side to move can already reach with another move.
    alpha: Score,
    /// What the opponent can already hold the side to move down to.
    beta: Score,
}

impl Window {
    const FULL: Window = Window {
        alpha: Score::WORST,
        beta: Score::BEST,
    };

    fn at_least(self, score: Score) -> Window {
        let alpha = self.alpha.max(score);
        Window { alpha, ..self }
    }

    fn at_most(self, score: Score) -> Window {
        let beta = self.beta.min(score);
        Window { beta, ..self }
    }

    fn is_empty(self) -> bool {
        self.alpha >= self.beta
    }

    /// The window as the opponent sees it.
    fn reversed(self) -> Window {
        Window {
            alpha: -self.beta,
            beta: -self.alpha,
        }
    }

    /// What a score that was found with this window says.
    fn bound(self, score: Score) -> Bound {
        if score <= self.alpha {
            Bound::Upper
        } else if score >= self.beta {
            Bound::Lower
        } else {
            Bound::Exact
        }
    }
}

/// The moves, the most promising ones first, because a good move makes a cutoff of the others:
/// the best one of an earlier search, then those that make the most threats, then those nearest
/// to the centre.
fn ordered(
    position: Position,
    moves: Bitboard,
    first: Option<Column>,
) -> impl Iterator<Item = Column> {
    let rank = |column| {
        if first == Some(column) {
            u32::MAX
        } else {
            position.play(column).opposing_threats().count_ones()
        }
    };
    let mut ranked = CENTRE_FIRST.map(|column| (rank(column), column));
    ranked.sort_by_key(|(rank, _)| Reverse(*rank));
    ranked
        .into_iter()
        .map(|(_, column)| column)
        .filter(move |column| moves & cells(*column) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Board, Disc};

    /// Negamax without pruning and without a table. It follows the same safe moves to the same
    /// estimates, so that every score has to be the same, not only the decisive ones.
    fn plain_negamax(position: Position, depth: u8) -> Score {
        let safe_moves = position.safe_moves();
        if position.empty_cells() == 0 {
            Score::TIE
        } else if safe_moves == 0 {
            Score::loss(position.discs() + 2)
        } else if depth == 0 {
            evaluate(position)
        } else {
            CENTRE_FIRST
                .into_iter()
                .filter(|column| safe_moves & cells(*column) != 0)
                .map(|column| -plain_negamax(position.play(column), depth - 1))
                .max()
                .expect("a safe move")
        }
    }

    #[test]
    fn pruning_and_the_table_change_no_score() {
        // The fewer columns are open, the more orders of moves lead to one position.
        for (moves, depth) in [
            ("", 5),
            ("DDDDDEC", 5),
            ("DDDDDDEEEBB", 6),
            ("AAAAAABBBBBBFFFFFF", 8),
            ("AAAAAAGGGGGGDDDDDDB", 8),
            ("AAAAAAGGGGGGDDDDDDBC", 8),
        ] {
            let mut position = Position::new(&Board::EMPTY, Disc::Yellow);
            for letter in moves.chars() {
                position = position.play(letter.to_string().parse().expect("a column"));
            }
            let mut search = Search::new(u32::MAX);
            for depth in 1..=depth {
                let found = search
                    .best_move(position, depth, Column::D)
                    .expect("no limit");
                assert_eq!(
                    found.score,
                    plain_negamax(position, depth),
                    "{moves} {depth}"
                );
            }
        }
    }
}
