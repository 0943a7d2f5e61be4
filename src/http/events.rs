//! `/games/{id}/events`: what the stream of a game holds.

use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::LINK;
use axum::response::Response;

use super::accept::AcceptsJson;
use super::conditional::{IfNoneMatch, REVALIDATE, etag_headers};
use super::moves::history;
use super::path::GamePath;
use super::problem::Problem;
use super::query::Query;
use super::view::{EventView, EventsView};
use super::{App, json};

/// How many events a page has unless the client says otherwise, and at the most.
const PAGE: u64 = 20;
const LARGEST_PAGE: u64 = 100;

/// `GET /games/{id}/events`
pub(super) async fn list_events(
    State(app): State<App>,
    _: AcceptsJson,
    GamePath(id): GamePath,
    if_none_match: IfNoneMatch,
    mut query: Query,
) -> Result<Response, Problem> {
    let after = query.number("after", 0..=u64::MAX)?;
    let limit = query.number("limit", 1..=LARGEST_PAGE)?.unwrap_or(PAGE);
    query.finish()?;
    let (history, revision) = history(&app, id).await?;

    let mut following = history
        .iter()
        .filter(|historic| after.is_none_or(|after| historic.recorded.revision.number() > after));
    let page: Vec<_> = following
        .by_ref()
        .take(usize::try_from(limit).unwrap_or(usize::MAX))
        .collect();
    let last = page.last().map(|last| last.recorded.revision);
    let next = following
        .next()
        .and(last)
        .map(|last| format!("/games/{id}/events?after={last}&limit={limit}"));
    let link = next.as_ref().map(|next| {
        let link = HeaderValue::try_from(format!("<{next}>; rel=\"next\""));
        (LINK, link.expect("ids and numbers are header values"))
    });
    let view = EventsView {
        revision: revision.number(),
        events: page.into_iter().map(EventView::of).collect(),
        next,
    };
    let headers = etag_headers(revision).into_iter().chain([REVALIDATE]);
    Ok(if_none_match.unless_known(json(headers.chain(link), view)))
}
