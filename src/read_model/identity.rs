//! Whose events the tables were made of.

use futures_util::StreamExt;
use rusqlite::Connection;
use uuid::Uuid;

use super::database::{Database, ReadModelError};
use super::lists::position_in;
use super::progress::Progress;
use super::schema;
use crate::application::GAME_STREAM_PREFIX;
use crate::event_store::{EventStore, GlobalPosition, SubscriptionMessage};
use std::sync::Arc;

/// The first event that was applied, and the last.
struct Span {
    first: (Uuid, GlobalPosition),
    last: GlobalPosition,
}

/// Why the tables are not of the store's events.
#[derive(Debug, thiserror::Error)]
enum Mismatch {
    #[error("the first event of a game is another")]
    OtherEvents,
    #[error("the store ends at {head:?}, before the last event that was applied")]
    EndsEarlier { head: Option<GlobalPosition> },
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
    Store(#[from] crate::event_store::EventStoreError),
    #[error(transparent)]
    ReadModel(#[from] ReadModelError),
    #[error("the store's subscription ended")]
    Ended,
}

async fn compare(span: &Span, store: &dyn EventStore) -> Result<Result<(), Mismatch>, FollowError> {
    let head = store.head().await?;
    if head < Some(span.last) {
        return Ok(Err(Mismatch::EndsEarlier { head }));
    }
    let mut events = store.subscribe_all(GAME_STREAM_PREFIX, None);
    let first = match events.next().await {
        Some(SubscriptionMessage::Recorded(event)) => Some((event.id, event.position)),
        Some(SubscriptionMessage::CaughtUp) => None,
        None => return Err(FollowError::Ended),
    };
    Ok(match first == Some(span.first) {
        true => Ok(()),
        false => Err(Mismatch::OtherEvents),
    })
}

/// What was applied; `None` when nothing was.
fn span(connection: &Connection) -> rusqlite::Result<Option<Span>> {
    let select = "SELECT first_event, first_position, checkpoint FROM projection";
    connection.query_row(select, [], |row| {
        let first: Option<[u8; 16]> = row.get(0)?;
        let (first_position, last) = (position_in(row, 1)?, position_in(row, 2)?);
        Ok(first
            .zip(first_position)
            .zip(last)
            .map(|((id, at), last)| Span {
                first: (Uuid::from_bytes(id), at),
                last,
            }))
    })
}
