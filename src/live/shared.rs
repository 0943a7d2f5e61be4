//! The state that the hub and the watchers share.

use tokio::sync::watch;

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
}

impl Shared {
    /// Why a watcher has ended.
    pub(super) fn ended(&self) -> Interrupted {
        if *self.stopped.borrow() {
            Interrupted::Stopped
        } else {
            Interrupted::Behind
        }
    }
}
