//! The state that the hub and the watchers share.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::all_games::AllGames;
use super::interrupted::Interrupted;
use super::registry::Registry;

/// Shared by the hub and the watchers. The hub cannot hold [`Live`](super::Live) instead, since
/// dropping `Live` must end the hub.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) registry: Registry,
    pub(super) all_games: AllGames,
    /// Whether the hub is subscribed, so that events recorded from now on are delivered.
    pub(super) listening: watch::Sender<bool>,
    /// How often the hub was asked to subscribe again at the store's latest position.
    pub(super) restarts: watch::Sender<u64>,
    pub(super) stopped: watch::Sender<bool>,
    /// When the hub was last known to receive events; `None` before it has started.
    heard: Mutex<Option<Instant>>,
}

impl Shared {
    /// The hub works, and its subscription is connected.
    pub(super) fn heard(&self) {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// The time since the hub last worked.
    pub(super) fn silence(&self) -> Duration {
        let heard = *self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.map_or(Duration::ZERO, |heard| heard.elapsed())
    }

    /// Why a watcher has ended.
    pub(super) fn ended(&self) -> Interrupted {
        if *self.stopped.borrow() {
            Interrupted::Stopped
        } else {
            Interrupted::Behind
        }
    }
}
