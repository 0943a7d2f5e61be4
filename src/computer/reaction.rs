//! The reaction to one game: load it, decide on a move, make the move.

use std::sync::Arc;

use super::player::ComputerPlayer;
use super::thinkers::{NoChoice, Thinkers};
use crate::application::{
    Authority, CommandError, CommandHandler, CommandOptions, GameAtRevision, GameId,
    GameRepository, LoadError, Precondition, Revisions,
};
use crate::domain::{Column, Game, InProgress, MakeMove};
use crate::event_store::{EventStoreError, StreamRevision};
use crate::panics::Panicked;

/// What a reaction needs.
#[derive(Debug)]
pub(super) struct Reaction {
    pub(super) computer: ComputerPlayer,
    pub(super) games: Arc<GameRepository>,
    pub(super) commands: Arc<CommandHandler>,
    pub(super) thinkers: Thinkers,
}

/// The result of a reaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reacted {
    /// It is not the computer's turn.
    NothingToDo {
        /// The revision that was loaded.
        at: StreamRevision,
    },
    /// The computer's move is stored. If another replica had already stored the same move, this one
    /// stored nothing.
    Moved {
        /// The revision of the last event that the move caused.
        at: StreamRevision,
        /// Whether the move was already stored.
        is_repeated: bool,
    },
    /// Another event came first, so the decision was dropped. If it is still or again the computer's
    /// turn, that event leads to the next reaction.
    LostRace {
        /// The revision that was decided on.
        at: StreamRevision,
    },
    /// The game has ended or was deleted. No more reactions are needed.
    Over,
}

/// Why a reaction has to be tried again.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Load(LoadError),
    #[error(transparent)]
    Command(CommandError),
    #[error(transparent)]
    NoChoice(#[from] NoChoice),
    /// The subscription delivered an event that a read does not return yet: a replica of the
    /// database may be behind.
    #[error("the events of the game cannot be read yet")]
    Behind,
    #[error("the event store or the solver did not answer in time")]
    TooLate,
    #[error(transparent)]
    Panicked(#[from] Panicked),
}

impl Failure {
    /// The label of the metric.
    pub(super) fn label(&self) -> &'static str {
        match self {
            Failure::Load(LoadError::Unreadable { .. })
            | Failure::Command(CommandError::Load(LoadError::Unreadable { .. })) => "unreadable",
            Failure::Load(_) | Failure::Command(_) | Failure::Behind => "store",
            Failure::NoChoice(NoChoice::QueueFull) => "queue-full",
            Failure::NoChoice(NoChoice::Ended | NoChoice::Panicked(_)) | Failure::Panicked(_) => {
                "defect"
            }
            Failure::TooLate => "timeout",
        }
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Failure {
        Failure::Load(error)
    }
}

impl Reaction {
    /// Makes the computer's move if it is its turn. `known` is the latest revision that the
    /// subscription has delivered.
    ///
    /// It always looks at the current game, never at the event that called for it. So it does no
    /// harm to call it too often: when history is replayed, or when another replica was faster.
    pub(super) async fn react(
        &self,
        id: GameId,
        known: Option<StreamRevision>,
    ) -> Result<Reacted, Failure> {
        let loaded = match self.games.load(id).await {
            Err(LoadError::Store(EventStoreError::StreamDeleted { .. })) => {
                return Ok(Reacted::Over);
            }
            loaded => loaded?,
        };
        let Some(at) = loaded.revision.filter(|at| Some(*at) >= known) else {
            return Err(Failure::Behind);
        };
        let game = match &loaded.game {
            Game::InProgress(game) => game,
            Game::Finished(_) => return Ok(Reacted::Over),
            Game::NotStarted => return Ok(Reacted::NothingToDo { at }),
        };
        let player = game.players.on(game.next);
        if !self.computer.is(player) || !self.computer.plays_in(&game.players) {
            return Ok(Reacted::NothingToDo { at });
        }
        match self.choose(game).await? {
            Some(column) => self.make_move(id, &loaded, game, at, column).await,
            // The board is decided, and the event that ends the game is not stored yet. That event
            // can only come from another program.
            None => Ok(Reacted::NothingToDo { at }),
        }
    }

    async fn choose(&self, game: &InProgress) -> Result<Option<Column>, NoChoice> {
        let effort = self.computer.level.effort();
        let choice = self
            .thinkers
            .choose(game.board, game.next.disc(), effort)
            .await?;
        Ok(choice.map(|choice| choice.column))
    }

    /// Expects the revision that was decided on. The event ids are derived from the move and this
    /// revision, so a move that is already stored is not stored again.
    async fn make_move(
        &self,
        id: GameId,
        loaded: &GameAtRevision,
        game: &InProgress,
        at: StreamRevision,
        column: Column,
    ) -> Result<Reacted, Failure> {
        let player = game.players.on(game.next).clone();
        let options = CommandOptions {
            precondition: Precondition {
                at: Some(Revisions::Listed(vec![at])),
                expected: loaded.revision,
                ..Precondition::default()
            },
            authority: Authority::Player(player.clone()),
            ..CommandOptions::default()
        };
        let made = self
            .commands
            .make_move(id, MakeMove { player, column }, &options);
        match made.await {
            Ok(handled) => Ok(match (&handled.game.game, handled.game.revision) {
                (Game::Finished(_), _) => Reacted::Over,
                (Game::InProgress(_) | Game::NotStarted, revision) => Reacted::Moved {
                    at: revision.unwrap_or(at),
                    is_repeated: handled.is_repeated,
                },
            }),
            Err(CommandError::PreconditionFailed { .. }) => Ok(Reacted::LostRace { at }),
            Err(
                CommandError::Load(LoadError::Store(EventStoreError::StreamDeleted { .. }))
                | CommandError::Append {
                    error: EventStoreError::StreamDeleted { .. },
                    ..
                },
            ) => Ok(Reacted::Over),
            Err(error) => Err(Failure::Command(error)),
        }
    }
}
