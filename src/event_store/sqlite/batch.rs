//! The appends of one transaction. Each one is checked against the stream as the appends before
//! it in the same transaction left it.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rusqlite::{CachedStatement, Connection, params};
use uuid::Uuid;

use super::append::{Answer, Append};
use super::heads::{Head, Heads, find_head};
use super::tail::Stored;
use super::tombstone::is_tombstone;
use super::values;
use crate::event_store::append_check::{AppendCheck, check_append};
use crate::event_store::{
    Appended, EventStoreError, GlobalPosition, NewEvent, StreamName, StreamRevision,
};

/// A transaction to which appends are added.
pub(super) struct Batch<'c, 'a> {
    connection: &'c Connection,
    insert: CachedStatement<'c>,
    heads: &'c Heads,
    /// The streams that this batch appends to, and their ends if it is committed.
    new_heads: HashMap<&'a StreamName, Head>,
    stored: Vec<Stored>,
    /// The same time for all events of the batch, because they become visible together.
    recorded_at: DateTime<Utc>,
}

/// The effects of a batch if it is committed.
#[derive(Debug)]
pub(super) struct BatchResult<'a> {
    /// The streams that it appended to, and their new ends.
    pub(super) new_heads: HashMap<&'a StreamName, Head>,
    /// The appends that it stored, in their order.
    pub(super) stored: Vec<Stored>,
    /// The recording time of all its events.
    pub(super) recorded_at: DateTime<Utc>,
}

impl<'c, 'a> Batch<'c, 'a> {
    /// `connection` must be in a transaction.
    pub(super) fn new(
        connection: &'c Connection,
        heads: &'c Heads,
    ) -> rusqlite::Result<Batch<'c, 'a>> {
        let insert = connection.prepare_cached(
            "INSERT INTO events (stream, revision, id, type, data, metadata, recorded_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        Ok(Batch {
            connection,
            insert,
            heads,
            new_heads: HashMap::new(),
            stored: Vec::new(),
            recorded_at: Utc::now(),
        })
    }

    pub(super) fn finish(self) -> BatchResult<'a> {
        BatchResult {
            new_heads: self.new_heads,
            stored: self.stored,
            recorded_at: self.recorded_at,
        }
    }

    /// The answer is valid only if the batch is committed. An outer error fails the whole batch,
    /// not only this append. `index` is the number of the append in the batch.
    pub(super) fn append(&mut self, index: usize, append: &'a Append) -> rusqlite::Result<Answer> {
        let stream = &append.stream;
        let head = self.head(stream)?;
        if head.is_some_and(|head| is_tombstone(head.last)) {
            return Ok(Err(EventStoreError::StreamDeleted {
                stream: stream.clone(),
            }));
        }
        let actual = head.map(|head| head.last);
        let ids = append.events.iter().map(|event| event.id);
        // Checked before anything is inserted, so that a conflict leaves nothing to undo.
        let check = check_append(append.expected, actual, ids, |revision| {
            self.stored(stream, revision).map(|(id, _)| id)
        })?;
        match check {
            AppendCheck::Store => {
                let number = match head {
                    Some(head) => head.number,
                    None => self.begin_stream(stream)?,
                };
                let first = append.expected.first_appended();
                let last = self.insert(number, first, &append.events)?;
                let head = Head {
                    number,
                    last: last.revision,
                };
                self.new_heads.insert(stream, head);
                self.stored.push(Stored {
                    append: index,
                    first_revision: first,
                    last_position: last.position,
                });
                Ok(Ok(last))
            }
            AppendCheck::AlreadyStored(revision) => {
                let (_, position) = self.stored(stream, revision)?;
                Ok(Ok(Appended {
                    revision,
                    position,
                    is_repetition: true,
                }))
            }
            AppendCheck::Conflict => Ok(Err(EventStoreError::WrongExpectedRevision {
                stream: stream.clone(),
                expected: append.expected,
                actual,
            })),
        }
    }

    fn head(&self, stream: &StreamName) -> rusqlite::Result<Option<Head>> {
        let moved = self.new_heads.get(stream).copied();
        match moved.or_else(|| self.heads.get(stream)) {
            Some(head) => Ok(Some(head)),
            None => find_head(self.connection, stream),
        }
    }

    fn begin_stream(&self, stream: &StreamName) -> rusqlite::Result<i64> {
        self.connection
            .prepare_cached("INSERT INTO streams (name) VALUES (?1)")?
            .insert([stream.as_str()])
    }

    fn insert(
        &mut self,
        stream: i64,
        first: StreamRevision,
        events: &[NewEvent],
    ) -> rusqlite::Result<Appended> {
        let recorded_at = self.recorded_at.timestamp_micros();
        let mut last = Appended {
            revision: first,
            position: GlobalPosition::counted(0),
            is_repetition: false,
        };
        for (offset, event) in (0..).zip(events) {
            last.revision = first.plus(offset);
            let position = self.insert.insert(params![
                stream,
                values::to_sql(last.revision.number()),
                event.id.as_bytes(),
                &*event.event_type,
                &event.data[..],
                &event.metadata[..],
                recorded_at,
            ])?;
            last.position = GlobalPosition::counted(position.cast_unsigned());
        }
        Ok(last)
    }

    /// The id and the position of an event of the stream. The event must exist.
    fn stored(
        &self,
        stream: &StreamName,
        revision: StreamRevision,
    ) -> rusqlite::Result<(Uuid, GlobalPosition)> {
        self.connection
            .prepare_cached(
                "SELECT id, position FROM events
                 WHERE stream = (SELECT number FROM streams WHERE name = ?1) AND revision = ?2",
            )?
            .query_row(
                params![stream.as_str(), values::to_sql(revision.number())],
                |row| {
                    let id = Uuid::from_bytes(row.get(0)?);
                    Ok((id, values::position(row, 1)?))
                },
            )
    }
}
