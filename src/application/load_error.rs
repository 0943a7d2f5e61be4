//! Why a game could not be loaded.

use super::event_json::DecodeError;
use super::game_id::GameId;
use crate::domain::InvalidHistory;
use crate::event_store::{EventStoreError, StreamRevision};

/// Why a game could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The store did not return the events of the game.
    #[error(transparent)]
    Store(#[from] EventStoreError),
    /// The stored events are not a valid game. The game accepts no commands until somebody has
    /// repaired its stream.
    #[error("game {game}: from revision {revision} on, the stored events are not valid: {reason}")]
    Unreadable {
        /// The game.
        game: GameId,
        /// The revision of the first invalid event.
        revision: StreamRevision,
        /// Why the event is invalid.
        reason: UnreadableReason,
    },
}

/// Why a stored event is invalid.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableReason {
    /// It cannot be decoded as an event of a game.
    #[error(transparent)]
    Undecodable(#[from] DecodeError),
    /// It cannot follow the events before it.
    #[error(transparent)]
    InvalidHistory(#[from] InvalidHistory),
    /// Events before it are missing: the stream was truncated.
    #[error("the events before it are missing")]
    Gap,
}
