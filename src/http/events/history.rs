//! The events of all games that are stored, in bounded reads.

use crate::http::problem::ProblemType;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::application::GAME_STREAM_PREFIX;
use crate::backoff::Backoff;
use crate::event_store::{EventStore, EventStoreError, GlobalPosition, RecordedEvent};
use crate::http::problem::Problem;
use crate::http::request::query::invalid_query;

/// How long a request waits for a position that the store has not reached: another replica may
/// have given it out just now.
const LONGEST_WAIT: Duration = Duration::from_millis(250);

const FIRST_PAUSE: Duration = Duration::from_millis(1);

/// Where a client wants to begin, and how it said so.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    Query(GlobalPosition),
    LastEventId(GlobalPosition),
}

impl Place {
    pub(crate) fn position(self) -> GlobalPosition {
        match self {
            Place::Query(position) | Place::LastEventId(position) => position,
        }
    }

    /// No event was recorded there.
    fn is_invalid(self) -> Problem {
        match self {
            Place::Query(position) => {
                let detail =
                    format!("after is the position of an event, as it was told, not {position}.");
                invalid_query("after", detail)
            }
            Place::LastEventId(_) => invalid_last_event_id(),
        }
    }
}

/// The events after this place could not be read.
pub(crate) fn unread(after: Option<Place>, error: EventStoreError) -> Problem {
    match (error, after) {
        (
            EventStoreError::NoEventAtPosition { .. } | EventStoreError::PositionBeyondHead { .. },
            Some(place),
        ) => place.is_invalid(),
        (error, _) => Problem::of_store(error),
    }
}

/// A part of all games' events.
#[derive(Debug)]
pub(crate) struct Slice {
    pub(crate) events: Vec<RecordedEvent>,
    /// Nothing that had been recorded when it was asked for follows it.
    pub(crate) is_end: bool,
}

/// The events after this position, at most this many.
pub(crate) async fn read(
    store: Arc<dyn EventStore>,
    after: Option<GlobalPosition>,
    limit: usize,
) -> Result<Slice, EventStoreError> {
    let until = Instant::now() + LONGEST_WAIT;
    let mut pauses = Backoff::new(FIRST_PAUSE, LONGEST_WAIT);
    loop {
        match store.read_all(GAME_STREAM_PREFIX, after, limit).await {
            Ok(events) => {
                let is_end = events.len() < limit;
                return Ok(Slice { events, is_end });
            }
            Err(EventStoreError::PositionBeyondHead { .. }) if Instant::now() < until => {
                sleep(pauses.next_pause()).await;
            }
            Err(error) => return Err(error),
        }
    }
}

pub(crate) fn invalid_last_event_id() -> Problem {
    Problem::new(
        ProblemType::InvalidLastEventId,
        "Last-Event-ID is the id of an event of this stream, which is its position. Leave it \
         out to begin with the first event.",
    )
    .with("header", "Last-Event-ID")
}
