//! Tells the rest of the process that the store no longer holds what it held.

use std::fmt;

use crate::application::GameId;

/// Told when events that were there are gone. Whoever keeps something of them forgets it.
/// Called by the projector, which waits for the answer: do not block.
pub trait StoreObserver: fmt::Debug + Send + Sync + 'static {
    /// The game's stream was deleted or truncated, or may be from now on.
    fn stream_truncated(&self, game: GameId);

    /// The store holds other events than before: it was restored from a backup, or replaced.
    /// The read model is already empty, and about to be built from the new events.
    fn store_restored(&self);
}

/// For programs that keep nothing of the events outside the read model.
impl StoreObserver for () {
    fn stream_truncated(&self, _: GameId) {}

    fn store_restored(&self) {}
}
