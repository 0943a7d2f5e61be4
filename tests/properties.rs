//! Properties that hold for every game and every history, tested with generated ones.

#[path = "support/generated.rs"]
mod generated;

use std::collections::HashMap;

use connect_four::application::{decode, encode};
use connect_four::domain::{
    Board, Cell, Column, Command, Disc, Game, GameEvent, GameResult, MakeMove, decide, evolve,
    replay,
};
use generated::{
    Played, any_column, any_disc, any_event, any_event_type, any_game, any_move, any_move_made,
    command, move_of, name,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestCaseResult;

proptest! {
    #[test]
    fn a_game_ends_within_42_moves(game in any_game()) {
        prop_assert!(matches!(game.last(), Game::Finished(_)));
        prop_assert!(game.columns.len() <= 42);
    }

    #[test]
    fn replay_reproduces_every_state_of_the_live_game(game in any_game()) {
        let mut replayed = Game::default();
        for (event, live) in game.events.iter().zip(&game.states) {
            replay(&mut replayed, event).expect("a played game is a valid history");
            prop_assert_eq!(&replayed, live);
        }
    }

    #[test]
    fn an_accepted_move_is_one_event_and_a_second_one_if_it_ends_the_game(
        game in any_game(),
        strangers in any_move(),
    ) {
        for state in &game.states {
            check_what_is_recorded(state, &strangers)?;
            for column in Column::ALL {
                check_what_is_recorded(state, &move_of(&game.players.one, column))?;
                check_what_is_recorded(state, &move_of(&game.players.two, column))?;
            }
        }
    }

    #[test]
    fn a_column_is_legal_exactly_if_decide_accepts_a_move_in_it(game in any_game()) {
        for state in &game.states {
            let player = state.next_player().unwrap_or(&game.players.one);
            let is_accepted = |column: &Column| decide(state, &command(player, *column)).is_ok();
            let accepted: Vec<_> = Column::ALL.into_iter().filter(is_accepted).collect();
            prop_assert_eq!(state.legal_columns().collect::<Vec<_>>(), accepted);
        }
    }

    #[test]
    fn the_win_check_finds_the_same_lines_as_a_search_cell_by_cell(
        drops in vec((any_column(), any_disc()), 0..60),
    ) {
        let board = drops.into_iter().fold(Board::EMPTY, |board, (column, disc)| {
            board.drop_disc(column, disc).map_or(board, |(board, _)| board)
        });
        for disc in [Disc::Yellow, Disc::Red] {
            let seen = lines_seen(&board, disc);
            prop_assert_eq!(board.has_four(disc), !seen.is_empty());
            let cells: Vec<_> = board.line_cells(disc).iter().map(Cell::to_string).collect();
            prop_assert_eq!(cells, seen);
        }
    }

    #[test]
    fn the_first_four_in_a_row_wins_and_a_full_board_without_it_is_a_tie(game in any_game()) {
        let winner = |state: &Game| {
            [GameResult::PlayerOneWon, GameResult::PlayerTwoWon]
                .into_iter()
                .zip([Disc::Yellow, Disc::Red])
                .find(|(_, disc)| !lines_seen(&state.board(), *disc).is_empty())
                .map(|(result, _)| result)
        };
        // The second-to-last state already has the last disc. Only the result is missing.
        let (last, earlier) = game.states.split_last().expect("a game has states");
        for state in &earlier[..earlier.len() - 1] {
            prop_assert_eq!(winner(state), None);
            prop_assert!(!state.board().is_full());
        }
        let expected = winner(last).unwrap_or(GameResult::Tied);
        prop_assert_eq!(last.result(), Some(expected));
        prop_assert!(last.board().is_full() || expected != GameResult::Tied);
        prop_assert_eq!(last.winning_line().is_empty(), expected == GameResult::Tied);
    }

    #[test]
    fn a_mirrored_game_has_the_same_result(game in any_game()) {
        let mut mirrored = Played::started(game.players.clone());
        for column in &game.columns {
            mirrored.play(mirror(*column));
        }
        prop_assert_eq!(game.states.len(), mirrored.states.len());
        for (state, reflected) in game.states.iter().zip(&mirrored.states) {
            prop_assert_eq!(state.result(), reflected.result());
            prop_assert_eq!(state.next_player(), reflected.next_player());
            for column in Column::ALL {
                let discs = state.board().discs(column);
                prop_assert!(discs.eq(reflected.board().discs(mirror(column))));
            }
        }
    }

    #[test]
    fn an_encoded_event_decodes_to_itself(event in any_event()) {
        check_that_it_survives_storage(&event)?;
    }

    #[test]
    fn replay_accepts_any_events_and_a_refused_event_changes_nothing(
        events in vec(any_event(), 0..80),
    ) {
        let mut game = Game::default();
        for event in &events {
            let evolved = evolve(game.clone(), event);
            let before = game.clone();
            if replay(&mut game, event).is_err() {
                prop_assert_eq!(&game, &before);
            }
            prop_assert_eq!(&game, &evolved);
        }
    }

    #[test]
    fn decide_works_on_every_valid_history(
        moves in vec(any_move_made(), 0..60),
        asked in any_move(),
    ) {
        let started = GameEvent::GameStarted { player_one: name("ada"), player_two: name("grace") };
        // An invalid event leaves the game unchanged.
        let game = moves.iter().fold(evolve(Game::default(), &started), evolve);
        check_what_is_recorded(&game, &asked)?;
    }

    #[test]
    fn decoding_any_bytes_does_not_panic(event_type in any_event_type(), data in vec(any::<u8>(), 0..99)) {
        drop(decode(&event_type, &data));
    }

    #[test]
    fn damaged_data_is_refused_or_decodes_to_a_valid_event(
        event in any_event(),
        damages in vec((any::<Index>(), any::<u8>()), 1..4),
    ) {
        let (event_type, data) = encode(&event);
        let mut data = data.to_vec();
        for (place, byte) in damages {
            *place.get_mut(&mut data) = byte;
        }
        if let Ok(event) = decode(event_type, &data) {
            check_that_it_survives_storage(&event)?;
        }
    }
}

/// Checks that an accepted move is `MoveMade`, or `MoveMade` and `GameFinished`, and that the history
/// with these events is valid.
fn check_what_is_recorded(game: &Game, asked: &MakeMove) -> TestCaseResult {
    let Ok(events) = decide(game, &Command::MakeMove(asked.clone())) else {
        return Ok(());
    };
    let made = GameEvent::MoveMade {
        player: asked.player.clone(),
        column: asked.column,
    };
    let (first, rest) = events.split_first().expect("an accepted move has events");
    prop_assert_eq!(first, &made);
    let mut after = game.clone();
    replay(&mut after, first).expect("a legal move is a valid event");
    match rest {
        [] => prop_assert!(!after.board().is_full()),
        [end @ GameEvent::GameFinished { .. }] => {
            replay(&mut after, end).expect("the finish is a valid event");
            prop_assert!(matches!(after, Game::Finished(_)));
        }
        other => prop_assert!(false, "{other:?}"),
    }
    Ok(())
}

fn check_that_it_survives_storage(event: &GameEvent) -> TestCaseResult {
    let (event_type, data) = encode(event);
    prop_assert_eq!(&decode(event_type, &data).expect("an encoded event"), event);
    Ok(())
}

fn mirror(column: Column) -> Column {
    Column::ALL[6 - column as usize]
}

/// The cells of all lines of four, found by checking four cells at a time in every direction.
fn lines_seen(board: &Board, disc: Disc) -> Vec<String> {
    let columns: Vec<Vec<_>> = Column::ALL
        .map(|column| board.discs(column).collect())
        .into();
    let lies_at = |(column, row): (i32, i32)| {
        let cell = usize::try_from(column)
            .ok()
            .zip(usize::try_from(row).ok())
            .and_then(|(column, row)| columns.get(column)?.get(row));
        cell == Some(&disc)
    };
    let mut cells = Vec::new();
    for column in 0..7 {
        for row in 0..6 {
            for (right, up) in [(0, 1), (1, 0), (1, 1), (1, -1)] {
                let four = [0, 1, 2, 3].map(|step| (column + step * right, row + step * up));
                if four.into_iter().all(lies_at) {
                    cells.extend(four);
                }
            }
        }
    }
    cells.sort_unstable();
    cells.dedup();
    let letters = (0..).zip(["A", "B", "C", "D", "E", "F", "G"]);
    let letters: HashMap<i32, _> = letters.collect();
    let named = |(column, row): (i32, i32)| format!("{}{}", letters[&column], row + 1);
    cells.into_iter().map(named).collect()
}
