//! Checks that the tables are complete, and that the store still contains the events that were
//! applied.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use super::database::Database;
use super::follow_error::{FollowError, OtherStore};
use super::queries::position_in;
use super::schema;
use crate::event_store::{AtPosition, EventStore, GlobalPosition};

/// The last event that was applied.
pub(super) struct LastApplied {
    position: GlobalPosition,
    /// The id alone is not enough. It is derived from the command, so a command that is repeated
    /// after a backup was restored writes an event with the same id.
    id_and_time: (Uuid, i64),
}

/// Looks up the last applied event at its position. If the event was deleted and scavenged, the
/// store counts as the same unless its head is before that position.
///
/// # Errors
///
/// When a table is missing, or the store does not answer. The store is asked even when nothing was
/// applied yet, so that `Ok` always means that it is reachable.
pub(super) async fn compare(
    database: Arc<Database>,
    store: Arc<dyn EventStore>,
) -> Result<Result<(), OtherStore>, FollowError> {
    if !database.read(schema::is_complete).await? {
        let reason = "a table, an index or the checkpoint is missing";
        return Err(FollowError::Damaged(reason.to_owned()));
    }
    let Some(last) = database.read(last_applied).await? else {
        store.check().await?;
        return Ok(Ok(()));
    };
    Ok(match store.event_at(last.position).await? {
        AtPosition::Event(event) => {
            let is_same = (event.id, event.recorded_at.timestamp_micros()) == last.id_and_time;
            is_same.then_some(()).ok_or(OtherStore::AnotherEvent)
        }
        AtPosition::Removed => {
            let is_behind = store.head().await? < Some(last.position);
            (!is_behind).then_some(()).ok_or(OtherStore::NoEvent)
        }
        AtPosition::Nothing => Err(OtherStore::NoEvent),
    })
}

/// `None` when nothing was applied yet.
pub(super) fn last_applied(connection: &Connection) -> rusqlite::Result<Option<LastApplied>> {
    let select = "SELECT checkpoint, last_event, last_time FROM projection
                  WHERE checkpoint IS NOT NULL";
    let read = |row: &Row<'_>| {
        Ok(LastApplied {
            position: position_in(row, 0)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?,
            id_and_time: (Uuid::from_bytes(row.get(1)?), row.get(2)?),
        })
    };
    connection.query_row(select, [], read).optional()
}

/// Sets the last event that counts as applied, which is the checkpoint.
pub(super) fn set_last_applied(
    connection: &Connection,
    last: Option<LastApplied>,
) -> rusqlite::Result<()> {
    if let Some(LastApplied {
        position,
        id_and_time: (id, time),
    }) = last
    {
        let update = "UPDATE projection SET checkpoint = ?1, last_event = ?2, last_time = ?3";
        connection.execute(update, params![position.to_string(), id.as_bytes(), time])?;
    }
    Ok(())
}
