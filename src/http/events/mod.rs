//! The events of one game and of all games, as pages and as streams.

pub(crate) mod all_event_stream;
pub(crate) mod all_events;
pub(crate) mod game_event_stream;
pub(crate) mod game_events;
pub(crate) mod history;
pub(crate) mod negotiation;
