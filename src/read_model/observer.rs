//! Tells the rest of the process what the projector hears from the store.

use std::fmt;

use crate::application::GameId;
use crate::event_store::RecordedEvent;

/// Called when events were recorded, deleted or replaced, so that caches and watchers can update or
/// drop what they have of them. The projector waits for each call to return: do not block.
pub trait StoreObserver: fmt::Debug + Send + Sync + 'static {
    /// Whether events and deletions are heard as they happen. Called with `true` when all that were
    /// stored so far were passed on, and with `false` when the subscription is lost or falls behind.
    fn is_following(&self, is_following: bool);

    /// An event was recorded, now or earlier: after a failure, events are heard again.
    fn recorded(&self, event: &RecordedEvent);

    /// The game's stream was deleted or truncated, or events of it may be deleted from now on.
    fn stream_truncated(&self, game: GameId);

    /// The store contains other events than before: it was restored from a backup, or replaced.
    /// The read model is already empty; its rebuild from the new events comes next.
    fn store_restored(&self);
}

/// For programs that keep no events outside the read model.
impl StoreObserver for () {
    fn is_following(&self, _: bool) {}

    fn recorded(&self, _: &RecordedEvent) {}

    fn stream_truncated(&self, _: GameId) {}

    fn store_restored(&self) {}
}
