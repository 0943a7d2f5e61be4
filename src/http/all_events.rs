//! `/events`: what happened in all games, in the order of the store.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::header::VARY;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use tokio::time::{Instant, sleep};

use super::all_event_stream::stream_all_events;
use super::conditional::REVALIDATE;
use super::event_stream::LAST_EVENT_ID;
use super::event_view::{PlacedEventView, PlacedEventsView};
use super::events::{EventsAs, LARGEST_PAGE, PAGE};
use super::position::{event_position, parse_position};
use super::problem::Problem;
use super::problem_type::ProblemType;
use super::query::{Query, invalid_query};
use super::request_context::in_time;
use super::{App, json, next_link};
use crate::application::GAME_STREAM_PREFIX;
use crate::event_store::{EventStore, EventStoreError, GlobalPosition, RecordedEvent};

/// How long a request waits for a position that the store has not reached: another replica may
/// have given it out just now.
const LONGEST_WAIT: Duration = Duration::from_millis(250);

const FIRST_PAUSE: Duration = Duration::from_millis(1);

/// `GET /events`: as for one game, a client that takes anything gets a page, which ends.
pub(super) async fn list_all_events(
    State(app): State<App>,
    events_as: EventsAs,
    mut query: Query,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let a_position = "the position of an event, as it was told";
    let after = query.parsed("after", parse_position, a_position)?;
    let after = after.map(Place::Query);
    let last_event_id = last_position(&headers)?.map(Place::LastEventId);
    match events_as {
        EventsAs::Page => {
            let limit = query.number("limit", 1..=LARGEST_PAGE)?.unwrap_or(PAGE);
            query.finish()?;
            page(&app, after, usize::try_from(limit).unwrap_or(usize::MAX)).await
        }
        EventsAs::Stream(format) => {
            query.finish()?;
            stream_all_events(&app, format, last_event_id.or(after)).await
        }
    }
}

/// The position that a client names as the last one that it has.
fn last_position(headers: &HeaderMap) -> Result<Option<GlobalPosition>, Problem> {
    let mut fields = headers.get_all(LAST_EVENT_ID).iter();
    let Some(field) = fields.next() else {
        return Ok(None);
    };
    let text = field.to_str().ok().filter(|_| fields.next().is_none());
    let position = text.and_then(parse_position);
    position.map(Some).ok_or_else(invalid_last_event_id)
}

fn invalid_last_event_id() -> Problem {
    Problem::new(
        ProblemType::InvalidLastEventId,
        "Last-Event-ID is the id of an event of this stream, which is its position. Leave it \
         out to begin with the first event.",
    )
    .with("header", "Last-Event-ID")
}

/// Where a client wants to begin, and how it said so.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    Query(GlobalPosition),
    LastEventId(GlobalPosition),
}

impl Place {
    pub(super) fn position(self) -> GlobalPosition {
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
pub(super) fn unread(after: Option<Place>, error: EventStoreError) -> Problem {
    match (error, after) {
        (
            EventStoreError::NoEventAtPosition { .. } | EventStoreError::PositionBeyondHead { .. },
            Some(place),
        ) => place.is_invalid(),
        (error, _) => Problem::of_store(error),
    }
}

async fn page(app: &App, place: Option<Place>, limit: usize) -> Result<Response, Problem> {
    let store = app.games.store().clone();
    let after = place.map(Place::position);
    // One more, to know whether another page follows.
    let slice = in_time(read(store, after, limit + 1)).await?;
    let slice = slice.map_err(|error| unread(place, error))?;
    let page = slice.events.get(..limit).unwrap_or(&slice.events);
    let position = page.last().map(|last| last.position).or(after);
    let next = position
        .filter(|_| page.len() < slice.events.len())
        .map(|position| format!("/events?after={position}&limit={limit}"));
    let link = next_link(next.as_ref());
    let view = PlacedEventsView {
        events: page.iter().map(PlacedEventView::of).collect(),
        next,
    };
    let vary = (VARY, HeaderValue::from_static("accept"));
    let headers = [REVALIDATE, vary].into_iter().chain(link);
    Ok(json(headers.chain(event_position(position)), view))
}

/// A part of all games' events.
#[derive(Debug)]
pub(super) struct Slice {
    pub(super) events: Vec<RecordedEvent>,
    /// Nothing that had been recorded when it was asked for follows it.
    pub(super) is_end: bool,
}

/// The events after this position, at most this many.
pub(super) async fn read(
    store: Arc<dyn EventStore>,
    after: Option<GlobalPosition>,
    limit: usize,
) -> Result<Slice, EventStoreError> {
    let until = Instant::now() + LONGEST_WAIT;
    let mut pause = FIRST_PAUSE;
    loop {
        match store.read_all(GAME_STREAM_PREFIX, after, limit).await {
            Ok(events) => {
                let is_end = events.len() < limit;
                return Ok(Slice { events, is_end });
            }
            Err(EventStoreError::PositionBeyondHead { .. }) if Instant::now() < until => {
                sleep(pause).await;
                pause *= 2;
            }
            Err(error) => return Err(error),
        }
    }
}
