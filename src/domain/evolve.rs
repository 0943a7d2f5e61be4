//! Applies an event to the state of a game. Never refuses an event.

use super::board::{Board, Column, Disc};
use super::event::GameEvent;
use super::game::{Finished, Game, InProgress, Move};
use super::player::{PlayerName, Players, Side};

/// Returns the game after the event.
///
/// Cannot fail: an event that is not possible in this phase, such as a move before the start,
/// leaves the game unchanged. [`replay`](super::replay) checks each stored event first, so an
/// invalid stored history is reported, and no event is silently ignored.
#[must_use]
pub fn evolve(mut game: Game, event: &GameEvent) -> Game {
    evolve_in_place(&mut game, event);
    game
}

/// Same as [`evolve`], but changes the game in place. Moving each [`Game`] by value would take
/// half of the time of a replay.
pub(super) fn evolve_in_place(game: &mut Game, event: &GameEvent) {
    match (&mut *game, event) {
        (
            Game::NotStarted,
            GameEvent::GameStarted {
                player_one,
                player_two,
            },
        ) => {
            *game = Game::InProgress(InProgress {
                players: Players {
                    one: player_one.clone(),
                    two: player_two.clone(),
                },
                board: Board::EMPTY,
                next: Side::One,
                last_move: None,
            });
        }
        (Game::InProgress(running), GameEvent::MoveMade { player, column }) => {
            drop_disc(running, player, *column);
        }
        (Game::InProgress(running), GameEvent::GameFinished { result }) => {
            *game = Game::Finished(Finished {
                players: running.players.clone(),
                board: running.board,
                result: *result,
                last_move: running.last_move.take(),
            });
        }
        (Game::InProgress(_) | Game::Finished(_), GameEvent::GameStarted { .. })
        | (
            Game::NotStarted | Game::Finished(_),
            GameEvent::MoveMade { .. } | GameEvent::GameFinished { .. },
        ) => {}
    }
}

fn drop_disc(game: &mut InProgress, player: &PlayerName, column: Column) {
    let side = game.players.side_of(player);
    let disc = side.map_or(Disc::Red, Side::disc);
    let Some((board, row)) = game.board.drop_disc(column, disc) else {
        return;
    };
    game.board = board;
    game.next = side.map_or(Side::One, Side::other);
    game.last_move = Some(Move {
        number: game.last_move.as_ref().map_or(0, |last| last.number) + 1,
        player: player.clone(),
        column,
        row,
        disc,
    });
}
