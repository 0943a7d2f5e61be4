//! Events on their way into the tables: judged one by one, gathered by game.
//!
//! Nothing is written here. A game that fifty events of a batch are about becomes one row.

use std::collections::{HashMap, HashSet};

use rusqlite::Connection;
use uuid::Uuid;

use super::outcome::IN_PROGRESS;
use super::projector_state::{Listed, ProjectorState, Truncation, find};
use super::queries::player_number;
use crate::application::{GameFold, GameId};
use crate::domain::PlayerName;
use crate::event_store::{GlobalPosition, RecordedEvent, StreamRevision};

/// What a subscription delivered about streams.
#[derive(Debug)]
pub(super) enum Delivered {
    Event(RecordedEvent),
    /// The beginning of the game's stream is gone, or may be from now on.
    Truncated(GameId),
}

/// A game that a batch changes.
#[derive(Debug)]
pub(super) struct Touched {
    pub(super) id: GameId,
    /// `None` for one that never was in a list.
    pub(super) listed: Option<Listed>,
    /// The outcome in its row; `None` when it has none.
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

/// A stream that no game explains.
#[derive(Debug)]
pub(super) struct Unreadable {
    pub(super) stream: String,
    pub(super) revision: i64,
    pub(super) reason: String,
}

/// A game's stream as it is in the store.
#[derive(Debug)]
pub(super) enum History {
    Absent,
    /// Its first event is gone.
    Deleted,
    /// The game before the event that asked for it.
    Whole(GameFold),
    Unreadable(Unreadable),
}

/// Why a batch cannot take what was delivered.
#[derive(Debug)]
pub(super) enum Halt {
    /// It has to be told the history of this game up to the revision, and can take it then.
    NeedsHistory {
        game: GameId,
        before: StreamRevision,
    },
    /// A game that was deleted is there again: its number and its events have to be found.
    WholeAgain(GameId),
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Halt {
    fn from(error: rusqlite::Error) -> Halt {
        Halt::Sqlite(error)
    }
}

/// The last event of a batch.
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
    /// Where the games are in `games`.
    pub(super) places: HashMap<GameId, usize>,
    /// Streams that are skipped, of those whose names are no game's.
    nameless: HashSet<String>,
    /// Games whose streams may have lost their beginning.
    pub(super) to_look_at: Vec<GameId>,
    histories: HashMap<GameId, History>,
}

impl Batch {
    /// Tells what was asked for.
    pub(super) fn tell(&mut self, id: GameId, history: History) {
        self.histories.insert(id, history);
    }

    /// Takes what was delivered next, unless something has to be told before.
    pub(super) fn take(
        &mut self,
        memory: &mut ProjectorState,
        connection: &Connection,
        delivered: &Delivered,
    ) -> Result<(), Halt> {
        match delivered {
            Delivered::Event(event) => self.take_event(memory, connection, event),
            Delivered::Truncated(game) => {
                self.to_look_at.push(*game);
                Ok(())
            }
        }
    }

    /// An event that is not new is passed over, since a store that went away may deliver it
    /// again.
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
            None => self.take_nameless(memory, connection, event)?,
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

    fn take_nameless(
        &mut self,
        memory: &ProjectorState,
        connection: &Connection,
        event: &RecordedEvent,
    ) -> rusqlite::Result<()> {
        let stream = event.stream.as_str();
        if !self.nameless.contains(stream) {
            self.nameless.insert(stream.to_owned());
            if !memory.is_unreadable(connection, stream)? {
                let reason = "the stream's name is no game's".to_owned();
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
        let at = event.recorded_at.timestamp_micros();
        if let Some(fold) = beginning {
            let listed = self.begin(memory, connection, fold, at)?;
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

    /// The game as it stands before the first event of the batch that is about it.
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
            Some(Truncation::Watched) => self.to_look_at.push(id),
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
            // Any other stream begins here, or its beginning is gone.
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
            // Its first event was never delivered, so that this one follows a gap.
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

    /// Gives a game that has begun its number, and its players theirs.
    fn begin(
        &mut self,
        memory: &mut ProjectorState,
        connection: &Connection,
        fold: GameFold,
        at: i64,
    ) -> rusqlite::Result<Option<Listed>> {
        let Some(players) = fold.game().players() else {
            return Ok(None);
        };
        let players = [
            self.player(memory, connection, &players.one)?,
            self.player(memory, connection, &players.two)?,
        ];
        let number = memory.next_game;
        memory.next_game += 1;
        Ok(Some(Listed {
            number,
            players,
            fold,
            revision: 0,
            started_at: at,
            changed_at: at,
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
