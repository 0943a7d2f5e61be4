//! Events on their way into the tables: judged one by one, gathered by game.
//!
//! Nothing is written here. A game that fifty events of a batch are about becomes one row.

use std::collections::{HashMap, HashSet};

use rusqlite::Connection;
use uuid::Uuid;

use super::lists::player_number;
use super::memory::{Listed, Memory, find};
use super::outcome::IN_PROGRESS;
use crate::application::{GameFold, GameId};
use crate::domain::PlayerName;
use crate::event_store::{GlobalPosition, RecordedEvent, StreamName};

/// A game that events of a batch are about.
#[derive(Debug)]
pub(super) struct Touched {
    pub(super) id: GameId,
    /// `None` for one that never was in a list.
    pub(super) listed: Option<Listed>,
    /// The outcome in its row; `None` when it has none.
    pub(super) stored: Option<i64>,
    pub(super) is_readable: bool,
}

/// A stream that no game explains.
#[derive(Debug)]
pub(super) struct Unreadable {
    pub(super) stream: String,
    pub(super) revision: i64,
    pub(super) reason: String,
}

/// What a batch needs to be told before it can take the next event.
#[derive(Debug)]
pub(super) struct NeedsHistory(pub(super) GameId);

/// The last event of a batch.
#[derive(Debug, Clone)]
pub(super) struct Last {
    pub(super) position: GlobalPosition,
    pub(super) id: Uuid,
    pub(super) stream: StreamName,
    pub(super) revision: i64,
    pub(super) time: i64,
}

/// The events of one transaction.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) games: Vec<Touched>,
    pub(super) unreadable: Vec<Unreadable>,
    pub(super) new_players: HashMap<PlayerName, i64>,
    pub(super) events: u64,
    /// The first event of all, if it is in this batch.
    pub(super) first: Option<(Uuid, GlobalPosition)>,
    pub(super) last: Option<Last>,
    places: HashMap<GameId, usize>,
    /// Streams that are skipped, of those whose names are no game's.
    nameless: HashSet<String>,
    histories: HashMap<GameId, Result<GameFold, Unreadable>>,
}

impl Batch {
    /// Tells what was asked for: the game before the event that could not be taken.
    pub(super) fn tell(&mut self, id: GameId, history: Result<GameFold, Unreadable>) {
        self.histories.insert(id, history);
    }

    /// Takes the next event, unless something has to be told before; one that is not new is
    /// passed over, since a store that went away may deliver it again.
    pub(super) fn take(
        &mut self,
        memory: &mut Memory,
        connection: &Connection,
        event: &RecordedEvent,
    ) -> rusqlite::Result<Result<(), NeedsHistory>> {
        let last = self.last.as_ref().map(|last| last.position);
        if last.or(memory.checkpoint) >= Some(event.position) {
            return Ok(Ok(()));
        }
        match GameId::of_stream(&event.stream) {
            None => self.take_nameless(memory, connection, event)?,
            Some(id) => {
                if let Err(needs) = self.take_of_game(memory, connection, id, event)? {
                    return Ok(Err(needs));
                }
            }
        }
        if memory.checkpoint.is_none() && last.is_none() {
            self.first = Some((event.id, event.position));
        }
        self.last = Some(Last {
            position: event.position,
            id: event.id,
            stream: event.stream.clone(),
            revision: super::lists::to_sql(event.revision.number()),
            time: event.recorded_at.timestamp_micros(),
        });
        self.events += 1;
        Ok(Ok(()))
    }

    fn take_nameless(
        &mut self,
        memory: &Memory,
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
        memory: &mut Memory,
        connection: &Connection,
        id: GameId,
        event: &RecordedEvent,
    ) -> rusqlite::Result<Result<(), NeedsHistory>> {
        let place = match self.places.get(&id) {
            Some(place) => *place,
            None => {
                let touched = match self.touch(memory, connection, id, event)? {
                    Ok(touched) => touched,
                    Err(needs) => return Ok(Err(needs)),
                };
                self.games.push(touched);
                self.places.insert(id, self.games.len() - 1);
                self.games.len() - 1
            }
        };
        let touched = &mut self.games[place];
        if !touched.is_readable {
            return Ok(Ok(()));
        }
        let mut beginning = None;
        let fold = match &mut touched.listed {
            Some(listed) => &mut listed.fold,
            None => beginning.insert(GameFold::default()),
        };
        if let Err(reason) = fold.fold(event) {
            touched.is_readable = false;
            self.unreadable.push(unreadable(event, reason.to_string()));
            return Ok(Ok(()));
        }
        let at = event.recorded_at.timestamp_micros();
        if let Some(fold) = beginning {
            let listed = self.begin(memory, connection, fold, at)?;
            self.games[place].listed = listed;
        } else if let Some(listed) = &mut touched.listed {
            listed.revision = super::lists::to_sql(event.revision.number());
            listed.changed_at = at;
        }
        Ok(Ok(()))
    }

    /// The game as it stands before the first event of the batch that is about it.
    fn touch(
        &mut self,
        memory: &mut Memory,
        connection: &Connection,
        id: GameId,
        event: &RecordedEvent,
    ) -> rusqlite::Result<Result<Touched, NeedsHistory>> {
        let mut touched = Touched {
            id,
            listed: None,
            stored: None,
            is_readable: true,
        };
        if let Some((_, listed)) = memory.running.remove(&id) {
            touched.listed = Some(listed);
            touched.stored = Some(IN_PROGRESS);
        } else if let Some((mut listed, outcome)) = find(connection, id)? {
            match self.histories.remove(&id) {
                None => return Ok(Err(NeedsHistory(id))),
                Some(Ok(fold)) => listed.fold = fold,
                Some(Err(unreadable)) => {
                    touched.is_readable = false;
                    self.unreadable.push(unreadable);
                }
            }
            touched.listed = Some(listed);
            touched.stored = Some(outcome);
        } else {
            touched.is_readable = !memory.is_unreadable(connection, event.stream.as_str())?;
        }
        Ok(Ok(touched))
    }

    /// Gives a game that has begun its number, and its players theirs.
    fn begin(
        &mut self,
        memory: &mut Memory,
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
        memory: &mut Memory,
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
        revision: super::lists::to_sql(event.revision.number()),
        reason,
    }
}
