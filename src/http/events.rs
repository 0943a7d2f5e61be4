//! `/games/{id}/events`: what the stream of a game holds.

use axum::extract::{FromRequestParts, State};
use axum::http::header::VARY;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use mediatype::names::{APPLICATION, EVENT_STREAM, TEXT};
use mediatype::{MediaType, Name};

use super::accept::{APPLICATION_JSON, negotiate};
use super::conditional::{IfNoneMatch, REVALIDATE, etag_headers};
use super::event_stream::{Format, last_event_id, stream_events};
use super::event_view::{EventView, EventsView};
use super::moves::stored_history;
use super::path::GamePath;
use super::problem::Problem;
use super::query::Query;
use super::{App, json, next_link};
use crate::application::GameId;

/// How many events a page has unless the client says otherwise, and at the most.
pub(super) const PAGE: u64 = 20;
pub(super) const LARGEST_PAGE: u64 = 100;

/// What the client wants the events as.
#[derive(Debug, Clone, Copy)]
pub(super) enum EventsAs {
    Page,
    Stream(Format),
}

/// By `Accept`; a client that takes anything gets a page, which ends.
impl<S: Send + Sync> FromRequestParts<S> for EventsAs {
    type Rejection = Problem;

    async fn from_request_parts(head: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        const SERVER_SENT: MediaType<'static> = MediaType::new(TEXT, EVENT_STREAM);
        const LINES: MediaType<'static> =
            MediaType::new(APPLICATION, Name::new_unchecked("x-ndjson"));
        negotiate(
            &head.headers,
            [
                (APPLICATION_JSON, EventsAs::Page),
                (SERVER_SENT, EventsAs::Stream(Format::ServerSent)),
                (LINES, EventsAs::Stream(Format::Lines)),
            ],
        )
    }
}

/// `GET /games/{id}/events`
pub(super) async fn list_events(
    State(app): State<App>,
    events_as: EventsAs,
    GamePath(id): GamePath,
    if_none_match: IfNoneMatch,
    mut query: Query,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let after = query.number("after", 0..=u64::MAX)?;
    let last_event_id = last_event_id(&headers)?;
    match events_as {
        EventsAs::Page => {
            let limit = query.number("limit", 1..=LARGEST_PAGE)?.unwrap_or(PAGE);
            query.finish()?;
            let page = page(&app, id, after, limit).await?;
            Ok(if_none_match.unless_known(page))
        }
        EventsAs::Stream(format) => {
            query.finish()?;
            let after = last_event_id.or(after);
            stream_events(&app, id, format, after).await
        }
    }
}

async fn page(app: &App, id: GameId, after: Option<u64>, limit: u64) -> Result<Response, Problem> {
    let (history, revision) = stored_history(app, id).await?;
    let mut following = history
        .recorded()
        .filter(|recorded| after.is_none_or(|after| recorded.revision.number() > after));
    let page: Vec<_> = following
        .by_ref()
        .take(usize::try_from(limit).unwrap_or(usize::MAX))
        .collect();
    let last = page.last().map(|last| last.revision);
    let next = following
        .next()
        .and(last)
        .map(|last| format!("/games/{id}/events?after={last}&limit={limit}"));
    let link = next_link(next.as_ref());
    let view = EventsView {
        revision: revision.number(),
        events: page.into_iter().map(EventView::recorded).collect(),
        next,
    };
    let vary = (VARY, HeaderValue::from_static("accept"));
    let headers = etag_headers(revision).into_iter().chain([REVALIDATE, vary]);
    Ok(json(headers.chain(link), view))
}
