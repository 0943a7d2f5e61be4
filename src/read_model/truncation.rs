//! Streams that lost their first event by a deletion or a truncation. Without it the game cannot be
//! loaded, so it is removed from the lists.
//!
//! Messages are applied in the order in which they are delivered: a game gets its number from its
//! events before its truncation removes it. So a rebuild gives every game the same number.

use rusqlite::Connection;

use super::batch::{Batch, Halt, History, Standing, Touched};
use super::projector_state::{ProjectorState, Truncation, find};
use crate::application::GameId;
use crate::event_store::StreamRevision;

impl Batch {
    /// Removes games whose first event is gone from the lists. Runs after all messages of the batch
    /// were added: everything delivered was recorded earlier, so one read of each stream is enough.
    pub(super) fn check_streams(
        &mut self,
        memory: &mut ProjectorState,
        connection: &Connection,
    ) -> Result<(), Halt> {
        while let Some(id) = self.to_check.last().copied() {
            let is_whole = match self.history(id, StreamRevision::FIRST)? {
                History::Absent | History::Deleted => false,
                History::Whole(_) | History::Unreadable(_) => true,
            };
            self.to_check.retain(|other| *other != id);
            match self.truncation(memory, connection, id)? {
                Some(Truncation::Deleted) if is_whole => return Err(Halt::Undeleted(id)),
                Some(Truncation::Deleted) => {}
                Some(Truncation::Watched) | None => {
                    // A game of which no event was delivered yet is only watched: its events may
                    // still be delivered, and it gets its number from them.
                    if !is_whole && self.knows(memory, connection, id)? {
                        self.delete(memory, connection, id)?;
                    } else {
                        self.truncations.insert(id, Truncation::Watched);
                    }
                }
            }
        }
        Ok(())
    }

    pub(super) fn truncation(
        &self,
        memory: &ProjectorState,
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
        memory: &ProjectorState,
        connection: &Connection,
        id: GameId,
    ) -> rusqlite::Result<bool> {
        Ok(self.places.contains_key(&id)
            || find(connection, id)?.is_some()
            || memory.is_unreadable(connection, id.stream().as_str())?)
    }

    fn delete(
        &mut self,
        memory: &mut ProjectorState,
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
