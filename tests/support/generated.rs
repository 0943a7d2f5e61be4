//! Generated games, names and events.

use connect_four::domain::{
    Column, Command, Disc, Game, GameEvent, GameResult, MakeMove, PlayerName, Players, StartGame,
    decide, evolve,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::json;

/// A game that was played to its end, with the state of the game after each event.
#[derive(Debug, Clone)]
pub(crate) struct Played {
    pub(crate) players: Players,
    pub(crate) columns: Vec<Column>,
    pub(crate) events: Vec<GameEvent>,
    pub(crate) states: Vec<Game>,
}

impl Played {
    pub(crate) fn started(players: Players) -> Played {
        let mut played = Played {
            players: players.clone(),
            columns: Vec::new(),
            events: Vec::new(),
            states: Vec::new(),
        };
        played.carry_out(&Command::StartGame(StartGame { players }));
        played
    }

    pub(crate) fn play(&mut self, column: Column) {
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

    pub(crate) fn last(&self) -> &Game {
        self.states.last().unwrap_or(&Game::NotStarted)
    }

    /// The legal columns. If `patient`, only those that do not end the game, unless every column ends it.
    fn choices(&self, patient: bool) -> Vec<Column> {
        let mut choices: Vec<_> = self.last().legal_columns().collect();
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

/// Patient games are long, and many of them fill the board.
pub(crate) fn any_game() -> impl Strategy<Value = Played> {
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

pub(crate) fn any_event() -> impl Strategy<Value = GameEvent> {
    use GameResult::{PlayerOneWon, PlayerTwoWon, Tied};
    let names = (any_name(), any_name());
    let started = names.prop_map(|(player_one, player_two)| GameEvent::GameStarted {
        player_one,
        player_two,
    });
    let results = select(vec![PlayerOneWon, PlayerTwoWon, Tied]);
    let finished = results.prop_map(|result| GameEvent::GameFinished { result });
    prop_oneof![3 => started, 20 => any_move_made(), 1 => finished]
}

pub(crate) fn any_move_made() -> impl Strategy<Value = GameEvent> {
    any_move().prop_map(|MakeMove { player, column }| GameEvent::MoveMade { player, column })
}

pub(crate) fn any_event_type() -> impl Strategy<Value = String> {
    let known = select(vec!["GameStarted", "MoveMade", "GameFinished"]).prop_map(str::to_owned);
    prop_oneof![9 => known, 1 => any_text()]
}

pub(crate) fn any_move() -> impl Strategy<Value = MakeMove> {
    (any_name(), any_column()).prop_map(|(player, column)| MakeMove { player, column })
}

pub(crate) fn any_players() -> impl Strategy<Value = Players> {
    (any_name(), any_name()).prop_filter_map("two different names", |(one, two)| {
        Players::new(one, two).ok()
    })
}

/// The name of a player in the generated histories, or any other text.
pub(crate) fn any_name() -> impl Strategy<Value = PlayerName> {
    let known = select(vec!["ada", "grace", "mallory"]).prop_map(str::to_owned);
    prop_oneof![2 => known, 1 => any_text()].prop_map(|text| name(&text))
}

pub(crate) fn any_text() -> impl Strategy<Value = String> {
    vec(any::<char>(), 0..70).prop_map(String::from_iter)
}

pub(crate) fn any_column() -> impl Strategy<Value = Column> {
    select(Column::ALL.to_vec())
}

pub(crate) fn any_disc() -> impl Strategy<Value = Disc> {
    select(vec![Disc::Yellow, Disc::Red])
}

/// A stored name may be any text, unlike one that a client sends.
pub(crate) fn name(text: &str) -> PlayerName {
    serde_json::from_value(json!(text)).expect("any text is a stored name")
}

pub(crate) fn move_of(player: &PlayerName, column: Column) -> MakeMove {
    MakeMove {
        player: player.clone(),
        column,
    }
}

pub(crate) fn command(player: &PlayerName, column: Column) -> Command {
    Command::MakeMove(move_of(player, column))
}
