//! The commands: requests that the rules may accept or refuse. Only events are facts.

use super::board::Column;
use super::game::Game;
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

    /// This command with the player's name as the game has it. The name that a client sent may
    /// differ from it in its Unicode normalization; events contain the name of the game.
    #[must_use]
    pub fn with_the_name_in(&self, game: &Game) -> Command {
        let name = |player: &PlayerName| {
            let known = game.players().and_then(|players| players.find(player));
            known.unwrap_or(player).clone()
        };
        match self {
            Command::StartGame(_) => self.clone(),
            Command::MakeMove(MakeMove { player, column }) => Command::MakeMove(MakeMove {
                player: name(player),
                column: *column,
            }),
            Command::Resign(Resign { player }) => Command::Resign(Resign {
                player: name(player),
            }),
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
