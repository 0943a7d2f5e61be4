//! The JSON of the columns of a board, prepared. A board is most of the JSON of a game, and there are few
//! different columns.

use std::sync::LazyLock;

use serde::Serialize;

use crate::domain::{Board, Column, Disc};

/// The member of a column in the JSON of a board, with its discs from the bottom up. All but the first begin
/// with a comma.
pub(super) fn discs(board: Board, column: Column) -> &'static str {
    /// By column and [`Board::column_bits`].
    static PREPARED: LazyLock<[Vec<String>; Column::ALL.len()]> = LazyLock::new(|| {
        let member = |column: Column, bits: usize| {
            let discs = (0..bits.ilog2()).map(|row| disc(bits, row));
            let separator = if column == Column::A { "" } else { "," };
            let discs = json(&discs.collect::<Vec<_>>());
            format!("{separator}{}:{discs}", json(&column))
        };
        // No column has the bits 0.
        Column::ALL.map(|column| (0..MOST).map(|bits| member(column, bits.max(1))).collect())
    });
    &PREPARED[column as usize][board.column_bits(column)]
}

/// A list of different columns as JSON, from left to right.
pub(super) fn columns(listed: impl Iterator<Item = Column>) -> &'static str {
    /// By the set of columns, as bits.
    static PREPARED: LazyLock<Vec<String>> = LazyLock::new(|| {
        let listed = |set: usize| {
            Column::ALL
                .into_iter()
                .filter(move |column| set >> *column as usize & 1 == 1)
        };
        let prepared = (0..MOST).map(|set| json(&listed(set).collect::<Vec<_>>()));
        prepared.collect()
    });
    let set = listed.fold(0, |set, column| set | 1 << column as usize);
    &PREPARED[set]
}

/// Of sets of seven columns, and of the bits of a column.
const MOST: usize = 1 << 7;

fn disc(bits: usize, row: u32) -> Disc {
    match bits >> row & 1 {
        0 => Disc::Yellow,
        _ => Disc::Red,
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("discs and columns can be encoded as JSON")
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
            let expected = json(&board.discs(column).collect::<Vec<_>>());
            assert_eq!(discs(board, column), format!(",\"C\":{expected}"));
        }
    }

    #[test]
    fn every_set_of_columns_is_prepared() {
        for set in 0..MOST {
            let listed: Vec<_> = Column::ALL
                .into_iter()
                .filter(|column| set >> *column as usize & 1 == 1)
                .collect();
            assert_eq!(columns(listed.iter().copied()), json(&listed));
        }
    }
}
