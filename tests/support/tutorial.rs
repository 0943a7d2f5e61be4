//! Reads `tests/tutorial-games.jsonl`: a hundred games that the tutorial's own Python code played. The
//! recording includes the refused moves.

use serde::Deserialize;
use serde_json::Value;

/// One recorded game.
#[derive(Debug, Deserialize)]
pub(crate) struct RecordedGame {
    pub(crate) player_one: String,
    pub(crate) player_two: String,
    /// Every attempted move, in order.
    pub(crate) attempts: Vec<Attempt>,
    /// Every event of the game, as the tutorial stored it.
    pub(crate) stream: Vec<StoredEvent>,
    /// The state after the last attempt.
    #[serde(rename = "final")]
    pub(crate) last_state: State,
}

/// An attempted move and its outcome.
#[derive(Debug, Deserialize)]
pub(crate) struct Attempt {
    pub(crate) player: String,
    pub(crate) column: String,
    #[serde(flatten)]
    pub(crate) outcome: Outcome,
}

/// The outcome of an attempted move.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Outcome {
    /// The recorded events, and the state of the game after them.
    Accepted {
        accepted: Vec<StoredEvent>,
        state: State,
    },
    /// The slug of the problem. The tutorial has one error for two rules, so `not-your-turn` is also the
    /// outcome for a player who is not in the game.
    Rejected { rejected: String },
}

/// A stored event. Its data is parsed JSON, so that white space and escapes do not matter.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct StoredEvent {
    #[serde(rename = "type")]
    pub(crate) event_type: String,
    pub(crate) data: Value,
}

/// A game in the format of the tutorial.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct State {
    pub(crate) next_player: Option<String>,
    pub(crate) is_finished: bool,
    pub(crate) result: Option<String>,
    /// Columns A to G, each from the bottom up: `Y` is a disc of player one, `R` of player two.
    pub(crate) board: Vec<String>,
}

impl RecordedGame {
    /// The attempts before the start of the game, and those after it.
    pub(crate) fn attempts_around_the_start(&self) -> (&[Attempt], &[Attempt]) {
        let too_early = |attempt: &Attempt| matches!(&attempt.outcome, Outcome::Rejected { rejected } if rejected == "game-not-started");
        let start = self.attempts.partition_point(too_early);
        self.attempts.split_at(start)
    }
}

/// All recorded games.
pub(crate) fn recorded_games() -> Vec<RecordedGame> {
    let games: Vec<_> = include_str!("../tutorial-games.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).expect("each line is a recorded game"))
        .collect();
    assert_eq!(games.len(), 100, "games in tests/tutorial-games.jsonl");
    games
}
