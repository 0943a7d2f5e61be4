//! Keeps cached games up to date, and removes them when the store no longer has their events.

use std::sync::Arc;

use tokio::sync::watch;

use crate::application::{GameId, GameRepository, LatestPosition};
use crate::event_store::RecordedEvent;
use crate::live::Live;
use crate::read_model::StoreObserver;

/// The parts of the service that keep games between requests.
#[derive(Debug)]
pub(crate) struct Forgetting {
    pub(crate) games: Arc<GameRepository>,
    pub(crate) live: Arc<Live>,
    pub(crate) acknowledged: Arc<LatestPosition>,
    /// Incremented when the store was restored.
    pub(crate) store_restored: watch::Sender<u64>,
}

impl StoreObserver for Forgetting {
    fn is_following(&self, is_following: bool) {
        self.games.follow(is_following);
    }

    fn recorded(&self, event: &RecordedEvent) {
        self.games.heard(event);
    }

    /// Only the cache: the live hub's own subscription tells the watchers of the game.
    fn stream_truncated(&self, game: GameId) {
        self.games.forget(game);
    }

    fn store_restored(&self) {
        // First, so that a client that reconnects does not get a game from the old cache.
        self.games.forget_all();
        self.acknowledged.forget();
        self.live.start_again();
        self.store_restored.send_modify(|times| *times += 1);
    }
}
