//! The JSON of the columns of a board, prepared. A board is most of the JSON of a game, and there are few
//! different columns.

use std::sync::LazyLock;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::domain::{Board, Column, Disc};

/// The discs of a column as JSON, from the bottom up.
pub(super) fn discs(board: &Board, column: Column) -> &'static RawValue {
    /// By [`code`].
    static PREPARED: LazyLock<Vec<Box<RawValue>>> = LazyLock::new(|| {
        let discs = |code: usize| (0..code.ilog2()).map(move |row| disc(code, row));
        let prepared = (1..MOST).map(|code| prepare(&discs(code).collect::<Vec<_>>()));
        // No column has the code 0.
        [prepare(&())].into_iter().chain(prepared).collect()
    });
    &PREPARED[code(board, column)]
}

/// A list of different columns as JSON, from left to right.
pub(super) fn columns(listed: &[Column]) -> &'static RawValue {
    /// By the set of columns, as bits.
    static PREPARED: LazyLock<Vec<Box<RawValue>>> = LazyLock::new(|| {
        let listed = |set: usize| {
            Column::ALL
                .into_iter()
                .filter(move |column| set >> *column as usize & 1 == 1)
        };
        let prepared = (0..MOST).map(|set| prepare(&listed(set).collect::<Vec<_>>()));
        prepared.collect()
    });
    let set = listed
        .iter()
        .fold(0, |set, column| set | 1 << *column as usize);
    &PREPARED[set]
}

/// Of sets of seven columns, and of codes of six discs.
const MOST: usize = 1 << 7;

/// The discs as bits, and a 1 after the last.
fn code(board: &Board, column: Column) -> usize {
    let (discs, end) = board
        .discs(column)
        .fold((0, 1), |(discs, bit), disc| match disc {
            Disc::Yellow => (discs, bit << 1),
            Disc::Red => (discs | bit, bit << 1),
        });
    discs | end
}

fn disc(code: usize, row: u32) -> Disc {
    match code >> row & 1 {
        0 => Disc::Yellow,
        _ => Disc::Red,
    }
}

fn prepare(value: &impl Serialize) -> Box<RawValue> {
    to_raw_value(value).expect("discs and columns can be encoded as JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_is_prepared_with_its_discs() {
        let column = Column::C;
        let mut boards = vec![Board::EMPTY];
        for _ in 0..6 {
            let with = |board: &Board, disc| board.drop_disc(column, disc).expect("room").0;
            boards = boards
                .iter()
                .flat_map(|board| [with(board, Disc::Red), with(board, Disc::Yellow)])
                .chain(boards.iter().copied())
                .collect();
        }
        for board in boards {
            let expected = serde_json::to_string(&board.discs(column).collect::<Vec<_>>());
            assert_eq!(discs(&board, column).get(), expected.expect("JSON"));
        }
    }

    #[test]
    fn every_set_of_columns_is_prepared() {
        for set in 0..MOST {
            let listed: Vec<_> = Column::ALL
                .into_iter()
                .filter(|column| set >> *column as usize & 1 == 1)
                .collect();
            let expected = serde_json::to_string(&listed).expect("JSON");
            assert_eq!(columns(&listed).get(), expected);
        }
    }
}
