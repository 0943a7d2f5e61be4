//! What the hub and the watchers share.

use tokio::sync::watch;

use super::all_games::AllGames;
use super::registry::Registry;

/// Shared by the hub and the watchers. The hub does not hold [`Live`](super::Live), which ends it
/// when it is dropped.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) registry: Registry,
    pub(super) all_games: AllGames,
    /// Whether events that are recorded from now on will be delivered.
    pub(super) listening: watch::Sender<bool>,
    /// How often the hub was told to subscribe again at the head.
    pub(super) restarts: watch::Sender<u64>,
    pub(super) stopped: watch::Sender<bool>,
}
