//! Decides which events happen next. Pure: no clock, no I/O, no randomness.

use super::board::Board;
use super::command::{Command, MakeMove, Resign, StartGame};
use super::event::{GameEvent, GameResult};
use super::game::{Game, InProgress};
use super::player::{PlayerName, Side};
use super::rejection::Rejection;

/// Returns the events that the command causes in this game, at least one, or the rule that
/// forbids it. The events must be appended together: a stream must never contain a winning move
/// without its `GameFinished`.
///
/// The rules are checked in the tutorial's order: the game is started, it is not finished, the
/// player plays in it, it is this player's turn, the column is not full.
pub fn decide(game: &Game, command: &Command) -> Result<Vec<GameEvent>, Rejection> {
    match command {
        Command::StartGame(start) => start_game(game, start),
        Command::MakeMove(make_move) => {
            let running = running(game)?;
            drop_disc(running, make_move)
        }
        Command::Resign(Resign { player }) => {
            let running = running(game)?;
            let side = side_of(running, player)?;
            let result = GameResult::won_by(side.other());
            Ok(vec![GameEvent::GameFinished { result }])
        }
    }
}

fn running(game: &Game) -> Result<&InProgress, Rejection> {
    match game {
        Game::NotStarted => Err(Rejection::GameNotStarted),
        Game::Finished(finished) => Err(Rejection::GameFinished {
            result: finished.result,
        }),
        Game::InProgress(running) => Ok(running),
    }
}

fn side_of(game: &InProgress, player: &PlayerName) -> Result<Side, Rejection> {
    let stranger = || Rejection::PlayerNotInGame {
        player: player.clone(),
        players: game.players.clone(),
    };
    game.players.side_of(player).ok_or_else(stranger)
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
    let side = side_of(game, player)?;
    let next_player = game.players.on(game.next);
    if player != next_player {
        return Err(Rejection::NotYourTurn {
            next_player: next_player.clone(),
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

/// Returns the result if the game ends with this board. Checks the opponent's discs too: a stored
/// history may contain four in a row that was never followed by a `GameFinished`.
fn result_of(board: &Board, mover: Side) -> Option<GameResult> {
    [mover, mover.other()]
        .into_iter()
        .find(|side| board.has_four(side.disc()))
        .map(GameResult::won_by)
        .or_else(|| board.is_full().then_some(GameResult::Tied))
}

#[cfg(test)]
mod tests {
    use super::super::board::Column::{self, A, B, D, E, F, G};
    use super::super::player::Players;
    use super::super::testing::{
        ada_and_grace, finished, given, move_by, moved, name, played, resignation_of, start,
        started,
    };
    use super::*;

    /// 41 moves without four in a row. One cell in column F is free.
    const ROOM_FOR_A_TIE: &str = "FBDEFECAECGGEBCGDDBBEABEGAFGBCGCACADADDFF";
    const ROOM_FOR_A_LINE: &str = "EGACGFBCFCDEBBEADFFGCEDABDBFABDACGCEDAEGG";

    #[test]
    fn a_game_starts_with_two_players() {
        given([]).when(start(ada_and_grace())).then([started()]);
    }

    #[test]
    fn a_game_starts_once() {
        let already_started = || Rejection::GameAlreadyStarted {
            players: ada_and_grace(),
        };
        let others = Players::new(name("alan"), name("kurt")).expect("two players");
        given([started()])
            .when(start(ada_and_grace()))
            .then_rejected(already_started());
        given(played("DED"))
            .when(start(others.clone()))
            .then_rejected(already_started());
        given([started(), finished(GameResult::Tied)])
            .when(start(others))
            .then_rejected(already_started());
    }

    #[test]
    fn player_one_begins() {
        given([started()])
            .when(move_by("ada", D))
            .then([moved("ada", D)]);
        given([started()])
            .when(move_by("grace", D))
            .then_rejected(turn_of("ada"));
    }

    #[test]
    fn players_move_in_turns() {
        given(played("D"))
            .when(move_by("grace", D))
            .then([moved("grace", D)]);
        given(played("D"))
            .when(move_by("ada", E))
            .then_rejected(turn_of("grace"));
        given(played("DE"))
            .when(move_by("grace", D))
            .then_rejected(turn_of("ada"));
    }

    #[test]
    fn a_move_needs_a_game_that_was_started() {
        given([])
            .when(move_by("ada", D))
            .then_rejected(Rejection::GameNotStarted);
    }

    #[test]
    fn only_the_two_players_move() {
        for stranger in ["mallory", "Ada", "ada "] {
            given(played("D")).when(move_by(stranger, D)).then_rejected(
                Rejection::PlayerNotInGame {
                    player: name(stranger),
                    players: ada_and_grace(),
                },
            );
        }
    }

    #[test]
    fn a_full_column_takes_no_more_discs() {
        given(played("DDDDDD"))
            .when(move_by("ada", D))
            .then_rejected(full(D));
    }

    #[test]
    fn a_finished_game_takes_no_more_moves() {
        given([started(), finished(GameResult::PlayerTwoWon)])
            .when(move_by("ada", D))
            .then_rejected(over(GameResult::PlayerTwoWon));
    }

    #[test]
    fn the_first_four_win() {
        given(played("AGAGAG"))
            .when(move_by("ada", A))
            .then([moved("ada", A), finished(GameResult::PlayerOneWon)]);
        given(played("AGBGAGB"))
            .when(move_by("grace", G))
            .then([moved("grace", G), finished(GameResult::PlayerTwoWon)]);
    }

    #[test]
    fn a_full_board_without_four_is_a_tie() {
        given(played(ROOM_FOR_A_TIE))
            .when(move_by("grace", F))
            .then([moved("grace", F), finished(GameResult::Tied)]);
    }

    #[test]
    fn the_last_disc_may_still_win() {
        given(played(ROOM_FOR_A_LINE))
            .when(move_by("grace", F))
            .then([moved("grace", F), finished(GameResult::PlayerTwoWon)]);
    }

    #[test]
    fn a_finished_game_is_reported_before_the_player_is_checked() {
        for anyone in ["mallory", "grace", "ada"] {
            given(played("DDDDDD"))
                .and(finished(GameResult::Tied))
                .when(move_by(anyone, D))
                .then_rejected(over(GameResult::Tied));
        }
    }

    #[test]
    fn the_player_and_the_turn_are_checked_before_the_column() {
        given(played("DDDDDD"))
            .when(move_by("mallory", D))
            .then_rejected(Rejection::PlayerNotInGame {
                player: name("mallory"),
                players: ada_and_grace(),
            });
        given(played("DDDDDD"))
            .when(move_by("grace", D))
            .then_rejected(turn_of("ada"));
    }

    #[test]
    fn a_recorded_line_without_a_finish_ends_the_game_with_the_next_move() {
        given(played("AGAGAGA"))
            .when(move_by("grace", B))
            .then([moved("grace", B), finished(GameResult::PlayerOneWon)]);
    }

    /// The tutorial's aggregate recorded such games. It tells turns apart by player name.
    #[test]
    fn a_recorded_game_with_the_same_name_on_both_sides_can_go_on() {
        let alone = GameEvent::GameStarted {
            player_one: name("ada"),
            player_two: name("ada"),
        };
        given([alone, moved("ada", D)])
            .when(move_by("ada", D))
            .then([moved("ada", D)]);
    }

    #[test]
    fn either_player_resigns_whoevers_turn_it_is() {
        for moves in ["", "D", "DE"] {
            given(played(moves))
                .when(resignation_of("ada"))
                .then([finished(GameResult::PlayerTwoWon)]);
            given(played(moves))
                .when(resignation_of("grace"))
                .then([finished(GameResult::PlayerOneWon)]);
        }
    }

    #[test]
    fn only_a_player_of_a_running_game_resigns() {
        given([])
            .when(resignation_of("ada"))
            .then_rejected(Rejection::GameNotStarted);
        given(played("D"))
            .when(resignation_of("mallory"))
            .then_rejected(Rejection::PlayerNotInGame {
                player: name("mallory"),
                players: ada_and_grace(),
            });
        for anyone in ["mallory", "ada", "grace"] {
            given(played("D"))
                .and(finished(GameResult::Tied))
                .when(resignation_of(anyone))
                .then_rejected(over(GameResult::Tied));
        }
    }

    fn turn_of(player: &str) -> Rejection {
        Rejection::NotYourTurn {
            next_player: name(player),
        }
    }

    fn full(column: Column) -> Rejection {
        let legal_columns = Column::ALL
            .into_iter()
            .filter(|other| *other != column)
            .collect();
        Rejection::ColumnFull {
            column,
            legal_columns,
        }
    }

    fn over(result: GameResult) -> Rejection {
        Rejection::GameFinished { result }
    }
}
