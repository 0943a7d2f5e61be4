//! The tables, and the migrations that bring a file of an older version up to date.

use std::io;
use std::path::Path;

use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};

use super::open_error::SqliteOpenError;
use crate::sqlite_file::Kind;

/// Marks a SQLite file as an event store of this program, in its header.
pub(super) const APPLICATION_ID: u32 = u32::from_be_bytes(*b"C4ev");

/// Each migration leads to the next version, which the file's `user_version` records. A
/// migration that was released is never changed; a new one is added at the end.
const MIGRATIONS: &[M<'_>] = &[M::up(VERSION_1)];

/// An append-only log in the order of commits, and an index that finds the events of a stream.
/// One writer and no deletions make positions grow in the order in which they become visible
/// and never come twice. Streams have numbers, handed out as they begin, because then the
/// streams that are written to lie side by side in the index, and a commit touches few pages.
const VERSION_1: &str = "
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
    -- C4ev, which marks the file as an event store of this program.
    PRAGMA application_id = 1127507318;
";

/// The latest version that this program knows.
fn known_version() -> u32 {
    MIGRATIONS.len().try_into().unwrap_or(u32::MAX)
}

/// Refuses a file before SQLite opens it.
pub(super) fn check_kind(path: &Path, kind: Kind) -> Result<(), SqliteOpenError> {
    let path = path.to_owned();
    match kind {
        Kind::Empty => Ok(()),
        Kind::Ours { version } if version <= known_version() => Ok(()),
        Kind::Ours { version } => Err(SqliteOpenError::NewerSchema {
            path,
            found: version,
            known: known_version(),
        }),
        Kind::Foreign => Err(SqliteOpenError::Foreign { path }),
        Kind::NotADatabase => Err(SqliteOpenError::NotADatabase { path }),
    }
}

/// Makes the tables in an empty database, and brings one of an older version up to date.
///
/// Judges the database once more: its header may be older than what its journal holds.
pub(super) fn migrate(path: &Path, connection: &mut Connection) -> Result<(), SqliteOpenError> {
    let failed = |source| SqliteOpenError::sqlite(path, source);
    let is_empty = connection
        .query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| {
            row.get(0)
        })
        .map_err(failed)?;
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get(0));
    let kind = if is_empty {
        Kind::Empty
    } else if pragma("application_id").map_err(failed)? == APPLICATION_ID {
        let version = pragma("user_version").map_err(failed)?;
        Kind::Ours { version }
    } else {
        Kind::Foreign
    };
    check_kind(path, kind)?;
    Migrations::from_slice(MIGRATIONS)
        .to_latest(connection)
        .map_err(|error| {
            if let rusqlite_migration::Error::RusqliteError { err, .. } = error {
                return failed(err);
            }
            SqliteOpenError::io(path, io::Error::other(error))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_has_the_latest_version_and_our_mark() {
        let mut connection = Connection::open_in_memory().expect("memory");
        migrate(Path::new("new.db"), &mut connection).expect("an empty database");
        let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, u32>(0));
        assert_eq!(pragma("application_id"), Ok(APPLICATION_ID));
        assert_eq!(pragma("user_version"), Ok(known_version()));
        migrate(Path::new("new.db"), &mut connection).expect("nothing is left to do");
    }

    /// A later program, which adds a column, opens the file of this one.
    #[test]
    fn a_file_of_an_older_version_is_migrated_and_keeps_its_events() {
        let mut connection = Connection::open_in_memory().expect("memory");
        migrate(Path::new("old.db"), &mut connection).expect("an empty database");
        connection
            .execute_batch(
                "INSERT INTO streams VALUES (1, 'game-1');
                 INSERT INTO events VALUES (1, 1, 0, x'00', 'Happened', x'', x'', 0);",
            )
            .expect("an event");
        let invented = M::up("ALTER TABLE streams ADD COLUMN kind TEXT NOT NULL DEFAULT 'game';");
        let later = Migrations::new(MIGRATIONS.iter().cloned().chain([invented]).collect());
        later.to_latest(&mut connection).expect("one migration");
        let kept = "SELECT name || kind FROM streams JOIN events ON stream = number";
        let kept = connection.query_row(kept, [], |row| row.get::<_, String>(0));
        assert_eq!(kept.as_deref(), Ok("game-1game"));
    }
}
