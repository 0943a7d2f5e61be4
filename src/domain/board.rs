//! The board: seven columns of six rows. A disc falls to the lowest free cell of its column.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The number of rows. A column with this many discs is full.
const ROWS: u32 = 6;
/// Bits per column: one for each row, and one that is always 0. Without it, four in a row could
/// continue from the top of a column into the bottom of the next.
const STRIDE: u32 = ROWS + 1;
/// The distance in bits between two neighbouring cells: vertical, horizontal, and both diagonals.
const DIRECTIONS: [u32; 4] = [1, STRIDE, STRIDE + 1, STRIDE - 1];
/// A bit mask for the cells of column A.
const COLUMN: u64 = (1 << ROWS) - 1;

/// One of the seven columns. Written as in the tutorial: `"A"` to `"G"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the letters are the names")]
pub enum Column {
    A,
    B,
    C,
    D,
    E,
    F,
    G,
}

impl Column {
    /// All columns, from left to right.
    pub const ALL: [Column; 7] = [
        Column::A,
        Column::B,
        Column::C,
        Column::D,
        Column::E,
        Column::F,
        Column::G,
    ];

    /// The column's letter.
    pub fn as_str(self) -> &'static str {
        match self {
            Column::A => "A",
            Column::B => "B",
            Column::C => "C",
            Column::D => "D",
            Column::E => "E",
            Column::F => "F",
            Column::G => "G",
        }
    }

    fn shift(self) -> u32 {
        self as u32 * STRIDE
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A string that is not one of the capital letters A to G.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a column is one of the letters A to G")]
pub struct UnknownColumn;

impl FromStr for Column {
    type Err = UnknownColumn;

    fn from_str(letter: &str) -> Result<Self, Self::Err> {
        Column::ALL
            .into_iter()
            .find(|column| column.as_str() == letter)
            .ok_or(UnknownColumn)
    }
}

/// The colour of a disc. Player one plays yellow, player two red.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the colours are the names")]
pub enum Disc {
    Yellow,
    Red,
}

impl Disc {
    /// The name of the colour, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Disc::Yellow => "YELLOW",
            Disc::Red => "RED",
        }
    }
}

/// A row, counted from 1 at the bottom to 6 at the top.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Row(u8);

impl Row {
    /// The number of the row, 1 to 6.
    pub fn number(self) -> u8 {
        self.0
    }
}

/// A cell of the board, written like `"D1"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// The cell's column.
    pub column: Column,
    /// The cell's row.
    pub row: Row,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.column, self.row.0)
    }
}

/// The discs on the board, as one 64-bit integer per colour with seven bits per column. Four in a
/// row is found by shifting this integer and combining it with itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Board {
    yellow: u64,
    red: u64,
}

impl Board {
    /// The board before the first move.
    pub const EMPTY: Board = Board { yellow: 0, red: 0 };

    /// Returns the board with one more disc, and the row of that disc; `None` if the column is
    /// full.
    #[must_use]
    pub fn drop_disc(mut self, column: Column, disc: Disc) -> Option<(Board, Row)> {
        let height = self.height(column);
        if height >= ROWS {
            return None;
        }
        let cell = 1 << (column.shift() + height);
        match disc {
            Disc::Yellow => self.yellow |= cell,
            Disc::Red => self.red |= cell,
        }
        Some((self, row_at(height)))
    }

    /// Whether the column has six discs.
    pub fn is_column_full(&self, column: Column) -> bool {
        self.height(column) >= ROWS
    }

    /// Whether every column is full.
    pub fn is_full(&self) -> bool {
        Column::ALL
            .into_iter()
            .all(|column| self.is_column_full(column))
    }

    /// Whether a game ends with this board: a colour has four in a row, or the board is full.
    pub fn is_decided(&self) -> bool {
        self.has_four(Disc::Yellow) || self.has_four(Disc::Red) || self.is_full()
    }

    /// The columns that are not full, from left to right.
    pub fn open_columns(&self) -> impl Iterator<Item = Column> + use<> {
        let board = *self;
        Column::ALL
            .into_iter()
            .filter(move |column| !board.is_column_full(*column))
    }

    /// The discs of a column, from the bottom up.
    pub fn discs(&self, column: Column) -> impl Iterator<Item = Disc> + use<> {
        let yellow = self.yellow >> column.shift();
        (0..self.height(column)).map(move |row| {
            if yellow >> row & 1 == 1 {
                Disc::Yellow
            } else {
                Disc::Red
            }
        })
    }

    /// The discs of a column as bits, from the bottom up, with a 1 above the last disc: a red disc is a 1, and a
    /// yellow one a 0. So each content of a column has its own number, and all are below 128.
    pub fn column_bits(&self, column: Column) -> usize {
        let red = self.red >> column.shift() & COLUMN;
        (red | 1 << self.height(column)) as usize
    }

    /// Whether this colour has four in a row: vertically, horizontally or diagonally.
    pub fn has_four(&self, disc: Disc) -> bool {
        let discs = self.word(disc);
        DIRECTIONS.into_iter().any(|step| fours(discs, step) != 0)
    }

    /// Every cell that is part of four or more of this colour in a row, sorted by column and then
    /// by row; empty if there is no such line. If the last disc completes two lines, the result
    /// contains the cells of both.
    pub fn line_cells(&self, disc: Disc) -> Vec<Cell> {
        let discs = self.word(disc);
        let cells = DIRECTIONS.into_iter().fold(0, |cells, step| {
            let starts = fours(discs, step);
            cells | starts | starts << step | starts << (2 * step) | starts << (3 * step)
        });
        let is_in_line = |column: Column, row: u32| cells >> (column.shift() + row) & 1 == 1;
        Column::ALL
            .into_iter()
            .flat_map(|column| (0..ROWS).map(move |row| (column, row)))
            .filter(|(column, row)| is_in_line(*column, *row))
            .map(|(column, row)| Cell {
                column,
                row: row_at(row),
            })
            .collect()
    }

    fn height(&self, column: Column) -> u32 {
        let taken = (self.yellow | self.red) >> column.shift() & COLUMN;
        taken.count_ones()
    }

    fn word(&self, disc: Disc) -> u64 {
        match disc {
            Disc::Yellow => self.yellow,
            Disc::Red => self.red,
        }
    }
}

/// The first cell of every four in a row in one direction, as bits.
fn fours(discs: u64, step: u32) -> u64 {
    let pairs = discs & discs >> step;
    pairs & pairs >> (2 * step)
}

fn row_at(height: u32) -> Row {
    Row(u8::try_from(height + 1).expect("a column has six rows"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn board(drops: &str) -> Board {
        drops.split_whitespace().fold(Board::EMPTY, |board, drop| {
            let (disc, column) = drop.split_at(1);
            let disc = if disc == "Y" { Disc::Yellow } else { Disc::Red };
            let column = column.parse().expect("a column");
            board.drop_disc(column, disc).expect("room in the column").0
        })
    }

    fn line(board: &Board, disc: Disc) -> String {
        let cells: Vec<_> = board.line_cells(disc).iter().map(Cell::to_string).collect();
        cells.join(" ")
    }

    #[test]
    fn a_disc_falls_on_the_disc_below() {
        let (_, row) = board("YD RD")
            .drop_disc(Column::D, Disc::Yellow)
            .expect("room");
        assert_eq!(row.number(), 3);
    }

    #[test]
    fn a_column_takes_six_discs() {
        let full = board("YD RD YD RD YD RD");
        assert!(full.is_column_full(Column::D));
        assert_eq!(full.drop_disc(Column::D, Disc::Yellow), None);
        assert!(!full.open_columns().any(|column| column == Column::D));
    }

    #[test]
    fn four_in_a_row_are_found_vertically_horizontally_and_on_both_diagonals() {
        let upright = board("YA YA YA YA");
        let sideways = board("RD RE RF RG");
        let rising = board("YA RB YB RC RC YC RD RD RD YD");
        let falling = board("YG RF YF RE RE YE RD RD RD YD");
        assert_eq!(line(&upright, Disc::Yellow), "A1 A2 A3 A4");
        assert_eq!(line(&sideways, Disc::Red), "D1 E1 F1 G1");
        assert_eq!(line(&rising, Disc::Yellow), "A1 B2 C3 D4");
        assert_eq!(line(&falling, Disc::Yellow), "D4 E3 F2 G1");
    }

    #[test]
    fn a_line_does_not_continue_from_the_top_of_a_column_into_the_next() {
        let over_the_top = board("RA RA RA YA YA YA YB");
        assert!(!over_the_top.has_four(Disc::Yellow));
    }

    #[test]
    fn lines_of_more_than_four_and_crossing_lines_are_returned_completely() {
        assert_eq!(
            line(&board("YA YB YC YE YF YD"), Disc::Yellow),
            "A1 B1 C1 D1 E1 F1"
        );
        assert_eq!(
            line(&board("YA YA YA YB YC YD RB RC RD YA"), Disc::Yellow),
            "A1 A2 A3 A4 B1 C1 D1"
        );
    }

    #[test]
    fn only_the_letters_a_to_g_are_columns() {
        for word in ["a", "H", "", "AB", " A"] {
            assert_eq!(word.parse::<Column>(), Err(UnknownColumn), "{word:?}");
        }
    }
}
