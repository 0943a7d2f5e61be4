//! The numbers that stand for game results in the tables, and the counters of players by result.

use crate::domain::GameResult;

pub(super) const IN_PROGRESS: i64 = 0;
const PLAYER_ONE_WON: i64 = 1;
const PLAYER_TWO_WON: i64 = 2;
const TIED: i64 = 3;

pub(super) const OUTCOMES: [i64; 4] = [IN_PROGRESS, PLAYER_ONE_WON, PLAYER_TWO_WON, TIED];

/// The number for a result, or for a game in progress.
pub(super) fn outcome_of(result: Option<GameResult>) -> i64 {
    match result {
        None => IN_PROGRESS,
        Some(GameResult::PlayerOneWon) => PLAYER_ONE_WON,
        Some(GameResult::PlayerTwoWon) => PLAYER_TWO_WON,
        Some(GameResult::Tied) => TIED,
    }
}

pub(super) fn result_of(outcome: i64) -> Option<GameResult> {
    match outcome {
        PLAYER_ONE_WON => Some(GameResult::PlayerOneWon),
        PLAYER_TWO_WON => Some(GameResult::PlayerTwoWon),
        TIED => Some(GameResult::Tied),
        _ => None,
    }
}

/// The change of a player's counters by one batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) played: i64,
    pub(super) won: i64,
    pub(super) lost: i64,
    pub(super) tied: i64,
    pub(super) in_progress: i64,
}

impl Tally {
    /// Counts a game with this outcome for a player on these sides; `times` is 1, or -1 to
    /// remove the game.
    pub(super) fn add(&mut self, outcome: i64, is_one: bool, is_two: bool, times: i64) {
        self.played += times;
        let counter = match result_of(outcome) {
            None => &mut self.in_progress,
            Some(GameResult::Tied) => &mut self.tied,
            Some(GameResult::PlayerOneWon) if is_one => &mut self.won,
            Some(GameResult::PlayerTwoWon) if is_two => &mut self.won,
            Some(GameResult::PlayerOneWon | GameResult::PlayerTwoWon) => &mut self.lost,
        };
        *counter += times;
    }
}
