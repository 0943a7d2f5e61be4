//! What is stored of a game, event by event.

use super::game_stream::HistoricEvent;
use super::load_error::LoadError;
use crate::event_store::RecordedEvent;

/// All stored events of a game, and the game as far as they explain it.
#[derive(Debug, Default)]
pub struct History {
    /// The events from the first one on, up to one that no game explains.
    pub explained: Vec<HistoricEvent>,
    /// That event and those after it, as they were stored.
    pub rest: Vec<RecordedEvent>,
    /// What is wrong with the first of the rest.
    unreadable: Option<LoadError>,
}

impl History {
    /// Adds an event that no game explains, or one after such an event.
    pub(super) fn add_unexplained(&mut self, recorded: RecordedEvent, error: LoadError) {
        self.unreadable.get_or_insert(error);
        self.rest.push(recorded);
    }

    /// Every event, as it was stored.
    pub fn recorded(&self) -> impl Iterator<Item = &RecordedEvent> {
        let explained = self.explained.iter().map(|event| &event.recorded);
        explained.chain(&self.rest)
    }

    /// Every event, if the game explains them all.
    pub fn whole(self) -> Result<Vec<HistoricEvent>, LoadError> {
        match self.unreadable {
            None => Ok(self.explained),
            Some(error) => Err(error),
        }
    }
}
