//! An event on its way to whoever watches its game.

use bytes::Bytes;

use crate::application::ends_game;
use crate::event_store::{RecordedEvent, StreamRevision};

/// Makes an event's bytes.
pub type Render = fn(&RecordedEvent) -> Rendered;

/// How events are made into bytes.
#[derive(Debug, Clone, Copy)]
pub struct Renders {
    /// For those who watch a game.
    pub of_a_game: Render,
    /// For those who watch all games.
    pub of_all_games: Render,
}

/// An event as the clients get it. Thousands of watchers share these bytes.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// For `text/event-stream`.
    pub server_sent: Bytes,
    /// For `application/x-ndjson`.
    pub line: Bytes,
}

/// An event that was recorded while somebody watched its game.
#[derive(Debug)]
pub struct LiveEvent {
    /// Its place in the game's stream.
    pub revision: StreamRevision,
    /// What clients get of it.
    pub rendered: Rendered,
    /// What follows it.
    pub then: Then,
}

/// What follows an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// The game goes on.
    More,
    /// Nothing: it ended the game.
    TheEnd,
    /// Nobody knows: no game explains the event. It is shown, as in the game's pages.
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
                    tracing::error!(%error, %stream, revision = %recorded.revision, "an event that is none of a game's");
                    Then::Unknown
                }
            },
        }
    }
}
