//! The stored events of all games, in reads of bounded size.

use crate::http::problem::ProblemType;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::application::GAME_STREAM_PREFIX;
use crate::backoff::Backoff;
use crate::event_store::{EventStore, EventStoreError, GlobalPosition, RecordedEvent};
use crate::http::problem::Problem;
use crate::http::request::query::invalid_query;

/// How long a request waits for a position that this replica's node of the store has not reached. The client
/// may have just received it from another replica.
const LONGEST_WAIT: Duration = Duration::from_millis(250);

const FIRST_PAUSE: Duration = Duration::from_millis(1);

/// The position to continue after, and the parameter or field that it came in.
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

    /// The problem for a position at which no event was recorded.
    fn invalid(self) -> Problem {
        match self {
            Place::Query(position) => {
                let detail = format!(
                    "after must be the position of an event, exactly as the service sent it, not {position}."
                );
                invalid_query("after", detail)
            }
            Place::LastEventId(_) => invalid_last_event_id(),
        }
    }
}

/// The problem for a failed read after this position.
pub(crate) fn read_problem(after: Option<Place>, error: EventStoreError) -> Problem {
    match (error, after) {
        (
            EventStoreError::NoEventAtPosition { .. } | EventStoreError::PositionBeyondHead { .. },
            Some(place),
        ) => place.invalid(),
        (error, _) => Problem::of_store(error),
    }
}

/// Consecutive events of all games.
#[derive(Debug)]
pub(crate) struct Slice {
    pub(crate) events: Vec<RecordedEvent>,
    /// Whether the read reached the end of the events recorded at that time.
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
        "Last-Event-ID must be the id of an event of this stream, which is its position. Leave it \
         out to begin with the first event.",
    )
    .with("header", "Last-Event-ID")
}
