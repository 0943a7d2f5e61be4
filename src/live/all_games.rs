//! The channel to the watchers of all games.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast::{Receiver, Sender, channel};

use super::event::Rendered;
use crate::event_store::GlobalPosition;

/// How many events a watcher of all games may lag behind. Twice the largest batch of a store, since
/// a whole batch may be sent before a watcher is scheduled.
const CAPACITY: usize = 8192;

/// An event of any game, recorded while at least one client watched all games.
#[derive(Debug)]
pub struct PlacedEvent {
    /// The position of the event among all events of the store.
    pub position: GlobalPosition,
    /// The event as clients receive it.
    pub rendered: Rendered,
}

/// The channel to the watchers of all games.
#[derive(Debug)]
pub(super) struct AllGames {
    /// `None` after [`close`](AllGames::close).
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
    /// No code panics while it holds this lock, so a poisoned lock can be used.
    fn events(&self) -> MutexGuard<'_, Option<Sender<Arc<PlacedEvent>>>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a watcher. After [`close`](AllGames::close), the new watcher has ended already.
    pub(super) fn add(&self) -> Receiver<Arc<PlacedEvent>> {
        let events = self.events();
        let receiver = events.as_ref().map(Sender::subscribe);
        receiver.unwrap_or_else(|| channel(1).1)
    }

    /// Sends an event to the watchers. If there are none, the event is not created.
    pub(super) fn send(&self, event: impl FnOnce() -> PlacedEvent) {
        let events = self.events().clone();
        if let Some(events) = events
            && events.receiver_count() > 0
        {
            // An error means that the last watcher has just been dropped.
            let _ = events.send(Arc::new(event()));
        }
    }

    /// Ends every watcher. New ones can be added.
    pub(super) fn end_watchers(&self) {
        if let Some(events) = self.events().as_mut() {
            *events = Sender::new(CAPACITY);
        }
    }

    /// Ends every watcher, and every one that is added later.
    pub(super) fn close(&self) {
        *self.events() = None;
    }

    pub(super) fn watchers(&self) -> usize {
        self.events().as_ref().map_or(0, Sender::receiver_count)
    }
}
