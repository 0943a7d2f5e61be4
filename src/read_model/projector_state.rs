//! What the projector keeps in mind between batches, and where it looks for the rest.

use quick_cache::unsync::Cache;
use rusqlite::{Connection, OptionalExtension};

use super::outcome::outcome_of;
use super::queries::position;
use crate::application::{GameFold, GameId};
use crate::domain::{Game, PlayerName, Side};
use crate::event_store::GlobalPosition;

/// A game that stands in the lists, or is about to.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    pub(super) number: i64,
    /// Their numbers, by side.
    pub(super) players: [i64; 2],
    pub(super) fold: GameFold,
    pub(super) revision: i64,
    pub(super) started_at: i64,
    pub(super) changed_at: i64,
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

/// What is kept in mind between batches. All of it can be lost: it is read again.
#[derive(Debug)]
pub(super) struct ProjectorState {
    /// Games in progress, as their rows have them.
    pub(super) running: Cache<GameId, Listed>,
    pub(super) players: Cache<PlayerName, i64>,
    pub(super) next_game: i64,
    pub(super) next_player: i64,
    pub(super) unreadable: i64,
    /// Whether any stream was ever truncated.
    pub(super) has_truncated: bool,
    pub(super) checkpoint: Option<GlobalPosition>,
}

/// What is known of a stream that was truncated, or may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Truncation {
    /// Its first event was there at the last look, and may go with every further event.
    Watched,
    /// Its first event is gone, and with it the game.
    Deleted,
}

/// How many games in progress are kept in mind, at some three hundred bytes each.
const RUNNING_GAMES: usize = 65_536;
const PLAYERS: usize = 65_536;

impl ProjectorState {
    /// What the tables say.
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

    /// Whether the stream is known as one that no game explains.
    pub(super) fn is_unreadable(
        &self,
        connection: &Connection,
        stream: &str,
    ) -> rusqlite::Result<bool> {
        // Hardly any store has one, and then nobody has to look.
        if self.unreadable == 0 {
            return Ok(false);
        }
        connection
            .prepare_cached("SELECT 1 FROM unreadable_streams WHERE stream = ?1")?
            .exists([stream])
    }

    /// What is known of the game's stream, if it was truncated.
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

/// The game's row and its outcome; what led to it is not in the row.
pub(super) fn find(connection: &Connection, id: GameId) -> rusqlite::Result<Option<(Listed, i64)>> {
    connection
        .prepare_cached(
            "SELECT number, player_one, player_two, revision, started_at, changed_at, outcome
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
            };
            Ok((listed, row.get(6)?))
        })
        .optional()
}
