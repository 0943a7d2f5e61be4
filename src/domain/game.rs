//! The state of a game, computed from its events.

use super::board::{Board, Cell, Column, Disc, Row};
use super::event::GameResult;
use super::player::{PlayerName, Players, Side};

/// The state of a game, with one variant per phase: only a game in progress has a next player.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Game {
    /// There are no events yet.
    #[default]
    NotStarted,
    /// The game is started and not finished.
    InProgress(InProgress),
    /// The game has a result.
    Finished(Finished),
}

/// A game that waits for its next move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InProgress {
    /// The two players.
    pub players: Players,
    /// The discs on the board.
    pub board: Board,
    /// The side whose turn it is.
    pub next: Side,
    /// The latest move; `None` before the first.
    pub last_move: Option<Move>,
}

/// A game that accepts no more moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// The two players.
    pub players: Players,
    /// The discs on the board.
    pub board: Board,
    /// The result of the game.
    pub result: GameResult,
    /// The latest move; `None` if the game ended before the first.
    pub last_move: Option<Move>,
}

/// A move that was made, with the row of its disc and its number in the game.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// The move's number, counted from 1.
    pub number: u32,
    /// The player who moved.
    pub player: PlayerName,
    /// The column of the disc.
    pub column: Column,
    /// The row that the disc fell into.
    pub row: Row,
    /// The colour of the disc.
    pub disc: Disc,
}

impl Game {
    /// The two players; `None` before the start.
    pub fn players(&self) -> Option<&Players> {
        match self {
            Game::NotStarted => None,
            Game::InProgress(game) => Some(&game.players),
            Game::Finished(game) => Some(&game.players),
        }
    }

    /// The discs on the board.
    pub fn board(&self) -> Board {
        match self {
            Game::NotStarted => Board::EMPTY,
            Game::InProgress(game) => game.board,
            Game::Finished(game) => game.board,
        }
    }

    /// The player whose turn it is; `None` unless the game is in progress.
    pub fn next_player(&self) -> Option<&PlayerName> {
        match self {
            Game::InProgress(game) => Some(game.players.on(game.next)),
            Game::NotStarted | Game::Finished(_) => None,
        }
    }

    /// The result; `None` until the game is finished.
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

    /// The columns that the next move may use; empty unless the game is in progress.
    pub fn legal_columns(&self) -> impl Iterator<Item = Column> + use<> {
        let board = match self {
            Game::InProgress(game) => Some(game.board),
            Game::NotStarted | Game::Finished(_) => None,
        };
        board.into_iter().flat_map(|board| board.open_columns())
    }

    /// The cells of the winning line; empty while the game is in progress, after a tie, and after
    /// a game that was won without a line, such as by resignation.
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
    fn a_game_that_is_not_started_has_no_players_and_an_empty_board() {
        let game = game([]);
        assert_eq!(game, Game::NotStarted);
        assert_eq!(game.players(), None);
        assert_eq!(game.next_player(), None);
        assert_eq!(game.board(), Board::EMPTY);
        assert_eq!(game.legal_columns().next(), None);
    }

    #[test]
    fn a_started_game_waits_for_player_one() {
        let game = game([started()]);
        assert_eq!(game.next_player(), Some(&name("ada")));
        assert_eq!(game.last_move(), None);
        assert!(game.legal_columns().eq(Column::ALL));
    }

    #[test]
    fn the_last_move_contains_its_row_and_its_number() {
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
        assert!(game.legal_columns().eq([A, B, C, E, F, G]));
    }

    #[test]
    fn a_finished_game_has_no_next_player_and_keeps_its_board_and_last_move() {
        let running = game(played("AGAGAGA"));
        let ended = given(played("AGAGAGA"))
            .and(finished(GameResult::PlayerOneWon))
            .game();
        assert_eq!(ended.next_player(), None);
        assert_eq!(ended.legal_columns().next(), None);
        assert_eq!(ended.players(), running.players());
        assert_eq!(ended.board(), running.board());
        assert_eq!(ended.last_move(), running.last_move());
    }

    #[test]
    fn only_a_finished_game_has_a_winning_line_and_it_is_the_winners() {
        assert_eq!(line(&game(played("AGAGAGA"))), [""; 0]);
        let ended_with = |result| given(played("AGAGAGA")).and(finished(result)).game();
        let won = ended_with(GameResult::PlayerOneWon);
        assert_eq!(line(&won), ["A1", "A2", "A3", "A4"]);
        assert_eq!(line(&ended_with(GameResult::PlayerTwoWon)), [""; 0]);
        assert_eq!(line(&ended_with(GameResult::Tied)), [""; 0]);
    }
}
