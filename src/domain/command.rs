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
