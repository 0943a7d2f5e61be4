//! What holds for every game and every history, shown on generated ones.

use connect_four::application::{decode, encode};
use connect_four::domain::{
    Board, Cell, Column, Command, Disc, Game, GameEvent, GameResult, MakeMove, PlayerName, Players,
    StartGame, decide, evolve, replay,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestCaseResult;
use serde_json::json;

proptest! {
    #[test]
    fn a_game_ends_within_42_moves(game in any_game()) {
        prop_assert!(matches!(game.last(), Game::Finished(_)));
        prop_assert!(game.columns.len() <= 42);
    }

    #[test]
    fn replay_reaches_the_states_that_were_reached_live(game in any_game()) {
        let mut replayed = Game::default();
        for (event, live) in game.events.iter().zip(&game.states) {
            replay(&mut replayed, event).expect("what was played can be explained");
            prop_assert_eq!(&replayed, live);
        }
    }

    #[test]
    fn a_move_is_recorded_as_itself_and_as_the_end_if_it_is(
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
    fn the_legal_columns_are_those_that_are_accepted(game in any_game()) {
        for state in &game.states {
            let player = state.next_player().unwrap_or(&game.players.one);
            let is_accepted =
                |column: &Column| decide(state, &command(player, *column)).is_ok();
            let accepted: Vec<_> = Column::ALL.into_iter().filter(is_accepted).collect();
            prop_assert_eq!(state.legal_columns(), accepted);
        }
    }

    #[test]
    fn shifting_words_finds_the_lines_that_looking_at_cells_finds(
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
    fn the_first_four_win_and_a_full_board_without_is_a_tie(game in any_game()) {
        let winner = |state: &Game| {
            [GameResult::PlayerOneWon, GameResult::PlayerTwoWon]
                .into_iter()
                .zip([Disc::Yellow, Disc::Red])
                .find(|(_, disc)| !lines_seen(&state.board(), *disc).is_empty())
                .map(|(result, _)| result)
        };
        // The last but one state already has the last disc; only the result is missing.
        let (last, earlier) = game.states.split_last().expect("a game has states");
        for state in &earlier[..earlier.len() - 1] {
            prop_assert_eq!(winner(state), None);
            prop_assert!(!state.board().is_full());
        }
        let expected = winner(last).unwrap_or(GameResult::Tied);
        prop_assert_eq!(last.result(), Some(expected));
        prop_assert_eq!(last.board().is_full() || expected != GameResult::Tied, true);
        prop_assert_eq!(last.winning_line().is_empty(), expected == GameResult::Tied);
    }

    #[test]
    fn a_mirrored_game_goes_the_same_way(game in any_game()) {
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
    fn replay_takes_any_events_and_what_it_refuses_changes_nothing(
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
    fn any_history_that_can_be_explained_can_be_decided_on(
        moves in vec(any_move_made(), 0..60),
        asked in any_move(),
    ) {
        let started = GameEvent::GameStarted { player_one: name("ada"), player_two: name("grace") };
        // What cannot be explained leaves the game as it was.
        let game = moves.iter().fold(evolve(Game::default(), &started), evolve);
        check_what_is_recorded(&game, &asked)?;
    }

    #[test]
    fn decoding_takes_any_bytes(event_type in any_event_type(), data in vec(any::<u8>(), 0..99)) {
        drop(decode(&event_type, &data));
    }

    #[test]
    fn decoding_takes_damaged_data(
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

/// An accepted move is `MoveMade`, or `MoveMade` and `GameFinished`; the history goes on with
/// them.
fn check_what_is_recorded(game: &Game, asked: &MakeMove) -> TestCaseResult {
    let Ok(events) = decide(game, &Command::MakeMove(asked.clone())) else {
        return Ok(());
    };
    let made = GameEvent::MoveMade {
        player: asked.player.clone(),
        column: asked.column,
    };
    let (first, rest) = events.split_first().expect("never no events");
    prop_assert_eq!(first, &made);
    let mut after = game.clone();
    replay(&mut after, first).expect("a legal move can be explained");
    match rest {
        [] => prop_assert!(!after.board().is_full()),
        [end @ GameEvent::GameFinished { .. }] => {
            replay(&mut after, end).expect("an end can be explained");
            prop_assert!(matches!(after, Game::Finished(_)));
        }
        other => prop_assert!(false, "{other:?}"),
    }
    Ok(())
}

fn check_that_it_survives_storage(event: &GameEvent) -> TestCaseResult {
    let (event_type, data) = encode(event);
    let decoded = decode(event_type, &data).expect("what was encoded can be decoded");
    prop_assert_eq!(&decoded, event);
    Ok(())
}

/// A game that was played in turns to its end, with the game after each of its events.
#[derive(Debug, Clone)]
struct Played {
    players: Players,
    columns: Vec<Column>,
    events: Vec<GameEvent>,
    states: Vec<Game>,
}

impl Played {
    fn started(players: Players) -> Played {
        let mut played = Played {
            players: players.clone(),
            columns: Vec::new(),
            events: Vec::new(),
            states: Vec::new(),
        };
        played.carry_out(&Command::StartGame(StartGame { players }));
        played
    }

    fn play(&mut self, column: Column) {
        let next = self.last().next_player().expect("a game in progress");
        self.carry_out(&command(next, column));
        self.columns.push(column);
    }

    fn carry_out(&mut self, command: &Command) {
        for event in decide(self.last(), command).expect("a legal command") {
            self.states.push(evolve(self.last().clone(), &event));
            self.events.push(event);
        }
    }

    fn last(&self) -> &Game {
        self.states.last().unwrap_or(&Game::NotStarted)
    }

    /// The legal columns; with patience, only those that let the game go on, if there are any.
    fn choices(&self, patient: bool) -> Vec<Column> {
        let mut choices = self.last().legal_columns();
        let goes_on = |column: &Column| {
            let next = self.last().next_player().expect("a game in progress");
            decide(self.last(), &command(next, *column)).is_ok_and(|events| events.len() == 1)
        };
        if patient && choices.iter().any(goes_on) {
            choices.retain(goes_on);
        }
        choices
    }
}

/// Patient games are long: many of them fill the board.
fn any_game() -> impl Strategy<Value = Played> {
    let choices = vec(any::<Index>(), 42);
    (any_players(), any::<bool>(), choices).prop_map(|(players, patient, choices)| {
        let mut played = Played::started(players);
        for choice in choices {
            let columns = played.choices(patient);
            if columns.is_empty() {
                break;
            }
            played.play(*choice.get(&columns));
        }
        played
    })
}

fn any_event() -> impl Strategy<Value = GameEvent> {
    use GameResult::{PlayerOneWon, PlayerTwoWon, Tied};
    let started =
        (any_name(), any_name()).prop_map(|(player_one, player_two)| GameEvent::GameStarted {
            player_one,
            player_two,
        });
    let finished = select(vec![PlayerOneWon, PlayerTwoWon, Tied])
        .prop_map(|result| GameEvent::GameFinished { result });
    prop_oneof![3 => started, 20 => any_move_made(), 1 => finished]
}

fn any_move_made() -> impl Strategy<Value = GameEvent> {
    any_move().prop_map(|MakeMove { player, column }| GameEvent::MoveMade { player, column })
}

fn any_event_type() -> impl Strategy<Value = String> {
    let known = select(vec!["GameStarted", "MoveMade", "GameFinished"]).prop_map(str::to_owned);
    prop_oneof![9 => known, 1 => any_text()]
}

fn any_move() -> impl Strategy<Value = MakeMove> {
    (any_name(), any_column()).prop_map(|(player, column)| MakeMove { player, column })
}

fn any_players() -> impl Strategy<Value = Players> {
    (any_name(), any_name()).prop_filter_map("two different names", |(one, two)| {
        Players::new(one, two).ok()
    })
}

/// A name that somebody in the generated histories bears, or any text at all.
fn any_name() -> impl Strategy<Value = PlayerName> {
    let known = select(vec!["ada", "grace", "mallory"]).prop_map(str::to_owned);
    prop_oneof![2 => known, 1 => any_text()].prop_map(|text| name(&text))
}

fn any_text() -> impl Strategy<Value = String> {
    vec(any::<char>(), 0..70).prop_map(String::from_iter)
}

fn any_column() -> impl Strategy<Value = Column> {
    select(Column::ALL.to_vec())
}

fn any_disc() -> impl Strategy<Value = Disc> {
    select(vec![Disc::Yellow, Disc::Red])
}

/// A stored name may be any text, unlike one that a client sends.
fn name(text: &str) -> PlayerName {
    serde_json::from_value(json!(text)).expect("any text is a stored name")
}

fn move_of(player: &PlayerName, column: Column) -> MakeMove {
    MakeMove {
        player: player.clone(),
        column,
    }
}

fn command(player: &PlayerName, column: Column) -> Command {
    Command::MakeMove(move_of(player, column))
}

fn mirror(column: Column) -> Column {
    Column::ALL[6 - column as usize]
}

/// The cells of all fours, found by looking at four cells at a time in every direction.
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
    let letters = ["A", "B", "C", "D", "E", "F", "G"];
    let named = |(column, row): (i32, i32)| {
        let column = usize::try_from(column).expect("a cell that has a disc");
        format!("{}{}", letters[column], row + 1)
    };
    cells.into_iter().map(named).collect()
}
