//! Tombstones: the rows that are left of deleted streams.
//!
//! A tombstone is a row in `events`, with a position of its own. So a subscription that resumes
//! before it learns of the deletion, and the positions of the deleted events are not used again. It
//! has the greatest revision, as in KurrentDB, so it is the last event of its stream.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::heads::find_head;
use super::values;
use crate::event_store::{
    EventStoreError, GlobalPosition, RecordedEvent, StreamName, StreamRevision, StreamSlice,
};

/// The revision of a tombstone.
pub(super) const REVISION: StreamRevision = StreamRevision::new(i64::MAX as u64);

const EVENT_TYPE: &str = "$streamDeleted";

/// Whether the stream whose last event has this revision was deleted.
pub(super) fn is_tombstone(last: StreamRevision) -> bool {
    last == REVISION
}

/// An error if the stream that was read was deleted.
pub(super) fn refuse_deleted(
    stream: &StreamName,
    slice: StreamSlice,
) -> Result<StreamSlice, EventStoreError> {
    match slice.last_revision.is_some_and(is_tombstone) {
        true => Err(EventStoreError::StreamDeleted {
            stream: stream.clone(),
        }),
        false => Ok(slice),
    }
}

/// Writes the tombstone, and deletes the events. Returns the tombstone; `None` when the stream has
/// one already. Must be called in a transaction.
pub(super) fn delete(
    connection: &Connection,
    stream: &StreamName,
    now: DateTime<Utc>,
) -> rusqlite::Result<Option<RecordedEvent>> {
    let number = match find_head(connection, stream)? {
        Some(head) if is_tombstone(head.last) => return Ok(None),
        Some(head) => head.number,
        None => connection
            .prepare_cached("INSERT INTO streams (name) VALUES (?1)")?
            .insert([stream.as_str()])?,
    };
    let id = Uuid::now_v7();
    let revision = values::to_sql(REVISION.number());
    let now_in_micros = now.timestamp_micros();
    // First: if it were written after the last event of the file is deleted, it would get that
    // event's position.
    let position = connection
        .prepare_cached(
            "INSERT INTO events (stream, revision, id, type, data, metadata, recorded_at)
             VALUES (?1, ?2, ?3, ?4, x'', x'', ?5)",
        )?
        .insert(params![
            number,
            revision,
            id.as_bytes(),
            EVENT_TYPE,
            now_in_micros
        ])?;
    connection.execute(
        "DELETE FROM events WHERE stream = ?1 AND revision < ?2",
        [number, revision],
    )?;
    connection.execute(
        "UPDATE streams SET deleted_at = ?2 WHERE number = ?1",
        [number, now_in_micros],
    )?;
    Ok(Some(RecordedEvent {
        id,
        stream: stream.clone(),
        revision: REVISION,
        position: GlobalPosition::counted(position.cast_unsigned()),
        event_type: EVENT_TYPE.into(),
        data: Bytes::new(),
        metadata: Bytes::new(),
        recorded_at: now,
    }))
}
