//! The queries about many games and players, and their answers.

use chrono::{DateTime, Utc};

use crate::application::GameId;
use crate::domain::GameResult;
use crate::event_store::GlobalPosition;

/// Which games to list, newest first. A filter that is `None` accepts every game.
#[derive(Debug, Clone, Default)]
pub struct GamesQuery {
    /// Only games in progress, or only finished games.
    pub status: Option<GameStatus>,
    /// Only games of this player, on either side.
    pub player: Option<String>,
    /// Only games that ended with this result.
    pub result: Option<GameResult>,
    /// Only protected games, or only games that are not protected.
    pub is_protected: Option<bool>,
    /// Only games with a smaller number: the [`GamesPage::next`] of the previous page.
    pub before: Option<u64>,
    /// The maximum number of games in the page.
    pub limit: usize,
}

/// Whether a game has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GameStatus {
    /// The game waits for its next move.
    InProgress,
    /// The game accepts no more moves.
    Finished,
}

/// One page of games, newest first. All of them reflect the same position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GamesPage {
    /// At most [`GamesQuery::limit`] games.
    pub games: Vec<GameSummary>,
    /// The [`GamesQuery::before`] of the next page; `None` when this is the last page.
    pub next: Option<u64>,
    /// The position of the last event that the page reflects; `None` when no event was applied yet.
    pub position: Option<GlobalPosition>,
}

/// A game in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GameSummary {
    /// Games are numbered in the order in which they were started. A game has the same number
    /// after a rebuild. Some numbers may be missing.
    pub number: u64,
    /// The game's id.
    pub id: GameId,
    /// The revision of its last event.
    pub revision: u64,
    /// The player with the yellow discs, who moves first.
    pub player_one: String,
    /// The player with the red discs.
    pub player_two: String,
    /// The player whose turn it is; `None` when the game has ended.
    pub next_player: Option<String>,
    /// The result; `None` while the game is in progress.
    pub result: Option<GameResult>,
    /// When the first event was recorded.
    pub started_at: DateTime<Utc>,
    /// When the last event was recorded.
    pub changed_at: DateTime<Utc>,
    /// Whether only the holders of the players' tokens can move.
    pub is_protected: bool,
}

/// How many games a player has, by result. A game of a player against themselves counts once;
/// if either side won it, it counts as won.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlayerRecord {
    /// The player's name. It can be any text, since the tutorial's programs store names unchecked.
    pub player: String,
    /// All games: the sum of the four counters below.
    pub played: u64,
    /// Games that this player won.
    pub won: u64,
    /// Games that the other player won.
    pub lost: u64,
    /// Games that ended in a tie.
    pub tied: u64,
    /// Games that have not ended.
    pub in_progress: u64,
}

/// The counter by which players are sorted, highest first. Players with equal counts are sorted
/// by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlayersSort {
    /// By the number of games won.
    Won,
    /// By the number of games, including those in progress.
    Played,
}

/// An answer and the position that it reflects. Both are read in the same transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<T> {
    /// The answer.
    pub value: T,
    /// The position of the last event that it reflects; `None` when no event was applied yet.
    pub position: Option<GlobalPosition>,
}
