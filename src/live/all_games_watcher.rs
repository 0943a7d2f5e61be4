//! A watcher of all games.

use std::sync::Arc;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::all_games::PlacedEvent;
use super::interrupted::Interrupted;
use super::shared::Shared;
use crate::event_store::GlobalPosition;

/// Receives every event of every game that is recorded after this watcher was created.
#[derive(Debug)]
pub struct AllGamesWatcher {
    shared: Arc<Shared>,
    events: Receiver<Arc<PlacedEvent>>,
}

impl AllGamesWatcher {
    pub(super) fn new(shared: Arc<Shared>) -> AllGamesWatcher {
        AllGamesWatcher {
            events: shared.all_games.add(),
            shared,
        }
    }

    /// Returns the next event after `read`, the position of the last event that the caller has.
    /// Skips events up to that position. Cancel-safe: no event is lost if the future is dropped.
    pub async fn after(
        &mut self,
        read: Option<GlobalPosition>,
    ) -> Result<Arc<PlacedEvent>, Interrupted> {
        loop {
            let event = self.events.recv().await.map_err(|error| match error {
                RecvError::Lagged(_) => Interrupted::Behind,
                RecvError::Closed => self.shared.ended(),
            })?;
            if Some(event.position) > read {
                return Ok(event);
            }
        }
    }
}
