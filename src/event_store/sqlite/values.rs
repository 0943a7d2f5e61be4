//! Converts unsigned numbers to the signed ones of SQLite, and back.

use rusqlite::{Error, Row};

use crate::event_store::{GlobalPosition, StreamRevision};

/// Saturates: no stream and no store is that long, but a client may send any number.
pub(super) fn to_sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn revision(row: &Row<'_>, column: usize) -> rusqlite::Result<StreamRevision> {
    unsigned(row, column).map(StreamRevision::new)
}

pub(super) fn position(row: &Row<'_>, column: usize) -> rusqlite::Result<GlobalPosition> {
    unsigned(row, column).map(GlobalPosition::counted)
}

fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| Error::IntegralValueOutOfRange(column, number))
}
