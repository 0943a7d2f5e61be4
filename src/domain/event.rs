//! What happened in a game. Events are stored for ever, with the tutorial's names.

use serde::{Deserialize, Serialize};

use super::board::{Column, Disc};
use super::player::{PlayerName, Side};

/// Something that happened in a game.
///
/// The stream of a game contains no other event types: the tutorial's reader raises an error on
/// an unknown type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GameEvent {
    /// A game between two players started.
    GameStarted {
        /// The player with the yellow discs, who moves first.
        player_one: PlayerName,
        /// The player with the red discs.
        player_two: PlayerName,
    },
    /// A player dropped a disc.
    MoveMade {
        /// The player who moved.
        player: PlayerName,
        /// The column of the disc.
        column: Column,
    },
    /// The game ended.
    GameFinished {
        /// How it ended.
        result: GameResult,
    },
}

/// How a game ended, with the tutorial's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum GameResult {
    /// Four yellow discs in a row.
    PlayerOneWon,
    /// Four red discs in a row.
    PlayerTwoWon,
    /// A full board without four in a row.
    Tied,
}

impl GameResult {
    /// The result of a game that this side won.
    pub fn won_by(side: Side) -> GameResult {
        match side {
            Side::One => GameResult::PlayerOneWon,
            Side::Two => GameResult::PlayerTwoWon,
        }
    }

    /// The side that won; `None` for a tie.
    pub fn winner(self) -> Option<Side> {
        match self {
            GameResult::PlayerOneWon => Some(Side::One),
            GameResult::PlayerTwoWon => Some(Side::Two),
            GameResult::Tied => None,
        }
    }

    /// The colour of the winner's discs; `None` for a tie.
    pub fn winning_disc(self) -> Option<Disc> {
        self.winner().map(Side::disc)
    }
}
