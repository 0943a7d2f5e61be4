//! Why a game could not be loaded.

use super::event_json::DecodeError;
use super::game_id::GameId;
use crate::domain::InvalidHistory;
use crate::event_store::{EventStoreError, StreamRevision};

/// Why a game could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The store did not answer with the game's events.
    #[error(transparent)]
    Store(#[from] EventStoreError),
    /// No game goes the way that the stream tells. It takes no moves until somebody has
    /// looked at it.
    #[error("game {game} is unreadable from revision {revision} on: {reason}")]
    Unreadable {
        /// The game.
        game: GameId,
        /// The first event that makes no sense.
        revision: StreamRevision,
        /// What is wrong with it.
        reason: UnreadableReason,
    },
}

/// What is wrong with a stored event.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableReason {
    /// It is no event of a game.
    #[error(transparent)]
    Undecodable(#[from] DecodeError),
    /// It cannot follow the events before it.
    #[error(transparent)]
    InvalidHistory(#[from] InvalidHistory),
    /// Events before it are missing: the stream was truncated.
    #[error("the events before it are missing")]
    Gap,
}
