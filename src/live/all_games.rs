//! Those who watch all games at once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{Receiver, Sender, channel};

use super::event::Rendered;
use super::interrupted::Interrupted;
use crate::event_store::GlobalPosition;

/// How many events such a watcher may be behind: twice what a store hands over at once, since
/// that may be told before a watcher gets its turn.
const CAPACITY: usize = 8192;

/// An event of any game, recorded while somebody watched them all.
#[derive(Debug)]
pub struct PlacedEvent {
    /// Its place among all events of the store.
    pub position: GlobalPosition,
    /// What clients get of it.
    pub rendered: Rendered,
}

/// The way to those who watch all games.
#[derive(Debug)]
pub(super) struct AllGames {
    /// `None` when watching is over for good.
    events: Mutex<Option<Sender<Arc<PlacedEvent>>>>,
}

impl Default for AllGames {
    fn default() -> AllGames {
        AllGames {
            events: Mutex::new(Some(Sender::new(CAPACITY))),
        }
    }
}

impl AllGames {
    /// Nothing panics while holding it.
    fn events(&self) -> MutexGuard<'_, Option<Sender<Arc<PlacedEvent>>>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a watcher. After the end, what it hears has ended, too.
    pub(super) fn watch(&self) -> AllGamesWatcher {
        let events = self.events();
        let heard = events.as_ref().map(Sender::subscribe);
        AllGamesWatcher(heard.unwrap_or_else(|| channel(1).1))
    }

    /// Tells the watchers; if there are none, the event is not even made.
    pub(super) fn tell(&self, event: impl FnOnce() -> PlacedEvent) {
        let events = self.events().clone();
        if let Some(events) = events
            && events.receiver_count() > 0
        {
            // An error says that the last watcher has just gone.
            let _ = events.send(Arc::new(event()));
        }
    }

    /// Ends every watcher; others may come.
    pub(super) fn cut_off(&self) {
        if let Some(events) = self.events().as_mut() {
            *events = Sender::new(CAPACITY);
        }
    }

    /// Ends every watcher, and lets no other one in.
    pub(super) fn close(&self) {
        *self.events() = None;
    }

    pub(super) fn watchers(&self) -> usize {
        self.events().as_ref().map_or(0, Sender::receiver_count)
    }
}

/// Hears every event of every game from the moment on at which it was made.
#[derive(Debug)]
pub struct AllGamesWatcher(Receiver<Arc<PlacedEvent>>);

impl AllGamesWatcher {
    /// The next event after this position, the last one that was read: what is told of those
    /// before it is passed over. Dropping the future loses none.
    pub async fn after(
        &mut self,
        read: Option<GlobalPosition>,
    ) -> Result<Arc<PlacedEvent>, Interrupted> {
        loop {
            let event = self.0.recv().await.map_err(|error| match error {
                RecvError::Lagged(_) => Interrupted::Behind,
                RecvError::Closed => Interrupted::Stopped,
            })?;
            if Some(event.position) > read {
                return Ok(event);
            }
        }
    }
}
