//! The state of a game, as its events add up to it.

use super::board::{Board, Cell, Column, Disc, Row};
use super::event::GameResult;
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

#[cfg(test)]
mod tests {
    use super::super::board::Column::{A, B, C, E, F, G};
    use super::super::event::GameEvent;
    use super::super::testing::{finished, given, name, played, started};
    use super::*;

    fn game(events: impl IntoIterator<Item = GameEvent>) -> Game {
        given(events).game()
    }

    fn line(game: &Game) -> Vec<String> {
        game.winning_line().iter().map(Cell::to_string).collect()
    }

    #[test]
    fn before_the_start_there_is_nobody_and_nothing() {
        let game = game([]);
        assert_eq!(game, Game::NotStarted);
        assert_eq!(game.players(), None);
        assert_eq!(game.next_player(), None);
        assert_eq!(game.board(), Board::EMPTY);
        assert_eq!(game.legal_columns(), []);
    }

    #[test]
    fn a_started_game_waits_for_player_one() {
        let game = game([started()]);
        assert_eq!(game.next_player(), Some(&name("ada")));
        assert_eq!(game.last_move(), None);
        assert_eq!(game.legal_columns(), Column::ALL);
    }

    #[test]
    fn the_last_move_says_where_its_disc_lies_and_how_many_there_are() {
        let game = game(played("DDC"));
        let last = game.last_move().expect("three moves");
        assert_eq!((last.number, &last.player), (3, &name("ada")));
        assert_eq!((last.column, last.row.number()), (C, 1));
        assert_eq!(last.disc, Disc::Yellow);
        assert_eq!(game.next_player(), Some(&name("grace")));
    }

    #[test]
    fn a_full_column_is_not_legal() {
        let game = game(played("DDDDDD"));
        assert_eq!(game.legal_columns(), [A, B, C, E, F, G]);
    }

    #[test]
    fn a_finished_game_waits_for_nobody_and_keeps_its_board_and_last_move() {
        let running = game(played("AGAGAGA"));
        let ended = given(played("AGAGAGA"))
            .and(finished(GameResult::PlayerOneWon))
            .game();
        assert_eq!(ended.next_player(), None);
        assert_eq!(ended.legal_columns(), []);
        assert_eq!(ended.players(), running.players());
        assert_eq!(ended.board(), running.board());
        assert_eq!(ended.last_move(), running.last_move());
    }

    #[test]
    fn the_winning_line_is_the_winners_and_only_once_the_game_is_over() {
        assert_eq!(line(&game(played("AGAGAGA"))), [""; 0]);
        let ended_with = |result| given(played("AGAGAGA")).and(finished(result)).game();
        let won = ended_with(GameResult::PlayerOneWon);
        assert_eq!(line(&won), ["A1", "A2", "A3", "A4"]);
        assert_eq!(line(&ended_with(GameResult::PlayerTwoWon)), [""; 0]);
        assert_eq!(line(&ended_with(GameResult::Tied)), [""; 0]);
    }
}
