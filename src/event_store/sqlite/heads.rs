//! Where streams end, remembered.

use quick_cache::sync::Cache;
use rusqlite::{Connection, OptionalExtension};

use super::values;
use crate::event_store::{StreamName, StreamRevision};

/// How many streams are remembered; the least used are forgotten. About ten megabytes.
const CAPACITY: usize = 65_536;

/// The end of a stream that has events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// What the database calls the stream.
    pub(super) number: i64,
    /// The revision of its last event.
    pub(super) last: StreamRevision,
}

/// The ends of the streams that were written to lately. What it says is true, not a guess: it
/// answers reads without asking the database.
///
/// The invariant: a head is here only while it is what the database says. The process has
/// the file to itself ([`FileLock`](crate::sqlite_file::FileLock)) and only the writer thread
/// changes heads: it takes a stream's head away before the commit that moves it and puts the
/// new one back after. In between, readers ask the database. A reader never puts one in,
/// because it could have been overtaken by a commit since it looked.
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

    /// `None` says nothing about the stream.
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

/// Where the stream ends, by the database; `None` when it is absent.
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
