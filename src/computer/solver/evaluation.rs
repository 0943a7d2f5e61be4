//! How promising a position looks where the search stops.

use super::position::{Bitboard, ODD_ROWS, Position};
use super::score::Score;

/// A threat outlasts most lines that are merely open.
const THREAT: i32 = 8;
/// A threat that its owner comes to play in when the columns fill up.
const LASTING_THREAT: i32 = 24;

/// An estimate from the lines that each side can still complete and from its threats.
///
/// When all other columns are full, the players take turns in the last ones, and the side that
/// has the first move of the game gets the odd rows there. So a threat in such a row
/// counts more for that side, and one in an even row for the other.
pub(super) fn evaluate(position: Position) -> Score {
    // The board has an even number of cells, so an even number is left when it is the turn of
    // the side that began.
    let (mine, theirs) = if position.empty_cells().is_multiple_of(2) {
        (ODD_ROWS, !ODD_ROWS)
    } else {
        (!ODD_ROWS, ODD_ROWS)
    };
    let lines = position.open_lines().cast_signed() - position.opposing_open_lines().cast_signed();
    let threats = weight(position.threats(), mine) - weight(position.opposing_threats(), theirs);
    Score::estimate(lines + threats)
}

fn weight(threats: Bitboard, lasting: Bitboard) -> i32 {
    let count = |cells: Bitboard| cells.count_ones().cast_signed();
    LASTING_THREAT * count(threats & lasting) + THREAT * count(threats & !lasting)
}
