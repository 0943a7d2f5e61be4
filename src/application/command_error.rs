//! Why a command was not carried out.

use super::game_repository::HistoricEvent;
use super::load_error::LoadError;
use crate::domain::{Command, Rejection};
use crate::event_store::{EventStoreError, StreamRevision};

/// An append found its stream elsewhere.
#[derive(Debug, Clone, Copy)]
pub(super) struct LostRace {
    /// Where it is; `None` when the store did not tell.
    pub(super) actual: Option<StreamRevision>,
}

/// Why a command was not carried out. Nothing was recorded, unless the store says that it
/// does not know.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// A rule said no.
    #[error("rejected at revision {revision:?}: {rejection}")]
    Rejected {
        /// The rule.
        rejection: Rejection,
        /// Where the game stood; `None` when there is none.
        revision: Option<StreamRevision>,
    },
    /// The game is not where the client expects it.
    #[error("at revision {current:?}, where the client does not expect it")]
    PreconditionFailed {
        /// Where the game is; `None` when there is none.
        current: Option<StreamRevision>,
        /// The events that the client has not seen.
        missed: Vec<HistoricEvent>,
    },
    /// A move has to say which revision it was decided on.
    #[error("at revision {current:?}, and the client does not say where it expects it")]
    PreconditionRequired {
        /// Where the game is.
        current: Option<StreamRevision>,
    },
    /// The key was used for something else.
    #[error("the idempotency key was used before")]
    KeyReused {
        /// What it was used for.
        original: Command,
    },
    /// Every append lost its race.
    #[error("every append lost a race for the next revision")]
    Contention,
    /// The game could not be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The store did not take the events, or does not know whether it did.
    #[error("decided on revision {decided_on:?}: {error}")]
    Append {
        /// Where the game was that the command was decided on; `None` when there was none.
        decided_on: Option<StreamRevision>,
        /// What the store says.
        error: EventStoreError,
    },
}

impl CommandError {
    /// When an append lost its race: where its stream is, as far as the store told.
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
