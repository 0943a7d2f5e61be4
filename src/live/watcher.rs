//! A watcher of one game.

use std::sync::Arc;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::event::LiveEvent;
use super::interrupted::Interrupted;
use super::shared::Shared;
use crate::application::GameId;
use crate::event_store::StreamRevision;

/// Receives every event of a game that is recorded after this watcher was created. Dropping it
/// removes it from the registry.
#[derive(Debug)]
pub struct Watcher {
    shared: Arc<Shared>,
    game: GameId,
    events: Receiver<Arc<LiveEvent>>,
}

impl Watcher {
    pub(super) fn new(shared: Arc<Shared>, game: GameId) -> Watcher {
        Watcher {
            events: shared.registry.add(game),
            shared,
            game,
        }
    }

    /// Returns the next event that is recorded.
    async fn receive(&mut self) -> Result<Arc<LiveEvent>, Interrupted> {
        self.events.recv().await.map_err(|error| match error {
            RecvError::Lagged(_) => Interrupted::Behind,
            RecvError::Closed => self.shared.ended(),
        })
    }

    /// Receives the events after `read`, the revision of the last event that the caller has.
    pub fn after(self, read: StreamRevision) -> Following {
        Following {
            watcher: self,
            next: read.next(),
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.shared.registry.remove(self.game, &self.events);
    }
}

/// The events of a game after a revision, without a gap.
#[derive(Debug)]
pub struct Following {
    watcher: Watcher,
    next: StreamRevision,
}

impl Following {
    /// Returns the next event. Cancel-safe: no event is lost if the future is dropped.
    pub async fn next(&mut self) -> Result<Arc<LiveEvent>, Interrupted> {
        loop {
            let event = self.watcher.receive().await?;
            if event.revision > self.next {
                return Err(Interrupted::Behind);
            }
            if event.revision == self.next {
                self.next = event.revision.next();
                return Ok(event);
            }
        }
    }
}
