//! The tables, and how a file says that it holds them.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::SqliteOpenError;

/// Marks a SQLite file as one of ours, in its header: `C4ev`.
const APPLICATION_ID: u32 = u32::from_be_bytes(*b"C4ev");

/// The version of the tables below.
const VERSION: u32 = 1;

/// An append-only log in the order of commits, and an index that finds the events of a stream.
/// One writer and no deletions make positions grow in the order in which they become visible
/// and never come twice. Streams have numbers, handed out as they begin, because then the
/// streams that are written to lie side by side in the index, and a commit touches few pages.
const TABLES: &str = "
    CREATE TABLE streams (
        number INTEGER PRIMARY KEY,
        name   TEXT NOT NULL UNIQUE
    ) STRICT;
    CREATE TABLE events (
        position    INTEGER PRIMARY KEY,
        stream      INTEGER NOT NULL, -- streams.number
        revision    INTEGER NOT NULL, -- counted from 0
        id          BLOB NOT NULL,    -- the 16 bytes of a UUID
        type        TEXT NOT NULL,
        data        BLOB NOT NULL,
        metadata    BLOB NOT NULL,
        recorded_at INTEGER NOT NULL, -- microseconds since 1970 in UTC
        UNIQUE (stream, revision)
    ) STRICT;
";

const MAGIC: &[u8] = b"SQLite format 3\0";

/// Judges a file by its first bytes, before SQLite comes near it: SQLite would recover, convert
/// or checkpoint what turns out not to be ours.
pub(super) fn check_header(path: &Path, header: &[u8]) -> Result<(), SqliteOpenError> {
    if header.is_empty() {
        return Ok(());
    }
    if !header.starts_with(MAGIC) {
        return Err(SqliteOpenError::NotADatabase {
            path: path.to_owned(),
        });
    }
    let number_at = |offset: usize| {
        let bytes = header.get(offset..offset + 4)?;
        Some(u32::from_be_bytes(bytes.try_into().ok()?))
    };
    check_marks(path, number_at(68), number_at(60))
}

fn check_marks(
    path: &Path,
    application_id: Option<u32>,
    version: Option<u32>,
) -> Result<(), SqliteOpenError> {
    if application_id != Some(APPLICATION_ID) {
        return Err(SqliteOpenError::Foreign {
            path: path.to_owned(),
        });
    }
    match version {
        Some(found) if found > VERSION => Err(SqliteOpenError::NewerSchema {
            path: path.to_owned(),
            found,
            known: VERSION,
        }),
        Some(_) | None => Ok(()),
    }
}

/// Makes the tables in an empty database, and looks once more at one that has some: the header
/// could be older than what the journal beside the file says.
pub(super) fn prepare(path: &Path, connection: &mut Connection) -> Result<(), SqliteOpenError> {
    let failed = |source| SqliteOpenError::sqlite(path, source);
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(failed)?;
    let is_empty: bool = transaction
        .query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| {
            row.get(0)
        })
        .map_err(failed)?;
    if is_empty {
        transaction.execute_batch(TABLES).map_err(failed)?;
        // In the transaction that makes the tables, so that no crash leaves one without the other.
        transaction
            .pragma_update(None, "application_id", APPLICATION_ID)
            .map_err(failed)?;
        transaction
            .pragma_update(None, "user_version", VERSION)
            .map_err(failed)?;
    } else {
        let mark = |name| transaction.pragma_query_value(None, name, |row| row.get(0));
        let application_id = mark("application_id").map_err(failed)?;
        let version = mark("user_version").map_err(failed)?;
        check_marks(path, Some(application_id), Some(version))?;
    }
    transaction.commit().map_err(failed)
}
