//! Maps the errors of SQLite to errors of the event store.

use rusqlite::{Error, ErrorCode};

use crate::event_store::EventStoreError;
use crate::sqlite_file::ReadError;

/// The error of an operation that had no effect: a read, or a transaction that was not committed.
pub(super) fn not_done(error: &Error) -> EventStoreError {
    let is_damage = matches!(
        error,
        Error::FromSqlConversionFailure(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::InvalidColumnType(..)
    ) || matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    );
    let reason = error.to_string();
    if is_damage {
        EventStoreError::Corrupt { reason }
    } else {
        EventStoreError::Unavailable { reason }
    }
}

/// The error of a read.
pub(super) fn not_read(error: &ReadError) -> EventStoreError {
    match error {
        ReadError::Sqlite(error) => not_done(error),
        ReadError::Interrupted(error) => EventStoreError::unavailable(error),
        // The pool of an event store is never closed.
        ReadError::Closed => EventStoreError::unavailable(error),
    }
}

/// The error of a commit.
pub(super) fn not_committed(error: &Error) -> EventStoreError {
    match error.sqlite_error_code() {
        // The transaction is not stored: the frame that makes it valid is written last.
        Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy) => not_done(error),
        // The whole transaction may be in the write-ahead log. Then a restart would apply it.
        Some(_) | None => EventStoreError::OutcomeUnknown {
            reason: error.to_string(),
        },
    }
}

pub(super) fn writer_is_gone() -> EventStoreError {
    EventStoreError::unavailable("the writer thread has stopped; restart the process")
}

pub(super) fn file_is_gone() -> EventStoreError {
    EventStoreError::unavailable(
        "the database file was deleted, renamed or replaced while it was in use; put it back, or \
         restart the process to use the file that is there now",
    )
}
