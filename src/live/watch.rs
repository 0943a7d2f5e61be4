//! Starts and ends the watching of one game or of all games.

use std::fmt;
use std::sync::{Arc, OnceLock};

use tokio::task::AbortHandle;

use super::all_games_watcher::AllGamesWatcher;
use super::event::Renders;
use super::hub;
use super::shared::Shared;
use super::watcher::Watcher;
use crate::application::GameId;
use crate::event_store::EventStore;

/// The live events of the games.
pub struct Live {
    store: Arc<dyn EventStore>,
    renders: Renders,
    shared: Arc<Shared>,
    hub: OnceLock<AbortHandle>,
}

impl Live {
    /// For the games of this store. Each event that has watchers is encoded once, for all of them.
    pub fn new(store: Arc<dyn EventStore>, renders: Renders) -> Live {
        Live {
            store,
            renders,
            shared: Arc::default(),
            hub: OnceLock::new(),
        }
    }

    /// Watches a game. The watcher receives every event that is recorded after this future has
    /// resolved. Read earlier events from the stream.
    ///
    /// Waits until the store reports its latest position, which may take as long as an outage. The
    /// first watcher starts the subscription, so a service without watchers does not need one.
    pub async fn watch(&self, game: GameId) -> Watcher {
        // Created before waiting, so that a hub that subscribes again ends this watcher, too.
        let watcher = Watcher::new(self.shared.clone(), game);
        self.wait_until_listening().await;
        watcher
    }

    /// Watches all games. The watcher receives every event that is recorded after this future has
    /// resolved. Read earlier events from the store. Waits like [`watch`](Live::watch).
    pub async fn watch_all(&self) -> AllGamesWatcher {
        let watcher = AllGamesWatcher::new(self.shared.clone());
        self.wait_until_listening().await;
        watcher
    }

    async fn wait_until_listening(&self) {
        self.hub.get_or_init(|| {
            let listening = hub::listen(self.store.clone(), self.renders, self.shared.clone());
            tokio::spawn(listening).abort_handle()
        });
        let mut listening = self.shared.listening.subscribe();
        // Cannot fail: `self.shared` keeps the sender alive.
        let _ = listening.wait_for(|listening| *listening).await;
    }

    /// The number of watchers, of one game or of all games.
    pub fn watchers(&self) -> usize {
        self.shared.registry.watchers() + self.shared.all_games.watchers()
    }

    /// Resolves after [`stop`](Live::stop). For code that must end then and does not receive from a
    /// watcher at that moment.
    pub async fn stopped(&self) {
        let mut stopped = self.shared.stopped.subscribe();
        // Cannot fail: `self.shared` keeps the sender alive.
        let _ = stopped.wait_for(|stopped| *stopped).await;
    }

    /// Ends every watcher, and subscribes again at the store's latest position. To be called after
    /// the store was restored to another state: the position of the old subscription is no longer
    /// valid. A client that reconnects receives the current events.
    pub fn start_again(&self) {
        self.shared.restarts.send_modify(|restarts| *restarts += 1);
    }

    /// Ends every watcher, and every one that is added later.
    pub fn stop(&self) {
        // First, so that watchers end because of the stop.
        self.shared.stopped.send_replace(true);
        self.shared.registry.close();
        self.shared.all_games.close();
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
