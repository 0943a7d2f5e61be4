//! A game as the sum of its events, and the replay of a stored history.

use super::board::{Board, Cell, Column, Disc, Row};
use super::event::{GameEvent, GameResult};
use super::evolve::evolve_in_place;
use super::player::{PlayerName, Players, Side};

/// The state of a game: one variant a phase, so that a finished game has no next player to
/// forget.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Game {
    /// Nothing has happened yet.
    #[default]
    NotStarted,
    /// Discs are falling.
    InProgress(InProgress),
    /// Somebody won, or the board is full.
    Finished(Finished),
}

/// A game that waits for its next move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InProgress {
    /// Who plays.
    pub players: Players,
    /// Where the discs lie.
    pub board: Board,
    /// Whose turn it is.
    pub next: Side,
    /// The latest move; `None` before the first.
    pub last_move: Option<Move>,
}

/// A game that takes no more moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Who played.
    pub players: Players,
    /// Where the discs lie.
    pub board: Board,
    /// How it ended.
    pub result: GameResult,
    /// The latest move; `None` if the game ended before the first.
    pub last_move: Option<Move>,
}

/// A move as it went: where the disc came to lie, and how many had fallen with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// The move's number, counted from 1.
    pub number: u32,
    /// Who moved.
    pub player: PlayerName,
    /// The column.
    pub column: Column,
    /// The row that the disc fell to.
    pub row: Row,
    /// The disc's colour.
    pub disc: Disc,
}

impl Game {
    /// Who plays; `None` before the start.
    pub fn players(&self) -> Option<&Players> {
        match self {
            Game::NotStarted => None,
            Game::InProgress(game) => Some(&game.players),
            Game::Finished(game) => Some(&game.players),
        }
    }

    /// Where the discs lie.
    pub fn board(&self) -> Board {
        match self {
            Game::NotStarted => Board::EMPTY,
            Game::InProgress(game) => game.board,
            Game::Finished(game) => game.board,
        }
    }

    /// Whose turn it is; `None` unless the game is in progress.
    pub fn next_player(&self) -> Option<&PlayerName> {
        match self {
            Game::InProgress(game) => Some(game.players.on(game.next)),
            Game::NotStarted | Game::Finished(_) => None,
        }
    }

    /// How the game ended; `None` until it has.
    pub fn result(&self) -> Option<GameResult> {
        match self {
            Game::Finished(game) => Some(game.result),
            Game::NotStarted | Game::InProgress(_) => None,
        }
    }

    /// The latest move; `None` before the first.
    pub fn last_move(&self) -> Option<&Move> {
        match self {
            Game::NotStarted => None,
            Game::InProgress(game) => game.last_move.as_ref(),
            Game::Finished(game) => game.last_move.as_ref(),
        }
    }

    /// The columns that the next move may choose from; none unless the game is in progress.
    pub fn legal_columns(&self) -> Vec<Column> {
        match self {
            Game::InProgress(game) => game.board.open_columns().collect(),
            Game::NotStarted | Game::Finished(_) => Vec::new(),
        }
    }

    /// The cells of the line that won; empty while the game goes on, after a tie, and
    /// after a game that was won without a line.
    pub fn winning_line(&self) -> Vec<Cell> {
        self.result()
            .and_then(GameResult::winning_disc)
            .map(|disc| self.board().line_cells(disc))
            .unwrap_or_default()
    }
}

/// Why a stored event cannot follow the events before it: no game goes that way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unexplained {
    /// A second `GameStarted`.
    #[error("the game was started twice")]
    StartedTwice,
    /// A move or a finish in a game that was not started.
    #[error("something happened before the game was started")]
    BeforeTheStart,
    /// A move or a second finish in a finished game.
    #[error("something happened after the game was finished")]
    AfterTheFinish,
    /// A seventh disc in a column.
    #[error("a disc fell into a full column")]
    ColumnFull,
}

/// Folds a stored event into the game, after asking whether any game can go that way. If
/// none can, the game stays as it was.
///
/// Turn order is not asked about, nor who moved: the tutorial's `apply` accepts a disc from
/// either player at any time and counts a stranger's as red, and its appends, which state
/// no expected revision, have left such histories behind.
pub fn replay(game: &mut Game, event: &GameEvent) -> Result<(), Unexplained> {
    match (&*game, event) {
        (Game::NotStarted, GameEvent::GameStarted { .. })
        | (Game::InProgress(_), GameEvent::GameFinished { .. }) => {}
        (Game::InProgress(running), GameEvent::MoveMade { column, .. }) => {
            if running.board.is_column_full(*column) {
                return Err(Unexplained::ColumnFull);
            }
        }
        (Game::InProgress(_) | Game::Finished(_), GameEvent::GameStarted { .. }) => {
            return Err(Unexplained::StartedTwice);
        }
        (Game::NotStarted, GameEvent::MoveMade { .. } | GameEvent::GameFinished { .. }) => {
            return Err(Unexplained::BeforeTheStart);
        }
        (Game::Finished(_), GameEvent::MoveMade { .. } | GameEvent::GameFinished { .. }) => {
            return Err(Unexplained::AfterTheFinish);
        }
    }
    evolve_in_place(game, event);
    Ok(())
}
