//! Live events: sends the events of a game to its watchers as they are recorded. Each process has
//! one subscription to the store and distributes its events by game.
//!
//! To get history and live events without a gap or a repetition, keep this order: call
//! [`Live::watch`], then read the game's stream, then receive the events after the last one that
//! was read ([`Watcher::after`]). A watcher that would miss an event is ended instead. Its client
//! resumes after the last revision that it has.
//!
//! [`Live::watch_all`] and [`AllGamesWatcher::after`] do the same for all games, with positions
//! instead of revisions.

mod all_games;
mod all_games_watcher;
mod event;
mod hub;
mod interrupted;
mod registry;
mod shared;
mod watch;
mod watcher;

pub use all_games::PlacedEvent;
pub use all_games_watcher::AllGamesWatcher;
pub use event::{LiveEvent, Render, Rendered, Renders, Then};
pub use interrupted::Interrupted;
pub use watch::Live;
pub use watcher::{Following, Watcher};
