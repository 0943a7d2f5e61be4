//! Tells the rest of the process that the store has lost or replaced events.

use std::fmt;

use crate::application::GameId;

/// Called when stored events were deleted or replaced, so that caches and watchers can drop what
/// they have of them. The projector waits for each call to return: do not block.
pub trait StoreObserver: fmt::Debug + Send + Sync + 'static {
    /// The game's stream was deleted or truncated, or events of it may be deleted from now on.
    fn stream_truncated(&self, game: GameId);

    /// The store contains other events than before: it was restored from a backup, or replaced.
    /// The read model is already empty; its rebuild from the new events comes next.
    fn store_restored(&self);
}

/// For programs that keep no events outside the read model.
impl StoreObserver for () {
    fn stream_truncated(&self, _: GameId) {}

    fn store_restored(&self) {}
}
