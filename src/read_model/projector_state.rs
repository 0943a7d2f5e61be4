//! What the projector keeps in memory between batches, and the queries for everything else.

use quick_cache::unsync::Cache;
use rusqlite::{Connection, OptionalExtension};

use super::outcome::outcome_of;
use super::queries::position;
use crate::application::{GameFold, GameId};
use crate::domain::{Game, PlayerName, Side};
use crate::event_store::GlobalPosition;

/// A game that is in the lists, or will be after the commit.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    pub(super) number: i64,
    /// The numbers of the two players, player one first.
    pub(super) players: [i64; 2],
    pub(super) fold: GameFold,
    pub(super) revision: i64,
    pub(super) started_at: i64,
    pub(super) changed_at: i64,
    pub(super) is_protected: bool,
}

impl Listed {
    pub(super) fn outcome(&self) -> i64 {
        outcome_of(self.fold.game().result())
    }

    pub(super) fn next_side(&self) -> i64 {
        match self.fold.game() {
            Game::InProgress(game) => match game.next {
                Side::One => 1,
                Side::Two => 2,
            },
            Game::NotStarted | Game::Finished(_) => 0,
        }
    }
}

/// What is kept in memory between batches. It is a cache: all of it can be read from the tables or
/// the store again.
#[derive(Debug)]
pub(super) struct ProjectorState {
    /// Games in progress, equal to their rows.
    pub(super) running: Cache<GameId, Listed>,
    pub(super) players: Cache<PlayerName, i64>,
    pub(super) next_game: i64,
    pub(super) next_player: i64,
    pub(super) unreadable: i64,
    /// Whether any stream was ever truncated.
    pub(super) has_truncated: bool,
    pub(super) checkpoint: Option<GlobalPosition>,
}

/// The state of a stream that was truncated, or may be truncated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Truncation {
    /// The first event existed at the last check. It may be removed when another event is
    /// appended.
    Watched,
    /// The first event was removed, so the game counts as deleted.
    Deleted,
}

/// The maximum number of games in progress in memory, at about 300 bytes each.
const RUNNING_GAMES: usize = 65_536;
const PLAYERS: usize = 65_536;

impl ProjectorState {
    /// Reads the state from the tables, with empty caches.
    pub(super) fn load(connection: &Connection) -> rusqlite::Result<ProjectorState> {
        let select = "SELECT next_game, next_player, (SELECT count(*) FROM unreadable_streams),
                    EXISTS (SELECT 1 FROM truncated_streams)
             FROM projection";
        let checkpoint = position(connection)?;
        connection.query_row(select, [], |row| {
            Ok(ProjectorState {
                running: Cache::new(RUNNING_GAMES),
                players: Cache::new(PLAYERS),
                next_game: row.get(0)?,
                next_player: row.get(1)?,
                unreadable: row.get(2)?,
                has_truncated: row.get(3)?,
                checkpoint,
            })
        })
    }

    /// Whether the stream is recorded as unreadable.
    pub(super) fn is_unreadable(
        &self,
        connection: &Connection,
        stream: &str,
    ) -> rusqlite::Result<bool> {
        // Most stores have no unreadable stream, and need no query.
        if self.unreadable == 0 {
            return Ok(false);
        }
        connection
            .prepare_cached("SELECT 1 FROM unreadable_streams WHERE stream = ?1")?
            .exists([stream])
    }

    /// The state of the game's stream; `None` if it was never truncated.
    pub(super) fn truncation(
        &self,
        connection: &Connection,
        id: GameId,
    ) -> rusqlite::Result<Option<Truncation>> {
        if !self.has_truncated {
            return Ok(None);
        }
        let is_deleted = connection
            .prepare_cached("SELECT is_deleted FROM truncated_streams WHERE game = ?1")?
            .query_row([id.as_uuid().as_bytes()], |row| row.get(0))
            .optional()?;
        Ok(is_deleted.map(|is_deleted| match is_deleted {
            true => Truncation::Deleted,
            false => Truncation::Watched,
        }))
    }
}

/// The game's row and its outcome. The fold is empty: the row does not contain the discs.
pub(super) fn find(connection: &Connection, id: GameId) -> rusqlite::Result<Option<(Listed, i64)>> {
    connection
        .prepare_cached(
            "SELECT number, player_one, player_two, revision, started_at, changed_at, outcome,
                    protected
             FROM games WHERE id = ?1",
        )?
        .query_row([id.as_uuid().as_bytes()], |row| {
            let listed = Listed {
                number: row.get(0)?,
                players: [row.get(1)?, row.get(2)?],
                fold: GameFold::default(),
                revision: row.get(3)?,
                started_at: row.get(4)?,
                changed_at: row.get(5)?,
                is_protected: row.get(7)?,
            };
            Ok((listed, row.get(6)?))
        })
        .optional()
}
