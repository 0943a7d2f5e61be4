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

#[cfg(test)]
mod tests {
    use super::super::board::Column::{A, B, C, D, E, F, G};
    use super::super::testing::{finished, given, moved, name, played, started};
    use super::*;

    fn game(events: impl IntoIterator<Item = GameEvent>) -> Game {
        given(events).game()
    }

    /// Replays the events; the last of them is in question, the others are not.
    fn replayed(events: impl IntoIterator<Item = GameEvent>) -> Result<Game, Unexplained> {
        let mut game = Game::default();
        let mut events = events.into_iter().peekable();
        while let Some(event) = events.next() {
            let before = game.clone();
            if let Err(unexplained) = replay(&mut game, &event) {
                assert_eq!(game, before, "a refused event changes nothing");
                assert_eq!(events.peek(), None, "{event:?}: {unexplained}");
                return Err(unexplained);
            }
        }
        Ok(game)
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

    #[test]
    fn a_history_starts_once() {
        let twice = [started(), started()];
        assert_eq!(replayed(twice), Err(Unexplained::StartedTwice));
        let after_the_end = [started(), finished(GameResult::Tied), started()];
        assert_eq!(replayed(after_the_end), Err(Unexplained::StartedTwice));
    }

    #[test]
    fn a_history_begins_with_the_start() {
        let before_the_start = Err(Unexplained::BeforeTheStart);
        assert_eq!(replayed([moved("ada", D)]), before_the_start);
        assert_eq!(replayed([finished(GameResult::Tied)]), before_the_start);
    }

    #[test]
    fn a_history_ends_with_the_finish() {
        let after_the_finish = Err(Unexplained::AfterTheFinish);
        let end = || finished(GameResult::PlayerOneWon);
        let moved_on = [started(), end(), moved("ada", D)];
        assert_eq!(replayed(moved_on), after_the_finish);
        assert_eq!(replayed([started(), end(), end()]), after_the_finish);
    }

    #[test]
    fn no_history_has_a_seventh_disc_in_a_column() {
        assert!(replayed(played("DDDDDD")).is_ok());
        assert_eq!(replayed(played("DDDDDDD")), Err(Unexplained::ColumnFull));
    }

    #[test]
    fn a_history_may_go_out_of_turn_as_the_tutorials_did() {
        let game = replayed([started(), moved("grace", D), moved("grace", D)]);
        let game = game.expect("an explained history");
        assert_eq!(game.board().discs(D).collect::<Vec<_>>(), [Disc::Red; 2]);
        assert_eq!(game.next_player(), Some(&name("ada")));
    }

    #[test]
    fn a_strangers_disc_is_red_and_player_one_is_next() {
        let game = replayed([started(), moved("mallory", D)]).expect("an explained history");
        assert_eq!(game.board().discs(D).collect::<Vec<_>>(), [Disc::Red]);
        assert_eq!(game.next_player(), Some(&name("ada")));
        assert_eq!(
            game.last_move().map(|last| &last.player),
            Some(&name("mallory"))
        );
    }

    #[test]
    fn an_end_is_believed_without_a_line_or_a_full_board() {
        let game = replayed([started(), finished(GameResult::PlayerTwoWon)]);
        let game = game.expect("an explained history");
        assert_eq!(game.result(), Some(GameResult::PlayerTwoWon));
    }
}
