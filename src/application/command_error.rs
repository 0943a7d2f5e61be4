//! Why a command was not carried out.

use super::game_repository::HistoricEvent;
use super::load_error::LoadError;
use crate::domain::{Command, Rejection};
use crate::event_store::{EventStoreError, StreamRevision};

/// An append did not find its stream at the expected revision.
#[derive(Debug, Clone, Copy)]
pub(super) struct LostRace {
    /// The revision of the stream; `None` if the store does not report it.
    pub(super) actual: Option<StreamRevision>,
}

/// Why a command was not carried out. Nothing was recorded, except perhaps if the store reports
/// that the outcome of the append is unknown.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// A rule of the game forbids the command.
    #[error("rejected at revision {revision:?}: {rejection}")]
    Rejected {
        /// The rule.
        rejection: Rejection,
        /// The revision of the game; `None` if the game does not exist.
        revision: Option<StreamRevision>,
    },
    /// The game is not at the revision that the client expects.
    #[error("the game is at revision {current:?}, which is not the one that the client expects")]
    PreconditionFailed {
        /// The current revision; `None` if the game does not exist.
        current: Option<StreamRevision>,
        /// The events that the client has not seen yet.
        missed: Vec<HistoricEvent>,
    },
    /// The command must state the expected revision, and does not.
    #[error("the client does not state an expected revision; the game is at {current:?}")]
    PreconditionRequired {
        /// The current revision.
        current: Option<StreamRevision>,
    },
    /// The game is protected, and the request has no token.
    #[error("the game is protected, and the request has no token")]
    TokenRequired,
    /// The game is protected, and the token belongs to neither player.
    #[error("the token belongs to neither player of the game")]
    InvalidToken,
    /// The token belongs to the other player.
    #[error("the token belongs to the other player")]
    NotYourSeat,
    /// The idempotency key was already used for another command.
    #[error("the idempotency key was already used for another command")]
    KeyReused {
        /// The command that it was used for.
        original: Command,
    },
    /// At every attempt, another append to the same stream came first.
    #[error("at every attempt, another append came first")]
    Contention,
    /// The game could not be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The store did not append the events, or it is unknown whether it did.
    #[error("decided on revision {decided_on:?}: {error}")]
    Append {
        /// The revision that the command was decided on; `None` if the game did not exist.
        decided_on: Option<StreamRevision>,
        /// The error of the store.
        error: EventStoreError,
    },
}

impl CommandError {
    /// The lost race, if this error is one: another append to the same stream came first.
    pub(super) fn lost_race(&self) -> Option<LostRace> {
        let CommandError::Append { error, .. } = self else {
            return None;
        };
        let EventStoreError::WrongExpectedRevision { actual, .. } = error else {
            return None;
        };
        Some(LostRace { actual: *actual })
    }
}
