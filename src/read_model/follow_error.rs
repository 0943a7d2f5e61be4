//! Why the projector stopped following the store.

use super::database::ReadModelError;
use super::open::OpenReadModelError;
use crate::application::GameId;
use crate::event_store::EventStoreError;
use crate::panics::Panicked;

/// Why the projector stopped following the store. It tries again.
#[derive(Debug, thiserror::Error)]
pub(super) enum FollowError {
    #[error(transparent)]
    Store(#[from] EventStoreError),
    #[error(transparent)]
    ReadModel(#[from] ReadModelError),
    #[error("the read model is damaged: {0}")]
    Damaged(String),
    #[error(transparent)]
    Reopen(#[from] OpenReadModelError),
    #[error("{0}")]
    Panicked(#[from] Panicked),
    #[error("the store does not answer")]
    Disconnected,
    #[error("the store's subscription ended")]
    Ended,
    #[error(transparent)]
    OtherStore(#[from] OtherStore),
    #[error("game {0} was deleted, but its events exist again")]
    Undeleted(GameId),
}

/// Why this store does not contain the events that were applied: it was restored from a backup, or
/// it is another store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum OtherStore {
    #[error("there is another event at the position of the last applied event")]
    AnotherEvent,
    #[error("there is no event at the position of the last applied event")]
    NoEvent,
}

impl FollowError {
    /// Whether the file has to be discarded before the projector can go on.
    pub(super) fn is_damage(&self) -> bool {
        match self {
            FollowError::Damaged(_)
            | FollowError::ReadModel(ReadModelError::Damaged(_) | ReadModelError::Closed) => true,
            FollowError::ReadModel(ReadModelError::Sqlite(_) | ReadModelError::Interrupted(_))
            | FollowError::Store(_)
            | FollowError::Reopen(_)
            | FollowError::Panicked(_)
            | FollowError::Disconnected
            | FollowError::Ended
            | FollowError::OtherStore(_)
            | FollowError::Undeleted(_) => false,
        }
    }
}
