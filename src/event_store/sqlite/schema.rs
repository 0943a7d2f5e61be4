//! The tables, and the migrations that update a file of an older version.

use std::io;
use std::path::Path;

use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};

use super::open_error::SqliteOpenError;
use crate::sqlite_file::Kind;

/// The application id in the header of a SQLite file, which marks it as an event store of this
/// program.
pub(super) const APPLICATION_ID: u32 = u32::from_be_bytes(*b"C4ev");

/// Each migration updates a file to the next version, which the file's `user_version` records.
/// A released migration is never changed; new ones are added at the end.
const MIGRATIONS: &[M<'_>] = &[M::up(VERSION_1)];

/// An append-only log in the order of commits, and an index that finds the events of a stream.
///
/// There is one writer and no deletion. So positions increase in the order in which events
/// become visible, and no position is used twice. Streams are numbered in the order in which
/// they begin. So the streams that are written to at the same time are next to each other in
/// the index, and a commit changes few pages.
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

/// The latest version that this program supports.
fn known_version() -> u32 {
    MIGRATIONS.len().try_into().unwrap_or(u32::MAX)
}

/// Refuses a file that is not an event store of this program, or is of a later version.
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

/// Creates the tables in an empty database, or updates those of an older version.
///
/// Checks the kind of the database again, because the write-ahead log may be newer than the
/// header that was checked before.
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
    fn a_new_file_has_the_latest_version_and_our_application_id() {
        let mut connection = Connection::open_in_memory().expect("memory");
        migrate(Path::new("new.db"), &mut connection).expect("an empty database");
        let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, u32>(0));
        assert_eq!(pragma("application_id"), Ok(APPLICATION_ID));
        assert_eq!(pragma("user_version"), Ok(known_version()));
        migrate(Path::new("new.db"), &mut connection).expect("nothing to migrate");
    }

    /// An invented later version of the program adds a column to a file of this version.
    #[test]
    fn a_file_of_an_older_version_is_migrated_and_keeps_its_events() {
        let mut connection = Connection::open_in_memory().expect("memory");
        migrate(Path::new("old.db"), &mut connection).expect("a new database");
        connection
            .execute_batch(
                "INSERT INTO streams VALUES (1, 'game-1');
                 INSERT INTO events VALUES (1, 1, 0, x'00', 'Happened', x'', x'', 0);",
            )
            .expect("an event");
        let added = M::up("ALTER TABLE streams ADD COLUMN kind TEXT NOT NULL DEFAULT 'game';");
        let later = Migrations::new(MIGRATIONS.iter().cloned().chain([added]).collect());
        later.to_latest(&mut connection).expect("one migration");
        let kept = "SELECT name || kind FROM streams JOIN events ON stream = number";
        let kept = connection.query_row(kept, [], |row| row.get::<_, String>(0));
        assert_eq!(kept.as_deref(), Ok("game-1game"));
    }
}
