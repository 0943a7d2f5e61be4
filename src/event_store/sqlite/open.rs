//! Opens the connection that writes. A file that is in use, or is not an event store of this
//! program, is refused.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::open_error::SqliteOpenError;
use super::schema;
use crate::sqlite_file::{Claim, FileLock};

/// A locked database file with up-to-date tables, ready to be written to.
#[derive(Debug)]
pub(super) struct Database {
    pub(super) path: PathBuf,
    pub(super) lock: FileLock,
    pub(super) writer: Connection,
}

impl Database {
    /// Blocks on the disk.
    pub(super) fn open(path: &Path) -> Result<Database, SqliteOpenError> {
        let Claim { path, lock, kind } = Claim::stake(path, schema::APPLICATION_ID)?;
        schema::check_kind(&path, kind)?;
        let writer = open_writer(&path)?;
        Ok(Database { path, lock, writer })
    }
}

fn open_writer(path: &Path) -> Result<Connection, SqliteOpenError> {
    let failed = |source| SqliteOpenError::sqlite(path, source);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    // In case somebody opens the file with a database tool. Other processes of this program
    // cannot open it.
    connection
        .busy_timeout(Duration::from_secs(2))
        .map_err(failed)?;
    // Set before the tables are created, so that they are durable too.
    connection
        .pragma_update(None, "synchronous", "FULL")
        .map_err(failed)?;
    schema::migrate(path, &mut connection)?;
    let mode: String = connection
        .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))
        .map_err(failed)?;
    if mode != "wal" {
        return Err(SqliteOpenError::NoWriteAheadLog {
            path: path.to_owned(),
        });
    }
    connection
        .execute_batch(
            // A checkpoint after 16 MiB of write-ahead log instead of 4 MiB, because the writer
            // waits while a checkpoint syncs the database file. Not later: the log is then
            // overwritten from its start, and a sync after an overwrite takes about half as long as
            // one after the file has grown (measured on ext4). So the log is cut only if a few large
            // transactions have made it much larger. And a page cache of 64 MiB, so that the pages
            // that are changed often stay in memory. A deletion overwrites what it deletes; appends
            // delete nothing.
            "PRAGMA wal_autocheckpoint = 4096;
             PRAGMA journal_size_limit = 33554432;
             PRAGMA cache_size = -65536;
             PRAGMA secure_delete = ON;",
        )
        .map_err(failed)?;
    Ok(connection)
}
