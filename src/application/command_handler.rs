//! Carries out commands: load, decide, append, and again when the race was lost.

use std::sync::Arc;

use super::game_id::GameId;
use super::game_stream::{GameStreams, LoadError, Loaded};
use crate::domain::{Command, MakeMove, Rejection, StartGame, decide};
use crate::event_store::{EventStoreError, StreamRevision};

/// How often a command is decided again after its append lost a race. A game has two
/// players, so the second decision is nearly always the last.
const DECISIONS_AFTER_A_LOST_RACE: usize = 5;

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
    /// Every append lost its race.
    #[error("lost {} races for the next revision", DECISIONS_AFTER_A_LOST_RACE + 1)]
    Contention,
    /// The game could not be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The store did not take the events.
    #[error(transparent)]
    Append(#[from] EventStoreError),
}

/// Turns commands into events of the games' streams.
#[derive(Debug)]
pub struct CommandHandler {
    games: Arc<GameStreams>,
}

impl CommandHandler {
    /// A handler for the games of this store.
    pub fn new(games: Arc<GameStreams>) -> CommandHandler {
        CommandHandler { games }
    }

    /// Starts a game under this id, and returns it.
    ///
    /// A new id needs no look at the store: that no stream has it is what the append
    /// expects, and a used id is found out by it.
    pub async fn start_game(
        &self,
        id: GameId,
        start: StartGame,
    ) -> Result<Arc<Loaded>, CommandError> {
        self.carry_out(id, Command::StartGame(start), Arc::default())
            .await
    }

    /// Makes a move, and returns the game after it.
    pub async fn make_move(
        &self,
        id: GameId,
        make_move: MakeMove,
    ) -> Result<Arc<Loaded>, CommandError> {
        let loaded = self.games.load(id).await?;
        self.carry_out(id, Command::MakeMove(make_move), loaded)
            .await
    }

    async fn carry_out(
        &self,
        id: GameId,
        command: Command,
        mut loaded: Arc<Loaded>,
    ) -> Result<Arc<Loaded>, CommandError> {
        for _ in 0..=DECISIONS_AFTER_A_LOST_RACE {
            let events =
                decide(&loaded.game, &command).map_err(|rejection| CommandError::Rejected {
                    rejection,
                    revision: loaded.revision,
                })?;
            match self.games.append(id, loaded, &command, events).await {
                Ok(handled) => return Ok(handled),
                Err(EventStoreError::WrongExpectedRevision { .. }) => {
                    loaded = self.games.load(id).await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(CommandError::Contention)
    }
}
