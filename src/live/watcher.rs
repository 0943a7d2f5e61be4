//! Somebody who watches a game.

use std::sync::Arc;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::event::LiveEvent;
use super::interrupted::Interrupted;
use super::shared::Shared;
use crate::application::GameId;
use crate::event_store::StreamRevision;

/// Hears every event of a game from the moment on at which it was made; unregisters when
/// dropped.
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

    /// The next event that is recorded.
    async fn hear(&mut self) -> Result<Arc<LiveEvent>, Interrupted> {
        self.events.recv().await.map_err(|error| match error {
            RecvError::Lagged(_) => Interrupted::Behind,
            RecvError::Closed => Interrupted::Stopped,
        })
    }

    /// What follows the event at this revision, the last one that was read.
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

/// The events of a game after those that were read, without a gap.
#[derive(Debug)]
pub struct Following {
    watcher: Watcher,
    next: StreamRevision,
}

impl Following {
    /// The next event. Dropping the future loses none.
    pub async fn next(&mut self) -> Result<Arc<LiveEvent>, Interrupted> {
        loop {
            let event = self.watcher.hear().await?;
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
