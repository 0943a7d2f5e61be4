//! The replay of a stored history: whether its events can follow each other, and what they
//! add up to.

use super::event::GameEvent;
use super::evolve::evolve_in_place;
use super::game::Game;

/// Why a stored event cannot follow the events before it: no game goes that way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHistory {
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
pub fn replay(game: &mut Game, event: &GameEvent) -> Result<(), InvalidHistory> {
    match (&*game, event) {
        (Game::NotStarted, GameEvent::GameStarted { .. })
        | (Game::InProgress(_), GameEvent::GameFinished { .. }) => {}
        (Game::InProgress(running), GameEvent::MoveMade { column, .. }) => {
            if running.board.is_column_full(*column) {
                return Err(InvalidHistory::ColumnFull);
            }
        }
        (Game::InProgress(_) | Game::Finished(_), GameEvent::GameStarted { .. }) => {
            return Err(InvalidHistory::StartedTwice);
        }
        (Game::NotStarted, GameEvent::MoveMade { .. } | GameEvent::GameFinished { .. }) => {
            return Err(InvalidHistory::BeforeTheStart);
        }
        (Game::Finished(_), GameEvent::MoveMade { .. } | GameEvent::GameFinished { .. }) => {
            return Err(InvalidHistory::AfterTheFinish);
        }
    }
    evolve_in_place(game, event);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::board::Column::D;
    use super::super::board::Disc;
    use super::super::event::GameResult;
    use super::super::testing::{finished, moved, name, played, started};
    use super::*;

    /// Replays the events; the last of them is in question, the others are not.
    fn replayed(events: impl IntoIterator<Item = GameEvent>) -> Result<Game, InvalidHistory> {
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

    #[test]
    fn a_history_starts_once() {
        let twice = [started(), started()];
        assert_eq!(replayed(twice), Err(InvalidHistory::StartedTwice));
        let after_the_end = [started(), finished(GameResult::Tied), started()];
        assert_eq!(replayed(after_the_end), Err(InvalidHistory::StartedTwice));
    }

    #[test]
    fn a_history_begins_with_the_start() {
        let before_the_start = Err(InvalidHistory::BeforeTheStart);
        assert_eq!(replayed([moved("ada", D)]), before_the_start);
        assert_eq!(replayed([finished(GameResult::Tied)]), before_the_start);
    }

    #[test]
    fn a_history_ends_with_the_finish() {
        let after_the_finish = Err(InvalidHistory::AfterTheFinish);
        let end = || finished(GameResult::PlayerOneWon);
        let moved_on = [started(), end(), moved("ada", D)];
        assert_eq!(replayed(moved_on), after_the_finish);
        assert_eq!(replayed([started(), end(), end()]), after_the_finish);
    }

    #[test]
    fn no_history_has_a_seventh_disc_in_a_column() {
        assert!(replayed(played("DDDDDD")).is_ok());
        assert_eq!(replayed(played("DDDDDDD")), Err(InvalidHistory::ColumnFull));
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
