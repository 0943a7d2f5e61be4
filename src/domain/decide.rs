//! Decides which events happen next. Pure: no clock, no I/O, no randomness.

use super::board::Board;
use super::command::{Command, MakeMove, StartGame};
use super::event::{GameEvent, GameResult};
use super::game::{Game, InProgress};
use super::player::Side;
use super::rejection::Rejection;

/// The events that the command causes in this game, never none, or the rule that forbids
/// it. They belong into the stream together: a finishing move without its `GameFinished`
/// is no history.
///
/// Rules are asked in the tutorial's order: started, finished, a player of the game, that
/// player's turn, room in the column.
pub fn decide(game: &Game, command: &Command) -> Result<Vec<GameEvent>, Rejection> {
    match command {
        Command::StartGame(start) => start_game(game, start),
        Command::MakeMove(make_move) => {
            let running = match game {
                Game::NotStarted => return Err(Rejection::GameNotStarted),
                Game::Finished(finished) => {
                    let result = finished.result;
                    return Err(Rejection::GameFinished { result });
                }
                Game::InProgress(running) => running,
            };
            drop_disc(running, make_move)
        }
    }
}

fn start_game(game: &Game, start: &StartGame) -> Result<Vec<GameEvent>, Rejection> {
    if let Some(players) = game.players() {
        return Err(Rejection::GameAlreadyStarted {
            players: players.clone(),
        });
    }
    Ok(vec![GameEvent::GameStarted {
        player_one: start.players.one.clone(),
        player_two: start.players.two.clone(),
    }])
}

fn drop_disc(game: &InProgress, make_move: &MakeMove) -> Result<Vec<GameEvent>, Rejection> {
    let MakeMove { player, column } = make_move;
    let side = game
        .players
        .side_of(player)
        .ok_or_else(|| Rejection::PlayerNotInGame {
            player: player.clone(),
            players: game.players.clone(),
        })?;
    if side != game.next {
        return Err(Rejection::NotYourTurn {
            next_player: game.players.on(game.next).clone(),
        });
    }
    let Some((board, _)) = game.board.drop_disc(*column, side.disc()) else {
        return Err(Rejection::ColumnFull {
            column: *column,
            legal_columns: game.board.open_columns().collect(),
        });
    };
    let move_made = GameEvent::MoveMade {
        player: player.clone(),
        column: *column,
    };
    Ok(match result_of(&board, side) {
        Some(result) => vec![move_made, GameEvent::GameFinished { result }],
        None => vec![move_made],
    })
}

/// How the game ends with this board, if it does. The opponent's line is looked for too,
/// since a stored history may hold one that nobody declared.
fn result_of(board: &Board, mover: Side) -> Option<GameResult> {
    [mover, mover.other()]
        .into_iter()
        .find(|side| board.has_four(side.disc()))
        .map(GameResult::won_by)
        .or_else(|| board.is_full().then_some(GameResult::Tied))
}
