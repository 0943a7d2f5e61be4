//! Streams whose beginning is gone. The game went with it, and lists no longer show it.
//!
//! Follows from the order of what is delivered: the stream's events before the truncation made
//! the game, so that a read model that is built again gives out the same numbers.

use rusqlite::Connection;

use super::batch::{Batch, Halt, History, Standing, Touched};
use super::memory::{Memory, Truncation, find};
use crate::application::GameId;
use crate::event_store::StreamRevision;

impl Batch {
    /// Takes a game whose beginning is gone out of the lists.
    pub(super) fn take_truncation(
        &mut self,
        memory: &mut Memory,
        connection: &Connection,
        id: GameId,
    ) -> Result<(), Halt> {
        let is_deleted = match self.history(id, StreamRevision::FIRST)? {
            History::Deleted => true,
            // A stream can be given its limits before its first event.
            History::Absent => self.knows(memory, connection, id)?,
            History::Whole(_) | History::Unreadable(_) => false,
        };
        match (self.truncation(memory, connection, id)?, is_deleted) {
            (Some(Truncation::Deleted), true) => {}
            (Some(Truncation::Deleted), false) => return Err(Halt::WholeAgain(id)),
            (Some(Truncation::Watched) | None, true) => self.delete(memory, connection, id)?,
            (Some(Truncation::Watched) | None, false) => {
                self.truncations.insert(id, Truncation::Watched);
            }
        }
        Ok(())
    }

    pub(super) fn truncation(
        &self,
        memory: &Memory,
        connection: &Connection,
        id: GameId,
    ) -> rusqlite::Result<Option<Truncation>> {
        match self.truncations.get(&id) {
            Some(truncation) => Ok(Some(*truncation)),
            None => memory.truncation(connection, id),
        }
    }

    /// Whether an event of the game was ever delivered.
    fn knows(
        &self,
        memory: &Memory,
        connection: &Connection,
        id: GameId,
    ) -> rusqlite::Result<bool> {
        Ok(self.places.contains_key(&id)
            || find(connection, id)?.is_some()
            || memory.is_unreadable(connection, id.stream().as_str())?
            || self.truncation(memory, connection, id)? == Some(Truncation::Deleted))
    }

    fn delete(
        &mut self,
        memory: &mut Memory,
        connection: &Connection,
        id: GameId,
    ) -> rusqlite::Result<()> {
        memory.running.remove(&id);
        let place = match self.places.get(&id) {
            Some(place) => *place,
            None => {
                let (listed, stored) = find(connection, id)?.unzip();
                self.put(Touched {
                    id,
                    listed,
                    stored,
                    standing: Standing::Deleted,
                })
            }
        };
        self.games[place].standing = Standing::Deleted;
        self.mark_deleted(id);
        Ok(())
    }

    pub(super) fn mark_deleted(&mut self, id: GameId) {
        let stream = id.stream();
        self.unreadable
            .retain(|unreadable| unreadable.stream != stream.as_str());
        self.truncations.insert(id, Truncation::Deleted);
    }
}
