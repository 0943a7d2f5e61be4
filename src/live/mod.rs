//! Live events: the watchers of a game are sent its events as they are recorded. There is one
//! subscription of the store per process, fanned out by game.
//!
//! Nothing is missed and nothing is repeated between history and live events because of the
//! order: call [`Live::watch`] first, then read the game's stream, then receive the events after
//! the last one that was read ([`Watcher::after`]). A watcher that would miss an event is ended
//! instead; its client resumes after the last revision that it has.
//!
//! [`Live::watch_all`] and [`AllGamesWatcher::after`] do the same for all games, with positions
//! instead of revisions.

mod all_games;
mod event;
mod hub;
mod interrupted;
mod registry;
mod shared;
mod watch;
mod watcher;

pub use all_games::{AllGamesWatcher, PlacedEvent};
pub use event::{LiveEvent, Render, Rendered, Renders, Then};
pub use interrupted::Interrupted;
pub use watch::Live;
pub use watcher::{Following, Watcher};
