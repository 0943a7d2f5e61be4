//! Forgets what the service keeps of events that the store no longer holds.

use std::sync::Arc;

use crate::application::{GameId, GameRepository};
use crate::http::acknowledged::Acknowledged;
use crate::live::Live;
use crate::read_model::StoreObserver;

/// What remembers games between requests.
#[derive(Debug)]
pub(crate) struct Forgetting {
    pub(crate) games: Arc<GameRepository>,
    pub(crate) live: Arc<Live>,
    pub(crate) acknowledged: Arc<Acknowledged>,
}

impl StoreObserver for Forgetting {
    /// Those who watch the game hear of it from the live hub's own subscription.
    fn stream_truncated(&self, game: GameId) {
        self.games.forget(game);
    }

    fn store_restored(&self) {
        // First, so that whoever comes again finds nothing of before.
        self.games.forget_all();
        self.acknowledged.forget();
        self.live.start_again();
    }
}
