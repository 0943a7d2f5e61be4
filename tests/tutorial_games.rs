//! Replays a hundred games that the tutorial's own code played. The rules here accept and refuse the
//! same moves, record the same events and reach the same states.

#[path = "support/tutorial.rs"]
mod tutorial;

use connect_four::application::{decode, encode};
use connect_four::domain::{
    Column, Command, Disc, Game, GameEvent, MakeMove, PlayerName, Players, Rejection, StartGame,
    decide, evolve, replay,
};
use serde_json::json;
use tutorial::{Attempt, Outcome, RecordedGame, State, StoredEvent, recorded_games};

#[test]
fn every_move_is_accepted_or_refused_as_in_the_tutorial() {
    for (line, recorded) in (1..).zip(recorded_games()) {
        let (too_early, in_the_game) = recorded.attempts_around_the_start();
        let mut table = Table::default();
        for (index, attempt) in too_early.iter().enumerate() {
            table.attempt(attempt, &format!("line {line}, attempt {index}"));
        }
        table.start(&recorded);
        for (index, attempt) in in_the_game.iter().enumerate() {
            table.attempt(
                attempt,
                &format!("line {line}, attempt {index} in the game"),
            );
        }
        assert_eq!(table.stored, recorded.stream, "line {line}");
        assert_eq!(state(&table.game), recorded.last_state, "line {line}");
    }
}

#[test]
fn replaying_a_stream_of_the_tutorial_gives_the_state_of_the_tutorial() {
    for (line, recorded) in (1..).zip(recorded_games()) {
        let mut game = Game::default();
        for event in &recorded.stream {
            let event = decode(&event.event_type, event.data.to_string().as_bytes())
                .expect("the tutorial has the same event types");
            replay(&mut game, &event).expect("the tutorial's games are valid");
        }
        assert_eq!(state(&game), recorded.last_state, "line {line}");
    }
}

/// A live game, and the events that its stream would contain.
#[derive(Default)]
struct Table {
    game: Game,
    stored: Vec<StoredEvent>,
}

impl Table {
    fn start(&mut self, recorded: &RecordedGame) {
        let players = Players::new(name(&recorded.player_one), name(&recorded.player_two))
            .expect("two players");
        let events = decide(&self.game, &Command::StartGame(StartGame { players }))
            .expect("nothing happened yet");
        self.record(&events);
    }

    fn attempt(&mut self, attempt: &Attempt, place: &str) {
        let command = Command::MakeMove(MakeMove {
            player: name(&attempt.player),
            column: attempt.column.parse().expect("a column"),
        });
        let before = self.game.clone();
        match (decide(&self.game, &command), &attempt.outcome) {
            (
                Ok(events),
                Outcome::Accepted {
                    accepted,
                    state: after,
                },
            ) => {
                assert_eq!(&self.record(&events), accepted, "{place}");
                assert_eq!(&state(&self.game), after, "{place}");
            }
            (Err(rejection), Outcome::Rejected { rejected }) => {
                assert_eq!(slug(&rejection), rejected, "{place}");
                assert_eq!(self.game, before, "{place}");
            }
            (ours, theirs) => panic!("{place}: we said {ours:?}, the tutorial {theirs:?}"),
        }
    }

    fn record(&mut self, events: &[GameEvent]) -> Vec<StoredEvent> {
        self.game = events.iter().fold(std::mem::take(&mut self.game), evolve);
        let stored: Vec<_> = events.iter().map(stored).collect();
        self.stored.extend_from_slice(&stored);
        stored
    }
}

/// Some recorded names are empty. Only the HTTP API refuses these.
fn name(text: &str) -> PlayerName {
    serde_json::from_value(json!(text)).expect("any text is a name here")
}

fn stored(event: &GameEvent) -> StoredEvent {
    let (event_type, data) = encode(event);
    StoredEvent {
        event_type: event_type.to_owned(),
        data: serde_json::from_slice(&data).expect("JSON"),
    }
}

/// The recording's name for the broken rule.
fn slug(rejection: &Rejection) -> &'static str {
    match rejection {
        Rejection::GameAlreadyStarted { .. } => "game-already-started",
        Rejection::GameNotStarted => "game-not-started",
        Rejection::GameFinished { .. } => "game-finished",
        Rejection::PlayerNotInGame { .. } | Rejection::NotYourTurn { .. } => "not-your-turn",
        Rejection::ColumnFull { .. } => "column-full",
    }
}

/// The game in the format of the tutorial.
fn state(game: &Game) -> State {
    let letter = |disc| match disc {
        Disc::Yellow => 'Y',
        Disc::Red => 'R',
    };
    let result = game.result().map(|result| json!(result));
    State {
        next_player: game.next_player().map(ToString::to_string),
        is_finished: matches!(game, Game::Finished(_)),
        result: result.map(|word| word.as_str().expect("a result is a word").to_owned()),
        board: Column::ALL
            .map(|column| game.board().discs(column).map(letter).collect())
            .to_vec(),
    }
}
