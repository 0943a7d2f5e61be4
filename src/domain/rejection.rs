//! Why a command was refused: one variant for each rule that can be broken.

use super::board::Column;
use super::event::GameResult;
use super::player::{PlayerName, Players};

/// The rule that a command would have broken, with what the player needs to go on.
///
/// A refusal is no event: nothing is recorded, and the same command may be accepted later.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// A game starts once.
    #[error("the game was already started")]
    GameAlreadyStarted {
        /// Who plays it.
        players: Players,
    },
    /// A move needs a game that was started.
    #[error("the game has not been started")]
    GameNotStarted,
    /// A finished game takes no more moves.
    #[error("the game is finished")]
    GameFinished {
        /// How it ended.
        result: GameResult,
    },
    /// Only the two players of a game move in it.
    #[error("{player} does not play in this game")]
    PlayerNotInGame {
        /// The stranger.
        player: PlayerName,
        /// Who plays.
        players: Players,
    },
    /// Players move in turns.
    #[error("it is {next_player}'s turn")]
    NotYourTurn {
        /// Whose turn it is.
        next_player: PlayerName,
    },
    /// A column takes six discs.
    #[error("column {column} is full")]
    ColumnFull {
        /// The full column.
        column: Column,
        /// The columns that still take a disc.
        legal_columns: Vec<Column>,
    },
}
