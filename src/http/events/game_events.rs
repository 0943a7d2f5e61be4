//! `/games/{id}/events`: the events of a game.

use axum::extract::State;
use axum::http::header::VARY;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;

use super::game_event_stream::stream_events;
use super::negotiation::{EventsAs, LARGEST_PAGE, PAGE, last_revision};
use crate::application::GameId;
use crate::http::app::App;
use crate::http::games::history::stored_history;
use crate::http::problem::Problem;
use crate::http::request::if_none_match::IfNoneMatch;
use crate::http::request::path::GamePath;
use crate::http::request::query::Query;
use crate::http::response::event_view::{EventView, EventsView};
use crate::http::response::json;
use crate::http::response::links::next_link;
use crate::http::response::validators::{REVALIDATE, etag_headers};

/// `GET /games/{id}/events`
pub(crate) async fn list_events(
    State(app): State<App>,
    events_as: EventsAs,
    GamePath(id): GamePath,
    if_none_match: IfNoneMatch,
    mut query: Query,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let after = query.number("after", 0..=u64::MAX)?;
    let last_revision = last_revision(&headers)?;
    match events_as {
        EventsAs::Page => {
            let limit = query.number("limit", 1..=LARGEST_PAGE)?.unwrap_or(PAGE);
            query.finish()?;
            let page = page(&app, id, after, limit).await?;
            Ok(if_none_match.unless_known(page))
        }
        EventsAs::Stream(format) => {
            query.finish()?;
            let after = last_revision.or(after);
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
