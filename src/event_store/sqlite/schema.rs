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
const MIGRATIONS: &[M<'_>] = &[M::up(VERSION_1), M::up(VERSION_2)];

/// An append-only log in the order of commits, and an index that finds the events of a stream.
///
/// There is one writer, and the last row is never deleted. So positions increase in the order in
/// which events become visible, and no position is used twice. Streams are numbered in the order in which
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

/// A deleted stream has one row in `events`: its tombstone, at the greatest revision
/// ([`tombstone`](super::tombstone)). The tables are the same as before. The version is new because
/// an older program would take the tombstone for an event, and must refuse the file.
const VERSION_2: &str = "
    -- When the stream was deleted: microseconds since 1970 in UTC.
    ALTER TABLE streams ADD COLUMN deleted_at INTEGER;
";

/// The latest version that a program with these migrations supports.
fn known_version(migrations: &[M<'_>]) -> u32 {
    migrations.len().try_into().unwrap_or(u32::MAX)
}

/// Refuses a file that is not an event store of this program, or is of a later version.
pub(super) fn check_kind(path: &Path, kind: Kind) -> Result<(), SqliteOpenError> {
    check_kind_for(path, kind, known_version(MIGRATIONS))
}

fn check_kind_for(path: &Path, kind: Kind, known: u32) -> Result<(), SqliteOpenError> {
    let path = path.to_owned();
    match kind {
        Kind::Empty => Ok(()),
        Kind::Ours { version } if version <= known => Ok(()),
        Kind::Ours { version } => Err(SqliteOpenError::NewerSchema {
            path,
            found: version,
            known,
        }),
        Kind::Foreign | Kind::Unmarked => Err(SqliteOpenError::Foreign { path }),
        Kind::NotADatabase => Err(SqliteOpenError::NotADatabase { path }),
    }
}

/// Creates the tables in an empty database, or updates those of an older version.
///
/// Checks the kind of the database again, because the write-ahead log may be newer than the
/// header that was checked before.
pub(super) fn migrate(path: &Path, connection: &mut Connection) -> Result<(), SqliteOpenError> {
    migrate_with(MIGRATIONS, path, connection)
}

/// Checks that the tables are those of this version, without changing anything.
pub(super) fn check_tables(
    path: &Path,
    connection: &Connection,
) -> rusqlite::Result<Result<(), SqliteOpenError>> {
    let known = known_version(MIGRATIONS);
    let kind = match kind_of(connection)? {
        Kind::Ours { version } if version < known => {
            return Ok(Err(SqliteOpenError::OlderSchema {
                path: path.to_owned(),
                found: version,
                known,
            }));
        }
        // It may become a store, but there is nothing to read in it.
        Kind::Empty => Kind::NotADatabase,
        kind @ (Kind::Ours { .. } | Kind::Foreign | Kind::Unmarked | Kind::NotADatabase) => kind,
    };
    Ok(check_kind_for(path, kind, known))
}

/// The kind of an open database.
fn kind_of(connection: &Connection) -> rusqlite::Result<Kind> {
    let is_empty = connection.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| {
        row.get(0)
    })?;
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get(0));
    Ok(if is_empty {
        Kind::Empty
    } else if pragma("application_id")? == APPLICATION_ID {
        let version = pragma("user_version")?;
        Kind::Ours { version }
    } else {
        Kind::Foreign
    })
}

/// If a migration fails, the file keeps the version that it had.
fn migrate_with(
    migrations: &[M<'_>],
    path: &Path,
    connection: &mut Connection,
) -> Result<(), SqliteOpenError> {
    let failed = |source| SqliteOpenError::sqlite(path, source);
    let kind = kind_of(connection).map_err(failed)?;
    check_kind_for(path, kind, known_version(migrations))?;
    Migrations::from_slice(migrations)
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
    use super::super::reader;
    use super::*;
    use crate::event_store::{StreamName, StreamRevision};

    #[test]
    fn a_new_file_has_the_latest_version_and_our_application_id() {
        let mut connection = Connection::open_in_memory().expect("memory");
        migrate(Path::new("new.db"), &mut connection).expect("an empty database");
        let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, u32>(0));
        assert_eq!(pragma("application_id"), Ok(APPLICATION_ID));
        assert_eq!(pragma("user_version"), Ok(known_version(MIGRATIONS)));
        migrate(Path::new("new.db"), &mut connection).expect("nothing to migrate");
    }

    /// Tables of an invented version before the first one. It did not store metadata and named its
    /// column for the data otherwise.
    const OLDER: &str = "
        CREATE TABLE streams (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
        CREATE TABLE events (
            position    INTEGER PRIMARY KEY,
            stream      INTEGER NOT NULL,
            revision    INTEGER NOT NULL,
            id          BLOB NOT NULL,
            type        TEXT NOT NULL,
            body        BLOB NOT NULL,
            recorded_at INTEGER NOT NULL,
            UNIQUE (stream, revision)
        ) STRICT;
        PRAGMA application_id = 1127507318;";

    const TO_THE_TABLES_OF_TODAY: &str = "
        ALTER TABLE events RENAME COLUMN body TO data;
        ALTER TABLE events ADD COLUMN metadata BLOB NOT NULL DEFAULT x'';";

    const TWO_EVENTS: &str = "
        INSERT INTO streams VALUES (1, 'game-1');
        INSERT INTO events VALUES (1, 1, 0, x'00112233445566778899aabbccddeeff', 'Began', x'61', 5);
        INSERT INTO events VALUES (2, 1, 1, x'ff112233445566778899aabbccddeeff', 'Ended', x'62', 6);";

    /// A file of the invented older version with two events, and its path.
    fn older_file(directory: &tempfile::TempDir) -> std::path::PathBuf {
        let path = directory.path().join("events.db");
        let mut older = Connection::open(&path).expect("a new file");
        migrate_with(&[M::up(OLDER)], &path, &mut older).expect("an empty database");
        older.execute_batch(TWO_EVENTS).expect("its tables");
        path
    }

    fn version(connection: &Connection) -> u32 {
        let version = connection.pragma_query_value(None, "user_version", |row| row.get(0));
        version.expect("a version")
    }

    #[test]
    fn a_file_of_an_older_version_is_migrated_and_its_events_can_be_read() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = older_file(&directory);
        let migrations = [M::up(OLDER), M::up(TO_THE_TABLES_OF_TODAY)];
        for _ in 0..2 {
            let mut connection = Connection::open(&path).expect("a database");
            migrate_with(&migrations, &path, &mut connection).expect("one migration, then none");
            assert_eq!(version(&connection), 2);
            let stream = StreamName::new("game-1").expect("it is not empty");
            let slice = reader::read_stream(&connection, &stream, StreamRevision::FIRST);
            let events = slice.expect("the tables of today").events;
            let read: Vec<_> = events
                .iter()
                .map(|event| (&*event.event_type, &event.data[..], &event.metadata[..]))
                .collect();
            assert_eq!(read, [("Began", &b"a"[..], &b""[..]), ("Ended", b"b", b"")]);
        }
    }

    #[test]
    fn a_program_of_the_older_version_refuses_a_migrated_file() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = older_file(&directory);
        let mut connection = Connection::open(&path).expect("a database");
        let migrations = [M::up(OLDER), M::up(TO_THE_TABLES_OF_TODAY)];
        migrate_with(&migrations, &path, &mut connection).expect("one migration");
        let refused = migrate_with(&[M::up(OLDER)], &path, &mut connection);
        assert!(matches!(
            refused,
            Err(SqliteOpenError::NewerSchema {
                found: 2,
                known: 1,
                ..
            })
        ));
    }

    #[test]
    fn a_migration_that_fails_leaves_the_file_as_it_was() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = older_file(&directory);
        let mut connection = Connection::open(&path).expect("a database");
        let half = "ALTER TABLE events RENAME COLUMN body TO data; INSERT INTO missing VALUES (1);";
        migrate_with(&[M::up(OLDER), M::up(half)], &path, &mut connection)
            .expect_err("a table is missing");
        assert_eq!(version(&connection), 1);
        let kept = connection.query_row("SELECT count(body) FROM events", [], |row| row.get(0));
        assert_eq!(kept, Ok(2));
    }

    /// A file of today's version, opened by an invented later version of the program.
    #[test]
    fn a_file_of_this_version_is_migrated_by_a_later_program_and_keeps_its_events() {
        let mut connection = Connection::open_in_memory().expect("memory");
        migrate(Path::new("old.db"), &mut connection).expect("a new database");
        connection
            .execute_batch(
                "INSERT INTO streams (number, name) VALUES (1, 'game-1');
                 INSERT INTO events VALUES (1, 1, 0, x'00', 'Happened', x'', x'', 0);",
            )
            .expect("an event");
        let added = M::up("ALTER TABLE streams ADD COLUMN kind TEXT NOT NULL DEFAULT 'game';");
        let later: Vec<_> = MIGRATIONS.iter().cloned().chain([added]).collect();
        migrate_with(&later, Path::new("old.db"), &mut connection).expect("one migration");
        let kept = "SELECT name || kind FROM streams JOIN events ON stream = number";
        let kept = connection.query_row(kept, [], |row| row.get::<_, String>(0));
        assert_eq!(kept.as_deref(), Ok("game-1game"));
    }
}
