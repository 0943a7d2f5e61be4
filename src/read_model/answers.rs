//! What is asked about many games, and what is answered.

use chrono::{DateTime, Utc};

use crate::application::GameId;
use crate::domain::GameResult;
use crate::event_store::GlobalPosition;

/// Which games, newest first. A filter that is `None` takes all.
#[derive(Debug, Clone, Default)]
pub struct GamesQuery {
    /// Whether they have ended.
    pub status: Option<GameStatus>,
    /// Who takes part, on either side.
    pub player: Option<String>,
    /// How they ended.
    pub result: Option<GameResult>,
    /// Only those with lesser numbers: the [`GamesPage::next`] of the page before.
    pub before: Option<u64>,
    /// How many at the most.
    pub limit: usize,
}

/// Whether a game has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GameStatus {
    /// It waits for its next move.
    InProgress,
    /// It takes no more moves.
    Finished,
}

/// Some games, newest first, as they stood at one position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GamesPage {
    /// The games.
    pub games: Vec<GameSummary>,
    /// Where the next page begins; `None` when no older game is asked for.
    pub next: Option<u64>,
    /// The last event that the page reflects; `None` when there is none yet.
    pub position: Option<GlobalPosition>,
}

/// A game in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GameSummary {
    /// Its number in the order in which games were started. A game keeps its number, also in
    /// a file that is built again; some numbers may be missing.
    pub number: u64,
    /// Its name.
    pub id: GameId,
    /// The revision of its last event.
    pub revision: u64,
    /// Who began.
    pub player_one: String,
    /// Who plays red.
    pub player_two: String,
    /// Whose turn it is; `None` when it has ended.
    pub next_player: Option<String>,
    /// How it ended; `None` while it goes on.
    pub result: Option<GameResult>,
    /// When it was started.
    pub started_at: DateTime<Utc>,
    /// When its last event was recorded.
    pub changed_at: DateTime<Utc>,
}

/// A player's games, counted. A game against oneself counts once, and when somebody won it
/// as won.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlayerRecord {
    /// The name: any text, since the tutorial stored names as they were typed.
    pub player: String,
    /// All games: the sum of the others.
    pub played: u64,
    /// Games that they won.
    pub won: u64,
    /// Games that somebody else won.
    pub lost: u64,
    /// Games that nobody won.
    pub tied: u64,
    /// Games that go on.
    pub in_progress: u64,
}

/// What players are ordered by, the most first; who has as many stands in the order of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlayersSort {
    /// By the games that they won.
    Won,
    /// By the games that they take part in.
    Played,
}

/// An answer, and the position that it reflects: both are of the same moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<T> {
    /// What was asked for.
    pub value: T,
    /// The last event that it reflects; `None` when there is none yet.
    pub position: Option<GlobalPosition>,
}
