//! The commands: requests that the rules may accept or refuse. Only events are facts.

use super::board::Column;
use super::player::{PlayerName, Players};

/// Every command that [`decide`](super::decide()) accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Start a game.
    StartGame(StartGame),
    /// Drop a disc.
    MakeMove(MakeMove),
    /// Resign.
    Resign(Resign),
}

impl Command {
    /// The player who resigns; `None` for every other command.
    pub fn resigning_player(&self) -> Option<&PlayerName> {
        match self {
            Command::Resign(Resign { player }) => Some(player),
            Command::StartGame(_) | Command::MakeMove(_) => None,
        }
    }
}

/// Starts a game between two players. Player one moves first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartGame {
    /// The two players.
    pub players: Players,
}

/// Drops a disc of this player into a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MakeMove {
    /// The player who moves. May be any name: `decide` checks whether it is this player's turn.
    pub player: PlayerName,
    /// The column that the disc is dropped into.
    pub column: Column,
}

/// Resigns the game, in turn or out of turn. The opponent wins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resign {
    /// The player who resigns. May be any name: `decide` checks whether it plays in this game.
    pub player: PlayerName,
}
