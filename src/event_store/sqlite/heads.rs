//! A cache of the last revisions of streams.

use quick_cache::sync::Cache;
use rusqlite::{Connection, OptionalExtension};

use super::values;
use crate::event_store::{StreamName, StreamRevision};

/// How many streams the cache holds; the least used are evicted. It takes about 10 MB.
const CAPACITY: usize = 65_536;

/// The end of a stream that has events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// The number of the stream in the database.
    pub(super) number: i64,
    /// The revision of its last event.
    pub(super) last: StreamRevision,
}

/// A cache of the ends of the streams that were written to recently. Reads are answered from it
/// without a query.
///
/// The invariant: a cached head is always the one in the database. No other process uses the
/// file ([`FileLock`](crate::sqlite_file::FileLock)), and only the writer thread changes the
/// cache. It removes the head of a stream before the commit that changes it, and inserts the
/// new head after the commit. In between, readers query the database. Readers never insert a
/// head, because a commit may have changed it since they read it.
#[derive(Debug)]
pub(super) struct Heads {
    known: Cache<StreamName, Head>,
}

impl Heads {
    pub(super) fn new() -> Heads {
        Heads {
            known: Cache::new(CAPACITY),
        }
    }

    /// `None` when the stream is not cached; it may or may not exist.
    pub(super) fn get(&self, stream: &StreamName) -> Option<Head> {
        self.known.get(stream)
    }

    pub(super) fn put(&self, stream: StreamName, head: Head) {
        self.known.insert(stream, head);
    }

    pub(super) fn forget(&self, stream: &StreamName) {
        self.known.remove(stream);
    }

    pub(super) fn forget_all(&self) {
        self.known.clear();
    }
}

/// Reads the end of the stream from the database; `None` when the stream does not exist.
pub(super) fn find_head(
    connection: &Connection,
    stream: &StreamName,
) -> rusqlite::Result<Option<Head>> {
    connection
        .prepare_cached(
            "SELECT stream, revision FROM events
             WHERE stream = (SELECT number FROM streams WHERE name = ?1)
             ORDER BY revision DESC LIMIT 1",
        )?
        .query_row([stream.as_str()], |row| {
            Ok(Head {
                number: row.get(0)?,
                last: values::revision(row, 1)?,
            })
        })
        .optional()
}
