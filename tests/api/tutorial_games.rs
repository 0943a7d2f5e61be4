//! Plays the games that the tutorial's own code played, over HTTP.

use serde_json::{Value, json};

use crate::service::{Answer, Game, Service, on_every_store};
use crate::tutorial::{Outcome, RecordedGame, State, recorded_games};

on_every_store! {
    async fn the_tutorials_games_have_the_same_outcome_over_http(service: Service) {
        for recorded in recorded_games() {
            play(&service, &recorded).await;
        }
    }
}

async fn play(service: &Service, recorded: &RecordedGame) {
    let (before_the_start, attempts) = recorded.attempts_around_the_start();
    let nowhere = Game {
        service,
        id: "01a20715-267e-7489-b4cd-306001f15c27".to_owned(),
    };
    for attempt in before_the_start {
        let answer = nowhere.move_by(&attempt.player, &attempt.column).await;
        assert_refused(recorded, &attempt.player, "game-not-started", &answer);
    }

    let game = service
        .start_game(&recorded.player_one, &recorded.player_two)
        .await;
    for attempt in attempts {
        let answer = game.move_by(&attempt.player, &attempt.column).await;
        match &attempt.outcome {
            Outcome::Accepted { accepted, state } => {
                let after = answer.is(201).json();
                assert_eq!(state_of(&after), *state);
                assert_eq!(after["is_finished"], accepted.len() == 2);
            }
            Outcome::Rejected { rejected } => {
                assert_refused(recorded, &attempt.player, rejected, &answer);
            }
        }
    }

    assert_eq!(
        state_of(&game.get("").await.is(200).json()),
        recorded.last_state
    );
    let page = game.get("/events?limit=100").await.is(200).json();
    let stored: Vec<_> = page["events"]
        .as_array()
        .expect("events")
        .iter()
        .map(|event| json!({"type": event["type"], "data": event["data"]}))
        .collect();
    let expected: Vec<_> = recorded
        .stream
        .iter()
        .map(|event| json!({"type": event.event_type, "data": event.data}))
        .collect();
    assert_eq!(stored, expected);
}

/// The tutorial has fewer errors than the service: it reports "not your turn" also for a player who
/// is not in the game.
fn assert_refused(recorded: &RecordedGame, player: &str, rejected: &str, answer: &Answer) {
    let is_stranger = player != recorded.player_one && player != recorded.player_two;
    match rejected {
        "not-your-turn" if is_stranger => answer.is_problem(409, "player-not-in-game"),
        "game-not-started" => answer.is_problem(404, "game-not-found"),
        slug => answer.is_problem(409, slug),
    };
}

/// The game in the format of the tutorial.
fn state_of(game: &Value) -> State {
    let text = |member: &str| game[member].as_str().map(str::to_owned);
    let discs = |column: &Value| {
        let discs = column.as_array().expect("a column");
        let letters = discs.iter().map(|disc| match disc.as_str() {
            Some("YELLOW") => 'Y',
            Some("RED") => 'R',
            other => panic!("{other:?} is not a disc"),
        });
        letters.collect()
    };
    let board = game["board"].as_object().expect("a board");
    State {
        next_player: text("next_player"),
        is_finished: game["is_finished"] == true,
        result: text("result"),
        board: board.values().map(discs).collect(),
    }
}
