//! The watchers of each game.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast::{Receiver, Sender, channel};

use super::event::LiveEvent;
use crate::application::GameId;

/// How many events a watcher may lag behind. A game has at most 44 events, so only a client that has
/// stopped reading lags further behind.
const CAPACITY: usize = 64;

/// The games that have watchers. A game has an entry exactly as long as it has a watcher.
#[derive(Debug)]
pub(super) struct Registry {
    /// `None` after [`close`](Registry::close).
    games: Mutex<Option<Games>>,
}

type Games = HashMap<GameId, Watched>;

#[derive(Debug)]
struct Watched {
    events: Sender<Arc<LiveEvent>>,
    watchers: usize,
}

impl Default for Registry {
    fn default() -> Registry {
        Registry {
            games: Mutex::new(Some(Games::default())),
        }
    }
}

impl Registry {
    /// No code panics halfway through a change, so the map behind a poisoned lock is consistent.
    fn games(&self) -> MutexGuard<'_, Option<Games>> {
        self.games.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a watcher. After [`close`](Registry::close), the new watcher has ended already.
    pub(super) fn add(&self, game: GameId) -> Receiver<Arc<LiveEvent>> {
        let mut games = self.games();
        let Some(games) = games.as_mut() else {
            return channel(1).1;
        };
        let watched = games.entry(game).or_insert_with(|| Watched {
            events: channel(CAPACITY).0,
            watchers: 0,
        });
        watched.watchers += 1;
        watched.events.subscribe()
    }

    /// Removes a watcher, which is identified by its receiver.
    pub(super) fn remove(&self, game: GameId, events: &Receiver<Arc<LiveEvent>>) {
        let mut games = self.games();
        let Some(games) = games.as_mut() else {
            return;
        };
        // A watcher that was ended lost its entry then. The current entry belongs to other watchers.
        if let Some(watched) = games.get_mut(&game)
            && watched.events.subscribe().same_channel(events)
        {
            watched.watchers -= 1;
            if watched.watchers == 0 {
                games.remove(&game);
            }
        }
    }

    /// The channel to the watchers of this game; `None` if there are none.
    pub(super) fn get(&self, game: GameId) -> Option<Sender<Arc<LiveEvent>>> {
        let games = self.games();
        let watched = games.as_ref()?.get(&game)?;
        Some(watched.events.clone())
    }

    /// Ends every watcher of this game. New ones can be added.
    pub(super) fn end_watchers_of(&self, game: GameId) {
        if let Some(games) = self.games().as_mut() {
            games.remove(&game);
        }
    }

    /// Ends every watcher. New ones can be added.
    pub(super) fn end_watchers(&self) {
        if let Some(games) = self.games().as_mut() {
            games.clear();
        }
    }

    /// Ends every watcher, and every one that is added later.
    pub(super) fn close(&self) {
        *self.games() = None;
    }

    pub(super) fn watchers(&self) -> usize {
        let games = self.games();
        let games = games.iter().flat_map(Games::values);
        games.map(|watched| watched.watchers).sum()
    }
}
