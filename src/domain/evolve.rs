//! Folds an event into the state. Records what happened and never judges.

use super::board::{Board, Disc};
use super::event::GameEvent;
use super::game::{Finished, Game, InProgress, Move};
use super::player::{Players, Side};

/// The game after the event.
///
/// Total: an event that the phase has no room for (a disc before the start, say) leaves
/// the game as it was. [`replay`](super::replay) asks first, so that a stored history which
/// holds such an event is reported instead of shortened.
#[must_use]
pub fn evolve(game: Game, event: &GameEvent) -> Game {
    match (game, event) {
        (
            Game::NotStarted,
            GameEvent::GameStarted {
                player_one,
                player_two,
            },
        ) => Game::InProgress(InProgress {
            players: Players {
                one: player_one.clone(),
                two: player_two.clone(),
            },
            board: Board::EMPTY,
            next: Side::One,
            last_move: None,
        }),
        (Game::InProgress(mut game), GameEvent::MoveMade { player, column }) => {
            let side = game.players.side_of(player);
            let disc = side.map_or(Disc::Red, Side::disc);
            if let Some((board, row)) = game.board.drop_disc(*column, disc) {
                game.board = board;
                game.next = side.map_or(Side::One, Side::other);
                game.last_move = Some(Move {
                    number: game.last_move.map_or(0, |last| last.number) + 1,
                    player: player.clone(),
                    column: *column,
                    row,
                    disc,
                });
            }
            Game::InProgress(game)
        }
        (Game::InProgress(game), GameEvent::GameFinished { result }) => Game::Finished(Finished {
            players: game.players,
            board: game.board,
            result: *result,
            last_move: game.last_move,
        }),
        (game, GameEvent::GameStarted { .. })
        | (game, GameEvent::MoveMade { .. })
        | (game, GameEvent::GameFinished { .. }) => game,
    }
}
