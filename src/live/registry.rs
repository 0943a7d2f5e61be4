//! Who watches which game.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast::{Receiver, Sender, channel};

use super::event::LiveEvent;
use crate::application::GameId;

/// How many events a watcher may be behind. A whole game has 44, so only a reader who does
/// not read is ever further behind.
const CAPACITY: usize = 64;

/// The games that somebody watches. A game has an entry for exactly as long.
#[derive(Debug)]
pub(super) struct Registry {
    /// `None` when watching is over for good.
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
    /// Nothing panics between changes of one entry, so a poisoned lock guards a sound map.
    fn games(&self) -> MutexGuard<'_, Option<Games>> {
        self.games.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a watcher. After the end, what it receives has ended, too.
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

    /// Takes a watcher away that was added, by what it received.
    pub(super) fn remove(&self, game: GameId, events: &Receiver<Arc<LiveEvent>>) {
        let mut games = self.games();
        let Some(games) = games.as_mut() else {
            return;
        };
        // One that was cut off left with its entry; the entry of now is that of others.
        if let Some(watched) = games.get_mut(&game)
            && watched.events.subscribe().same_channel(events)
        {
            watched.watchers -= 1;
            if watched.watchers == 0 {
                games.remove(&game);
            }
        }
    }

    /// The way to those who watch this game.
    pub(super) fn get(&self, game: GameId) -> Option<Sender<Arc<LiveEvent>>> {
        let games = self.games();
        let watched = games.as_ref()?.get(&game)?;
        Some(watched.events.clone())
    }

    /// Ends every watcher of this game; others may come.
    pub(super) fn cut_off_game(&self, game: GameId) {
        if let Some(games) = self.games().as_mut() {
            games.remove(&game);
        }
    }

    /// Ends every watcher; others may come.
    pub(super) fn cut_off(&self) {
        if let Some(games) = self.games().as_mut() {
            games.clear();
        }
    }

    /// Ends every watcher, and lets no other one in.
    pub(super) fn close(&self) {
        *self.games() = None;
    }

    pub(super) fn watchers(&self) -> usize {
        let games = self.games();
        let games = games.iter().flat_map(Games::values);
        games.map(|watched| watched.watchers).sum()
    }
}
