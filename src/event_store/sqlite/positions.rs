//! What a position means. Positions count from 1 without a gap, so each one up to the last has an event,
//! or had one that was deleted.

use super::tombstone::is_tombstone;
use crate::event_store::{AtPosition, EventStoreError, GlobalPosition, RecordedEvent};

/// Refuses to read after a position at which no event was ever recorded.
pub(super) fn check_after(
    after: Option<GlobalPosition>,
    head: Option<GlobalPosition>,
) -> Result<(), EventStoreError> {
    match after {
        Some(position) if !is_counted(position) => {
            Err(EventStoreError::NoEventAtPosition { position })
        }
        Some(position) if Some(position) > head => {
            Err(EventStoreError::PositionBeyondHead { position })
        }
        Some(_) | None => Ok(()),
    }
}

/// What is recorded at the position, from the event that was found there.
pub(super) fn at(
    position: GlobalPosition,
    found: Option<RecordedEvent>,
    head: Option<GlobalPosition>,
) -> AtPosition {
    match found {
        Some(event) if !is_tombstone(event.revision) => AtPosition::Event(event),
        Some(_) => AtPosition::Removed,
        None if is_counted(position) && Some(position) <= head => AtPosition::Removed,
        None => AtPosition::Nothing,
    }
}

fn is_counted(position: GlobalPosition) -> bool {
    position.is_counted() && position.commit() > 0
}
