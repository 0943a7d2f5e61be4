//! Where watching a game, or all games, begins and ends.

use std::fmt;
use std::sync::{Arc, OnceLock};

use tokio::task::AbortHandle;

use super::all_games::AllGamesWatcher;
use super::event::Renders;
use super::hub;
use super::shared::Shared;
use super::watcher::Watcher;
use crate::application::GameId;
use crate::event_store::EventStore;

/// The games' events as they come.
pub struct Live {
    store: Arc<dyn EventStore>,
    renders: Renders,
    shared: Arc<Shared>,
    hub: OnceLock<AbortHandle>,
}

impl Live {
    /// For the games of this store. Each event that somebody watches is rendered once, for
    /// all of its watchers.
    pub fn new(store: Arc<dyn EventStore>, renders: Renders) -> Live {
        Live {
            store,
            renders,
            shared: Arc::default(),
            hub: OnceLock::new(),
        }
    }

    /// Watches a game. Every event that is recorded after this resolved will be heard; what
    /// was recorded before is to be read from the stream.
    ///
    /// Waits while the store cannot say where it is. The first watcher starts the
    /// subscription, so that a service that nobody watches does not pay for it.
    pub async fn watch(&self, game: GameId) -> Watcher {
        // Before it is waited for, so that a hub that starts anew ends this watcher, too.
        let watcher = Watcher::new(self.shared.clone(), game);
        self.listening().await;
        watcher
    }

    /// Watches all games. Every event that is recorded after this resolved will be heard; what
    /// was recorded before is to be read from the store. Waits as [`watch`](Live::watch) does.
    pub async fn watch_all(&self) -> AllGamesWatcher {
        let watcher = self.shared.all_games.watch();
        self.listening().await;
        watcher
    }

    async fn listening(&self) {
        self.hub.get_or_init(|| {
            let listening = hub::listen(self.store.clone(), self.renders, self.shared.clone());
            tokio::spawn(listening).abort_handle()
        });
        let mut listening = self.shared.listening.subscribe();
        // An error would say that the sender is gone, which we hold ourselves.
        let _ = listening.wait_for(|listening| *listening).await;
    }

    /// How many watchers there are.
    pub fn watchers(&self) -> usize {
        self.shared.registry.watchers() + self.shared.all_games.watchers()
    }

    /// Resolves when watching is over, for who does not hear but read, or waits for something
    /// else.
    pub async fn stopped(&self) {
        let mut stopped = self.shared.stopped.subscribe();
        // An error would say that the sender is gone, which we hold ourselves.
        let _ = stopped.wait_for(|stopped| *stopped).await;
    }

    /// Ends every watcher, and listens from the store's head again: the store was restored to
    /// another state, so that the place of the subscription means nothing any more. Watchers
    /// that come again are told what is there now.
    pub fn start_again(&self) {
        self.shared.restarts.send_modify(|restarts| *restarts += 1);
    }

    /// Ends every watcher, and each that is still to come.
    pub fn stop(&self) {
        self.shared.registry.close();
        self.shared.all_games.close();
        self.shared.stopped.send_replace(true);
        if let Some(hub) = self.hub.get() {
            hub.abort();
        }
        self.shared.listening.send_replace(true);
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live")
            .field("store", &self.store)
            .field("watchers", &self.watchers())
            .finish_non_exhaustive()
    }
}
