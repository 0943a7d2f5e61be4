//! Reads. They do not wait for the writer. Each one gets a connection that is in a transaction.

use bytes::Bytes;
use chrono::DateTime;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use super::heads::find_head;
use super::{tombstone, values};
use crate::event_store::{GlobalPosition, RecordedEvent, StreamName, StreamRevision, StreamSlice};

/// The events of a stream from a revision to its end, and its last revision.
pub(super) fn read_stream(
    connection: &Connection,
    stream: &StreamName,
    from: StreamRevision,
) -> rusqlite::Result<StreamSlice> {
    let Some(head) = find_head(connection, stream)? else {
        return Ok(StreamSlice::default());
    };
    let mut slice = StreamSlice {
        events: Vec::new(),
        last_revision: Some(head.last),
    };
    if from <= head.last {
        slice.events = connection
            .prepare_cached(
                "SELECT position, revision, id, type, data, metadata, recorded_at
                 FROM events WHERE stream = ?1 AND revision >= ?2 ORDER BY revision",
            )?
            .query_map(params![head.number, values::to_sql(from.number())], |row| {
                recorded(row, stream.clone())
            })?
            .collect::<rusqlite::Result<_>>()?;
    }
    Ok(slice)
}

const SELECT: &str = "SELECT position, revision, id, type, data, metadata, recorded_at, name
     FROM events JOIN streams ON number = stream";

/// At most `limit` events after a position, of the streams whose names begin with the prefix.
/// Tombstones are left out.
pub(super) fn read_all(
    connection: &Connection,
    prefix: &str,
    after: Option<GlobalPosition>,
    limit: usize,
) -> rusqlite::Result<Vec<RecordedEvent>> {
    connection
        .prepare_cached(&format!(
            "{SELECT} WHERE position > ?1 AND substr(name, 1, length(?2)) = ?2 AND revision < ?4
             ORDER BY position LIMIT ?3"
        ))?
        .query_map(
            params![
                values_after(after),
                prefix,
                values::to_sql(limit as u64),
                values::to_sql(tombstone::REVISION.number()),
            ],
            recorded_in_any_stream,
        )?
        .collect()
}

/// At most `limit` events and tombstones after a position.
pub(super) fn read_log(
    connection: &Connection,
    after: Option<GlobalPosition>,
    limit: usize,
) -> rusqlite::Result<Vec<RecordedEvent>> {
    connection
        .prepare_cached(&format!(
            "{SELECT} WHERE position > ?1 ORDER BY position LIMIT ?2"
        ))?
        .query_map(
            params![values_after(after), values::to_sql(limit as u64)],
            recorded_in_any_stream,
        )?
        .collect()
}

/// At most `limit` first events of streams and tombstones after a position, and the position up to which
/// there are no others.
pub(super) fn read_beginnings(
    connection: &Connection,
    after: Option<GlobalPosition>,
    limit: usize,
) -> rusqlite::Result<(Vec<RecordedEvent>, Option<GlobalPosition>)> {
    let rows = connection
        .prepare_cached(&format!(
            "{SELECT} WHERE position > ?1 AND revision IN (0, ?2) ORDER BY position LIMIT ?3"
        ))?
        .query_map(
            params![
                values_after(after),
                values::to_sql(tombstone::REVISION.number()),
                values::to_sql(limit as u64)
            ],
            recorded_in_any_stream,
        )?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let reached = match rows.last() {
        Some(last) if rows.len() == limit => Some(last.position),
        Some(_) | None => last_position(connection)?,
    };
    Ok((rows, reached))
}

/// Positions count from 1.
fn values_after(after: Option<GlobalPosition>) -> i64 {
    after.map_or(0, |position| values::to_sql(position.commit()))
}

/// The event or the tombstone at exactly this position.
pub(super) fn event_at(
    connection: &Connection,
    position: GlobalPosition,
) -> rusqlite::Result<Option<RecordedEvent>> {
    let event = connection
        .prepare_cached(&format!("{SELECT} WHERE position = ?1"))?
        .query_row([values::to_sql(position.commit())], recorded_in_any_stream)
        .optional()?;
    Ok(event.filter(|event| event.position == position))
}

fn recorded_in_any_stream(row: &Row<'_>) -> rusqlite::Result<RecordedEvent> {
    let name = row.get_ref(7)?.as_str()?;
    let stream = StreamName::new(name).map_err(|error| damaged(7, Type::Text, error))?;
    recorded(row, stream)
}

/// The position of the latest event.
pub(super) fn last_position(connection: &Connection) -> rusqlite::Result<Option<GlobalPosition>> {
    let last = "SELECT position FROM events ORDER BY position DESC LIMIT 1";
    connection
        .query_row(last, [], |row| values::position(row, 0))
        .optional()
}

fn recorded(row: &Row<'_>, stream: StreamName) -> rusqlite::Result<RecordedEvent> {
    let bytes = |column| -> rusqlite::Result<Bytes> {
        Ok(Bytes::copy_from_slice(row.get_ref(column)?.as_blob()?))
    };
    let recorded_at = DateTime::from_timestamp_micros(row.get(6)?)
        .ok_or_else(|| damaged(6, Type::Integer, TimeOutOfRange))?;
    Ok(RecordedEvent {
        id: Uuid::from_bytes(row.get(2)?),
        stream,
        revision: values::revision(row, 1)?,
        position: values::position(row, 0)?,
        event_type: row.get::<_, String>(3)?.into(),
        data: bytes(4)?,
        metadata: bytes(5)?,
        recorded_at,
    })
}

#[derive(Debug, thiserror::Error)]
#[error("the time is out of range")]
struct TimeOutOfRange;

fn damaged(
    column: usize,
    kind: Type,
    error: impl std::error::Error + Send + Sync + 'static,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, kind, Box::new(error))
}
