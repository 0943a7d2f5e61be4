//! Whose events the tables were made of.

use std::sync::Arc;

use futures_util::StreamExt;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row};
use uuid::Uuid;

use super::database::{Database, ReadModelError};
use super::lists::{position_in, unsigned};
use super::progress::Progress;
use super::schema;
use crate::application::GAME_STREAM_PREFIX;
use crate::event_store::{
    EventStore, EventStoreError, GlobalPosition, StreamName, StreamRevision, SubscriptionMessage,
};

/// The first event that was applied, and the last.
struct Span {
    first: (Uuid, GlobalPosition),
    last: (StreamName, StreamRevision),
    /// The id does not suffice, since ids follow from the commands, nor does the position that
    /// a store reads from a stream have to be the one that its subscription told.
    last_id_and_time: (Uuid, i64),
}

/// Why the tables are not of the store's events.
#[derive(Debug, thiserror::Error)]
enum Mismatch {
    #[error("the first event of a game is another")]
    OtherEvents,
    #[error("the last event that was applied is not in the store")]
    LastIsGone,
}

/// Empties the tables if they are of other events than the store's: of another store's, or of
/// this one's before it was restored from a backup. Waits until the store answers.
pub(super) async fn ensure_same_events(
    database: &Arc<Database>,
    progress: &Progress,
    store: &dyn EventStore,
) -> Result<(), FollowError> {
    let Some(span) = database.read(span).await? else {
        return Ok(());
    };
    let Err(mismatch) = compare(&span, store).await? else {
        return Ok(());
    };
    tracing::warn!(
        store = store.location(),
        reason = %mismatch,
        "the read model is of other events; it is rebuilt: {mismatch}"
    );
    let database = database.clone();
    let cleared = tokio::task::spawn_blocking(move || schema::clear(&mut database.writer()));
    cleared
        .await
        .map_err(ReadModelError::from)?
        .map_err(ReadModelError::from)?;
    progress.show(None, 0);
    Ok(())
}

/// Why the events are not followed for the moment.
#[derive(Debug, thiserror::Error)]
pub(super) enum FollowError {
    #[error(transparent)]
    Store(#[from] EventStoreError),
    #[error(transparent)]
    ReadModel(#[from] ReadModelError),
    #[error("the store's subscription ended")]
    Ended,
}

async fn compare(span: &Span, store: &dyn EventStore) -> Result<Result<(), Mismatch>, FollowError> {
    // Where it was there may be none now, or another: the store was restored from a backup.
    let (stream, revision) = &span.last;
    let at_last = match store.read_stream(stream, *revision).await {
        Ok(slice) => slice.events.into_iter().next(),
        Err(EventStoreError::StreamDeleted { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let at_last = at_last.map(|event| (event.id, event.recorded_at.timestamp_micros()));
    if at_last != Some(span.last_id_and_time) {
        return Ok(Err(Mismatch::LastIsGone));
    }
    let mut events = store.subscribe_all(GAME_STREAM_PREFIX, None);
    let first = match events.next().await {
        Some(SubscriptionMessage::Recorded(event)) => Some((event.id, event.position)),
        Some(
            SubscriptionMessage::CaughtUp
            | SubscriptionMessage::StreamTruncated(_)
            | SubscriptionMessage::Disconnected,
        ) => None,
        None => return Err(FollowError::Ended),
    };
    Ok(match first == Some(span.first) {
        true => Ok(()),
        false => Err(Mismatch::OtherEvents),
    })
}

/// What was applied; `None` when nothing was.
fn span(connection: &Connection) -> rusqlite::Result<Option<Span>> {
    let select = "SELECT first_event, first_position, last_event, last_time, last_stream,
                         last_revision
                  FROM projection WHERE checkpoint IS NOT NULL";
    let read = |row: &Row<'_>| {
        let first_position = position_in(row, 1)?;
        let stream = StreamName::new(row.get::<_, String>(4)?).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(4, Type::Text, Box::new(error))
        })?;
        Ok(Span {
            first: (
                Uuid::from_bytes(row.get(0)?),
                first_position.ok_or(rusqlite::Error::QueryReturnedNoRows)?,
            ),
            last: (stream, StreamRevision::new(unsigned(row, 5)?)),
            last_id_and_time: (Uuid::from_bytes(row.get(2)?), row.get(3)?),
        })
    };
    connection.query_row(select, [], read).optional()
}
