//! An event as it is sent to the watchers of its game.

use bytes::Bytes;

use crate::application::ends_game;
use crate::event_store::{RecordedEvent, StreamRevision};

/// Encodes an event for clients.
pub type Render = fn(&RecordedEvent) -> Rendered;

/// The functions that encode events for clients.
#[derive(Debug, Clone, Copy)]
pub struct Renders {
    /// For the watchers of one game.
    pub of_a_game: Render,
    /// For the watchers of all games.
    pub of_all_games: Render,
}

/// An encoded event. All watchers share these bytes; there may be thousands of them.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// For `text/event-stream`.
    pub server_sent: Bytes,
    /// For `application/x-ndjson`.
    pub line: Bytes,
}

/// An event that was recorded while at least one client watched its game.
#[derive(Debug)]
pub struct LiveEvent {
    /// The revision of the event in the game's stream.
    pub revision: StreamRevision,
    /// The event as clients receive it.
    pub rendered: Rendered,
    /// What follows this event.
    pub then: Then,
}

/// What follows an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// The game is still in progress.
    More,
    /// The event ended the game.
    TheEnd,
    /// Unknown, because the event is not a valid event of a game. It is sent to clients all the
    /// same, as in the list of the game's events.
    Unknown,
}

impl LiveEvent {
    pub(super) fn of(recorded: &RecordedEvent, render: Render) -> LiveEvent {
        LiveEvent {
            revision: recorded.revision,
            rendered: render(recorded),
            then: match ends_game(recorded) {
                Ok(true) => Then::TheEnd,
                Ok(false) => Then::More,
                Err(error) => {
                    let stream = &recorded.stream;
                    tracing::error!(%error, %stream, revision = %recorded.revision, "a stored event is not a valid event of a game");
                    Then::Unknown
                }
            },
        }
    }
}
