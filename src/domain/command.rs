//! What a player may ask for. A command is a wish; only its events are facts.

use super::board::Column;
use super::player::{PlayerName, Players};

/// Everything that [`decide`](super::decide()) can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Start a game.
    StartGame(StartGame),
    /// Drop a disc.
    MakeMove(MakeMove),
    /// Give up.
    Resign(Resign),
}

impl Command {
    /// Who resigns; `None` when something else is asked for.
    pub fn resigning(&self) -> Option<&PlayerName> {
        match self {
            Command::Resign(Resign { player }) => Some(player),
            Command::StartGame(_) | Command::MakeMove(_) => None,
        }
    }
}

/// Start a game between two players; the first of them begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartGame {
    /// Who plays.
    pub players: Players,
}

/// Drop a disc of this player into a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MakeMove {
    /// Who moves: any name; whether it is this player's turn is decided.
    pub player: PlayerName,
    /// Where the disc goes.
    pub column: Column,
}

/// Give the game up, at any time; the opponent wins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resign {
    /// Who gives up: any name; whether this is a player of the game is decided.
    pub player: PlayerName,
}
