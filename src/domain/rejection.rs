//! Why a command was refused: one variant for each rule.

use super::board::Column;
use super::event::GameResult;
use super::player::{PlayerName, Players};

/// The rule that a command would break, with the data that a player needs to correct it.
///
/// A rejection is not an event: nothing is recorded, and the same command may be accepted later.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// A game can be started only once.
    #[error("the game was already started")]
    GameAlreadyStarted {
        /// The players of the game.
        players: Players,
    },
    /// A move needs a started game.
    #[error("the game has not been started")]
    GameNotStarted,
    /// A finished game accepts no more moves.
    #[error("the game is finished")]
    GameFinished {
        /// The result of the game.
        result: GameResult,
    },
    /// Only the two players of a game can move in it.
    #[error("{player} does not play in this game")]
    PlayerNotInGame {
        /// The player named in the command.
        player: PlayerName,
        /// The players of the game.
        players: Players,
    },
    /// Players move in turns.
    #[error("it is {next_player}'s turn")]
    NotYourTurn {
        /// The player whose turn it is.
        next_player: PlayerName,
    },
    /// A column has room for six discs.
    #[error("column {column} is full")]
    ColumnFull {
        /// The full column.
        column: Column,
        /// The columns that are not full.
        legal_columns: Vec<Column>,
    },
}
