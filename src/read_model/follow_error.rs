//! Why the events are not followed for the moment.

use super::database::ReadModelError;
use crate::application::GameId;
use crate::event_store::EventStoreError;

/// Why the events are not followed for the moment.
#[derive(Debug, thiserror::Error)]
pub(super) enum FollowError {
    #[error(transparent)]
    Store(#[from] EventStoreError),
    #[error(transparent)]
    ReadModel(#[from] ReadModelError),
    #[error("the store does not answer")]
    Disconnected,
    #[error("the store's subscription ended")]
    Ended,
    #[error(transparent)]
    OtherStore(#[from] OtherStore),
    #[error("game {0}, which was deleted, is there again")]
    WholeAgain(GameId),
}

/// Why the store is not the one whose events were applied: it was restored from a backup, or
/// it is another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum OtherStore {
    #[error("where the last applied event was, there is another one")]
    AnotherEvent,
    #[error("where the last applied event was, there is none")]
    NoEvent,
}
