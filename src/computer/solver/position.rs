//! A position as the search sees it: two bitboards, which are sets of cells as bits of a word.

use crate::domain::{Board, Column, Disc};

/// A set of cells, one bit each, column by column from the bottom of A to the top of G. Moves
/// are the set of the cells that their discs fall to.
pub(super) type Bitboard = u64;

const ROWS: u32 = 6;
/// Bits that a column takes: its rows, and one that stays empty, so that a line cannot run from
/// the top of a column into the bottom of the next.
const STRIDE: u32 = ROWS + 1;
/// How far apart two neighbours of a line are: up, sideways, and the two diagonals.
const DIRECTIONS: [u32; 4] = [1, STRIDE, STRIDE + 1, STRIDE - 1];
const CELLS: u32 = 42;

/// The lowest row.
const BOTTOM: Bitboard = 1 | 1 << 7 | 1 << 14 | 1 << 21 | 1 << 28 | 1 << 35 | 1 << 42;
/// All cells of column A.
const COLUMN: Bitboard = (1 << ROWS) - 1;
/// All cells. Each factor of `BOTTOM` puts one more copy of the column on the board.
const BOARD: Bitboard = BOTTOM * COLUMN;
/// Rows 1, 3 and 5.
pub(super) const ODD_ROWS: Bitboard = BOTTOM | BOTTOM << 2 | BOTTOM << 4;

/// More lines run through the middle, so a move there is more likely to be good.
pub(super) const CENTRE_FIRST: [Column; 7] = [
    Column::D,
    Column::C,
    Column::E,
    Column::B,
    Column::F,
    Column::A,
    Column::G,
];

/// The discs, seen from the side to move. Nobody has four in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    /// The discs of the side to move.
    mine: Bitboard,
    /// The discs of both sides.
    taken: Bitboard,
}

impl Position {
    pub(super) fn new(board: &Board, to_move: Disc) -> Position {
        let mut position = Position { mine: 0, taken: 0 };
        for column in Column::ALL {
            for (row, disc) in (0..).zip(board.discs(column)) {
                let cell = 1 << (column as u32 * STRIDE + row);
                position.taken |= cell;
                if disc == to_move {
                    position.mine |= cell;
                }
            }
        }
        position
    }

    /// The position after this move, seen from the opponent.
    pub(super) fn play(self, column: Column) -> Position {
        Position {
            mine: self.theirs(),
            taken: self.taken | self.legal_moves() & cells(column),
        }
    }

    /// A number that no other position has. The addition sets the bit above the highest disc of
    /// each column, so that free cells differ from the opponent's discs, and leaves the bits of
    /// the side to move below it.
    pub(super) fn key(self) -> u64 {
        self.mine + self.taken + BOTTOM
    }

    pub(super) fn discs(self) -> u32 {
        self.taken.count_ones()
    }

    pub(super) fn empty_cells(self) -> u32 {
        CELLS - self.discs()
    }

    /// One cell for each column that is not full.
    pub(super) fn legal_moves(self) -> Bitboard {
        // In each column, adding 1 carries through the discs into the lowest free cell.
        (self.taken + BOTTOM) & BOARD
    }

    /// The moves that complete four in a row.
    pub(super) fn winning_moves(self) -> Bitboard {
        self.threats() & self.legal_moves()
    }

    /// The moves that keep the opponent from completing four in a row with the next disc.
    pub(super) fn blocking_moves(self) -> Bitboard {
        self.opposing_threats() & self.legal_moves()
    }

    /// The moves after which the opponent cannot win with the next disc.
    pub(super) fn safe_moves(self) -> Bitboard {
        let blocking = self.blocking_moves();
        let candidates = match blocking.count_ones() {
            0 => self.legal_moves(),
            1 => blocking,
            _ => 0,
        };
        // A disc right below a threat of the opponent lets them complete it.
        candidates & !(self.opposing_threats() >> 1)
    }

    /// The threats of the side to move: the free cells that complete four in a row, whether a
    /// disc can fall there already or not.
    pub(super) fn threats(self) -> Bitboard {
        completing(self.mine) & self.free()
    }

    /// The threats of the opponent.
    pub(super) fn opposing_threats(self) -> Bitboard {
        completing(self.theirs()) & self.free()
    }

    /// How many fours in a row the side to move can still complete.
    pub(super) fn open_lines(self) -> u32 {
        lines(self.mine | self.free())
    }

    /// How many fours in a row the opponent can still complete.
    pub(super) fn opposing_open_lines(self) -> u32 {
        lines(self.theirs() | self.free())
    }

    fn theirs(self) -> Bitboard {
        self.mine ^ self.taken
    }

    fn free(self) -> Bitboard {
        BOARD & !self.taken
    }
}

/// The first of these moves, of which there is one at least.
pub(super) fn first(moves: Bitboard) -> Column {
    CENTRE_FIRST
        .into_iter()
        .find(|column| moves & cells(*column) != 0)
        .expect("a position that is not decided has a legal move")
}

/// All cells of a column.
pub(super) fn cells(column: Column) -> Bitboard {
    COLUMN << (column as u32 * STRIDE)
}

/// The cells that complete four in a row together with three of these.
fn completing(discs: Bitboard) -> Bitboard {
    DIRECTIONS.into_iter().fold(0, |cells, step| {
        let two_before = discs << step & discs << (2 * step);
        let two_after = discs >> step & discs >> (2 * step);
        cells
            | two_before & (discs << (3 * step) | discs >> step)
            | two_after & (discs >> (3 * step) | discs << step)
    })
}

/// How many fours in a row are in this set of cells.
fn lines(cells: Bitboard) -> u32 {
    let starts = |step| {
        let pairs = cells & cells >> step;
        pairs & pairs >> (2 * step)
    };
    DIRECTIONS
        .into_iter()
        .map(|step| starts(step).count_ones())
        .sum()
}
