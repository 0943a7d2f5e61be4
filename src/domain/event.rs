//! What happened in a game. Stored for ever, in the tutorial's own words.

use serde::{Deserialize, Serialize};

use super::board::{Column, Disc};
use super::player::{PlayerName, Side};

/// Something that happened in a game.
///
/// The stream of a game holds no other types: the tutorial's reader raises on any that it
/// does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GameEvent {
    /// Two players began a game.
    GameStarted {
        /// Who plays yellow and moves first.
        player_one: PlayerName,
        /// Who plays red.
        player_two: PlayerName,
    },
    /// A disc fell.
    MoveMade {
        /// Whose disc it was.
        player: PlayerName,
        /// The column that it fell into.
        column: Column,
    },
    /// The game ended.
    GameFinished {
        /// How it ended.
        result: GameResult,
    },
}

/// How a game ended, in the tutorial's words.
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
