//! Streams whose beginning is gone. The game went with it, and lists no longer show it.
//!
//! Follows from the order of what is delivered: the stream's events before the truncation made
//! the game, so that a read model that is built again gives out the same numbers.

use rusqlite::Connection;

use super::batch::{Batch, Halt, History, Standing, Touched};
use super::projector_state::{ProjectorState, Truncation, find};
use crate::application::GameId;
use crate::event_store::StreamRevision;

impl Batch {
    /// Takes games whose beginning is gone out of the lists, after everything else was taken:
    /// one look at each stream suffices, since all that was delivered was recorded before.
    pub(super) fn look_at_streams(
        &mut self,
        memory: &mut ProjectorState,
        connection: &Connection,
    ) -> Result<(), Halt> {
        while let Some(id) = self.to_look_at.last().copied() {
            let is_whole = match self.history(id, StreamRevision::FIRST)? {
                History::Absent | History::Deleted => false,
                History::Whole(_) | History::Unreadable(_) => true,
            };
            self.to_look_at.retain(|other| *other != id);
            match self.truncation(memory, connection, id)? {
                Some(Truncation::Deleted) if is_whole => return Err(Halt::WholeAgain(id)),
                Some(Truncation::Deleted) => {}
                Some(Truncation::Watched) | None => {
                    // Events may be still to come of a game that is not known, and give it its
                    // number.
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
