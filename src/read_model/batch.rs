//! Collects the changes that a batch of events makes, grouped by game. Each event is checked
//! against its game first.
//!
//! Nothing is written here. Fifty events of one game become one change of one row.

use std::collections::{HashMap, HashSet};

use rusqlite::Connection;
use uuid::Uuid;

use super::outcome::IN_PROGRESS;
use super::projector_state::{Listed, ProjectorState, Truncation, find};
use super::queries::player_number;
use crate::application::{GameFold, GameId, Seats, upcast};
use crate::domain::PlayerName;
use crate::event_store::{GlobalPosition, RecordedEvent, StreamRevision};

/// A message that a subscription delivered about a stream.
#[derive(Debug)]
pub(super) enum Delivered {
    Event(RecordedEvent),
    /// The first event of the game's stream was deleted, or may be deleted from now on.
    Truncated(GameId),
}

/// A game that a batch changes.
#[derive(Debug)]
pub(super) struct Touched {
    pub(super) id: GameId,
    /// `None` for a game that was never in a list.
    pub(super) listed: Option<Listed>,
    /// The outcome in the game's row; `None` when the game has no row.
    pub(super) stored: Option<i64>,
    pub(super) standing: Standing,
}

/// Whether lists show a game.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Readable,
    Unreadable,
    Deleted,
}

/// A stream whose events are not a valid game.
#[derive(Debug)]
pub(super) struct Unreadable {
    pub(super) stream: String,
    pub(super) revision: i64,
    pub(super) reason: String,
}

/// The content of a game's stream in the store.
#[derive(Debug)]
pub(super) enum History {
    /// The stream does not exist, or has no events.
    Absent,
    /// The stream's first event was deleted.
    Deleted,
    /// The game folded from all events before the one that needed the history.
    Whole(GameFold),
    Unreadable(Unreadable),
}

/// Why a batch cannot add a message.
#[derive(Debug)]
pub(super) enum Halt {
    /// The history of this game before the revision is needed. Add it to the batch and try again.
    NeedsHistory {
        game: GameId,
        before: StreamRevision,
    },
    /// The stream of a game that was recorded as deleted is complete again. Only a rebuild finds
    /// the game's number and events.
    Undeleted(GameId),
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Halt {
    fn from(error: rusqlite::Error) -> Halt {
        Halt::Sqlite(error)
    }
}

/// The last event of a batch, which becomes the checkpoint.
#[derive(Debug, Clone)]
pub(super) struct Last {
    pub(super) position: GlobalPosition,
    pub(super) id: Uuid,
    pub(super) time: i64,
}

/// What one transaction changes.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) games: Vec<Touched>,
    pub(super) unreadable: Vec<Unreadable>,
    pub(super) truncations: HashMap<GameId, Truncation>,
    pub(super) new_players: HashMap<PlayerName, i64>,
    pub(super) events: u64,
    pub(super) last: Option<Last>,
    /// The index of each game in `games`.
    pub(super) places: HashMap<GameId, usize>,
    /// Streams of this batch that are skipped because their names do not contain a game id.
    other_streams: HashSet<String>,
    /// Games whose streams may have lost their first event.
    pub(super) to_check: Vec<GameId>,
    histories: HashMap<GameId, History>,
}

impl Batch {
    /// Adds the history that [`Halt::NeedsHistory`] asked for.
    pub(super) fn add_history(&mut self, id: GameId, history: History) {
        self.histories.insert(id, history);
    }

    /// Adds the next message, unless a history is needed first.
    pub(super) fn take(
        &mut self,
        memory: &mut ProjectorState,
        connection: &Connection,
        delivered: &Delivered,
    ) -> Result<(), Halt> {
        match delivered {
            Delivered::Event(event) => self.take_event(memory, connection, event),
            Delivered::Truncated(game) => {
                self.to_check.push(*game);
                Ok(())
            }
        }
    }

    /// Skips an event that was already applied: a store may deliver events again after a lost
    /// connection.
    fn take_event(
        &mut self,
        memory: &mut ProjectorState,
        connection: &Connection,
        event: &RecordedEvent,
    ) -> Result<(), Halt> {
        let last = self.last.as_ref().map(|last| last.position);
        if last.or(memory.checkpoint) >= Some(event.position) {
            return Ok(());
        }
        match GameId::of_stream(&event.stream) {
            None => self.take_other_stream(memory, connection, event)?,
            Some(id) => self.take_of_game(memory, connection, id, event)?,
        }
        self.last = Some(Last {
            position: event.position,
            id: event.id,
            time: event.recorded_at.timestamp_micros(),
        });
        self.events += 1;
        Ok(())
    }

    fn take_other_stream(
        &mut self,
        memory: &ProjectorState,
        connection: &Connection,
        event: &RecordedEvent,
    ) -> rusqlite::Result<()> {
        let stream = event.stream.as_str();
        if !self.other_streams.contains(stream) {
            self.other_streams.insert(stream.to_owned());
            if !memory.is_unreadable(connection, stream)? {
                let reason = "the stream's name does not contain a game id".to_owned();
                self.unreadable.push(unreadable(event, reason));
            }
        }
        Ok(())
    }

    fn take_of_game(
        &mut self,
        memory: &mut ProjectorState,
        connection: &Connection,
        id: GameId,
        event: &RecordedEvent,
    ) -> Result<(), Halt> {
        let place = match self.places.get(&id) {
            Some(place) => *place,
            None => {
                let touched = self.touch(memory, connection, id, event)?;
                self.put(touched)
            }
        };
        let touched = &mut self.games[place];
        match touched.standing {
            Standing::Readable => {}
            Standing::Unreadable | Standing::Deleted => return Ok(()),
        }
        let mut beginning = None;
        let fold = match &mut touched.listed {
            Some(listed) => &mut listed.fold,
            None => beginning.insert(GameFold::default()),
        };
        if let Err(reason) = fold.fold(event) {
            touched.standing = Standing::Unreadable;
            self.unreadable.push(unreadable(event, reason.to_string()));
            return Ok(());
        }
        let at = upcast::recorded_at(event).timestamp_micros();
        if let Some(fold) = beginning {
            let listed = self.begin(memory, connection, fold, event)?;
            self.games[place].listed = listed;
        } else if let Some(listed) = &mut touched.listed {
            listed.revision = super::queries::to_sql(event.revision.number());
            listed.changed_at = at;
        }
        Ok(())
    }

    pub(super) fn put(&mut self, touched: Touched) -> usize {
        let place = self.games.len();
        self.places.insert(touched.id, place);
        self.games.push(touched);
        place
    }

    /// The game's state before the first event of this batch that belongs to it.
    fn touch(
        &mut self,
        memory: &mut ProjectorState,
        connection: &Connection,
        id: GameId,
        event: &RecordedEvent,
    ) -> Result<Touched, Halt> {
        let mut touched = Touched {
            id,
            listed: None,
            stored: None,
            standing: Standing::Readable,
        };
        match self.truncation(memory, connection, id)? {
            None => {}
            Some(Truncation::Watched) => self.to_check.push(id),
            Some(Truncation::Deleted) => {
                touched.standing = Standing::Deleted;
                return Ok(touched);
            }
        }
        if let Some((_, listed)) = memory.running.remove(&id) {
            touched.listed = Some(listed);
            touched.stored = Some(IN_PROGRESS);
            return Ok(touched);
        }
        let row = find(connection, id)?;
        if row.is_none() {
            if memory.is_unreadable(connection, event.stream.as_str())? {
                touched.standing = Standing::Unreadable;
                return Ok(touched);
            }
            // The stream begins with this event, or its first event was deleted.
            if event.revision == StreamRevision::FIRST {
                return Ok(touched);
            }
        }
        let history = self.history(id, event.revision)?;
        if let Some((listed, outcome)) = row {
            touched.listed = Some(listed);
            touched.stored = Some(outcome);
        }
        match (history, &mut touched.listed) {
            (History::Whole(fold), Some(listed)) => listed.fold = fold,
            // The first event was never delivered, so this event follows a gap. Folding it into
            // an empty game marks the stream as unreadable.
            (History::Whole(_), None) => {}
            (History::Unreadable(unreadable), _) => {
                touched.standing = Standing::Unreadable;
                self.unreadable.push(unreadable);
            }
            (History::Absent | History::Deleted, _) => {
                touched.standing = Standing::Deleted;
                self.mark_deleted(id);
            }
        }
        Ok(touched)
    }

    pub(super) fn history(
        &mut self,
        game: GameId,
        before: StreamRevision,
    ) -> Result<History, Halt> {
        let history = self.histories.remove(&game);
        history.ok_or(Halt::NeedsHistory { game, before })
    }

    /// Assigns a number to a new game, and to its players if they are new.
    fn begin(
        &mut self,
        memory: &mut ProjectorState,
        connection: &Connection,
        fold: GameFold,
        event: &RecordedEvent,
    ) -> rusqlite::Result<Option<Listed>> {
        let Some(players) = fold.game().players() else {
            return Ok(None);
        };
        let players = [
            self.player(memory, connection, &players.one)?,
            self.player(memory, connection, &players.two)?,
        ];
        let at = upcast::recorded_at(event).timestamp_micros();
        let number = memory.next_game;
        memory.next_game += 1;
        Ok(Some(Listed {
            number,
            players,
            fold,
            revision: 0,
            started_at: at,
            changed_at: at,
            is_protected: Seats::of_metadata(&event.metadata).is_some(),
        }))
    }

    fn player(
        &mut self,
        memory: &mut ProjectorState,
        connection: &Connection,
        name: &PlayerName,
    ) -> rusqlite::Result<i64> {
        if let Some(number) = memory.players.get(name) {
            return Ok(*number);
        }
        let known = match self.new_players.get(name) {
            Some(number) => Some(*number),
            None => player_number(connection, name.as_str())?,
        };
        let number = known.unwrap_or_else(|| {
            let number = memory.next_player;
            memory.next_player += 1;
            self.new_players.insert(name.clone(), number);
            number
        });
        memory.players.insert(name.clone(), number);
        Ok(number)
    }
}

fn unreadable(event: &RecordedEvent, reason: String) -> Unreadable {
    Unreadable {
        stream: event.stream.as_str().to_owned(),
        revision: super::queries::to_sql(event.revision.number()),
        reason,
    }
}
