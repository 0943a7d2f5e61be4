//! Replays a stored history: checks that each event can follow the events before it, and applies
//! it to the game.

use super::event::GameEvent;
use super::evolve::evolve_in_place;
use super::game::Game;

/// Why a stored event cannot follow the events before it in any game.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHistory {
    /// A second `GameStarted`.
    #[error("the game was started twice")]
    StartedTwice,
    /// A move or a finish before the start.
    #[error("an event was recorded before the game was started")]
    BeforeTheStart,
    /// A move or a second finish after the finish.
    #[error("an event was recorded after the game was finished")]
    AfterTheFinish,
    /// A seventh disc in a column.
    #[error("a move was made into a full column")]
    ColumnFull,
}

/// Checks that a stored event can follow the events before it, and applies it to the game. If the
/// check fails, the game is unchanged.
///
/// Does not check whose turn it was, nor whether the player plays in the game. The tutorial's
/// `apply` accepts a disc from any player at any time and counts an unknown player's disc as red.
/// Its appends state no expected revision, so such histories exist.
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

    /// Replays the events. Only the last one may be invalid.
    fn replayed(events: impl IntoIterator<Item = GameEvent>) -> Result<Game, InvalidHistory> {
        let mut game = Game::default();
        let mut events = events.into_iter().peekable();
        while let Some(event) = events.next() {
            let before = game.clone();
            if let Err(invalid) = replay(&mut game, &event) {
                assert_eq!(game, before, "an invalid event changes nothing");
                assert_eq!(events.peek(), None, "{event:?}: {invalid}");
                return Err(invalid);
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
    fn a_history_may_contain_moves_out_of_turn_as_the_tutorials_do() {
        let game = replayed([started(), moved("grace", D), moved("grace", D)]);
        let game = game.expect("a valid history");
        assert_eq!(game.board().discs(D).collect::<Vec<_>>(), [Disc::Red; 2]);
        assert_eq!(game.next_player(), Some(&name("ada")));
    }

    #[test]
    fn a_strangers_disc_is_red_and_player_one_is_next() {
        let game = replayed([started(), moved("mallory", D)]).expect("a valid history");
        assert_eq!(game.board().discs(D).collect::<Vec<_>>(), [Disc::Red]);
        assert_eq!(game.next_player(), Some(&name("ada")));
        assert_eq!(
            game.last_move().map(|last| &last.player),
            Some(&name("mallory"))
        );
    }

    #[test]
    fn a_finish_is_accepted_without_a_line_or_a_full_board() {
        let game = replayed([started(), finished(GameResult::PlayerTwoWon)]);
        let game = game.expect("a valid history");
        assert_eq!(game.result(), Some(GameResult::PlayerTwoWon));
    }
}
