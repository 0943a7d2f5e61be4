//! `/events`: the events of all games, in the order of the store.

use super::history::invalid_last_event_id;

use axum::extract::State;
use axum::http::header::VARY;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;

use super::all_event_stream::stream_all_events;
use super::history::{Place, read, read_problem};
use super::negotiation::{EventsAs, LARGEST_PAGE, PAGE, last_event_id};
use crate::event_store::GlobalPosition;
use crate::http::app::App;
use crate::http::problem::Problem;
use crate::http::request::position::{event_position, parse_position};
use crate::http::request::query::Query;
use crate::http::response::deadline::in_time;
use crate::http::response::event_view::{PlacedEventView, PlacedEventsView};
use crate::http::response::json;
use crate::http::response::links::next_link;
use crate::http::response::validators::REVALIDATE;

/// `GET /events`
pub(crate) async fn list_all_events(
    State(app): State<App>,
    events_as: EventsAs,
    mut query: Query,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let a_position = "the position of an event, exactly as the service sent it";
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

/// The position in `Last-Event-ID`: the last event that the client has.
fn last_position(headers: &HeaderMap) -> Result<Option<GlobalPosition>, Problem> {
    let Some(text) = last_event_id(headers).map_err(|_| invalid_last_event_id())? else {
        return Ok(None);
    };
    let position = parse_position(text);
    position.map(Some).ok_or_else(invalid_last_event_id)
}

async fn page(app: &App, place: Option<Place>, limit: usize) -> Result<Response, Problem> {
    let store = app.games.store().clone();
    let after = place.map(Place::position);
    // One more than the limit, to know whether another page follows.
    let slice = in_time(read(store, after, limit + 1)).await?;
    let slice = slice.map_err(|error| read_problem(place, error))?;
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
