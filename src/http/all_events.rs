//! `/events`: what happened in all games, in the order of the store.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::VARY;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use futures_util::StreamExt;

use super::all_event_stream::stream_all_events;
use super::conditional::REVALIDATE;
use super::event_stream::LAST_EVENT_ID;
use super::event_view::{PlacedEventView, PlacedEventsView};
use super::events::{EventsAs, LARGEST_PAGE, PAGE};
use super::position::{event_position, parse_position};
use super::problem::Problem;
use super::problem_type::ProblemType;
use super::query::Query;
use super::request_context::in_time;
use super::{App, json, next_link};
use crate::application::GAME_STREAM_PREFIX;
use crate::event_store::{EventStore, GlobalPosition, RecordedEvent, SubscriptionMessage};

/// `GET /events`: as for one game, a client that takes anything gets a page, which ends.
pub(super) async fn list_all_events(
    State(app): State<App>,
    events_as: EventsAs,
    mut query: Query,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let a_position = "the position of an event, as it was told";
    let after = query.parsed("after", parse_position, a_position)?;
    let last_event_id = last_position(&headers)?;
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
    text.and_then(parse_position).map(Some).ok_or_else(|| {
        Problem::new(
            ProblemType::InvalidLastEventId,
            "Last-Event-ID is the id of an event of this stream, which is its position. Leave \
             it out to begin with the first event.",
        )
        .with("header", "Last-Event-ID")
    })
}

async fn page(app: &App, after: Option<GlobalPosition>, limit: usize) -> Result<Response, Problem> {
    let store = app.games.store().clone();
    // One more, to know whether another page follows.
    let slice = in_time(read(store, after, limit + 1)).await?;
    let slice = slice.ok_or_else(Problem::store_unavailable)?;
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

/// The events after this position, this many at the most. `None` when the store broke its
/// promise, so that nobody knows what follows.
///
/// By a subscription that ends with the slice, so that a client that reads slowly keeps none.
pub(super) async fn read(
    store: Arc<dyn EventStore>,
    after: Option<GlobalPosition>,
    limit: usize,
) -> Option<Slice> {
    let mut subscription = store.subscribe_all(GAME_STREAM_PREFIX, after);
    let mut events = Vec::new();
    while events.len() < limit {
        match subscription.next().await? {
            SubscriptionMessage::Recorded(event) => events.push(event),
            SubscriptionMessage::StreamTruncated(_) | SubscriptionMessage::Disconnected => {}
            SubscriptionMessage::CaughtUp => {
                let is_end = true;
                return Some(Slice { events, is_end });
            }
        }
    }
    let is_end = false;
    Some(Slice { events, is_end })
}
