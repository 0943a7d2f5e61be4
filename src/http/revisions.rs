//! `/games/{id}?revision=n`: a game as it stood, which no event to come can change.

use axum::http::header::LINK;
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;

use super::App;
use super::accept::GameForm;
use super::conditional::IMMUTABLE;
use super::games::game;
use super::moves::{stored_history, whole};
use super::problem::Problem;
use crate::application::{GameId, Loaded};
use crate::event_store::StreamRevision;

/// The game as it stood at this revision.
pub(super) async fn show_revision(
    app: &App,
    id: GameId,
    form: GameForm,
    number: u64,
) -> Result<Response, Problem> {
    let (history, current) = stored_history(app, id).await?;
    let last = usize::try_from(number).unwrap_or(usize::MAX);
    let then = history.explained.get(..last.saturating_add(1));
    let Some(then) = then else {
        whole(id, history)?;
        return Err(Problem::revision_not_found(number, current));
    };
    let latest = history.explained.last();
    let latest = latest.map_or(current, |latest| latest.recorded.revision);
    game(
        id,
        form,
        &Loaded::as_of(then),
        [IMMUTABLE, links(id, StreamRevision::new(number), latest)],
    )
}

/// The way to the game's events, for every answer that shows the game.
pub(super) fn history_link(id: GameId) -> (HeaderName, HeaderValue) {
    link(format!("</games/{id}/events>; rel=\"version-history\""))
}

/// The ways to the revisions around this one (RFC 5829), of which the latest can be shown.
fn links(id: GameId, shown: StreamRevision, latest: StreamRevision) -> (HeaderName, HeaderValue) {
    let game = format!("/games/{id}");
    let shown = shown.number();
    let mut links = vec![
        format!("<{game}/events>; rel=\"version-history\""),
        format!("<{game}>; rel=\"latest-version\""),
    ];
    if let Some(before) = shown.checked_sub(1) {
        links.push(format!(
            "<{game}?revision={before}>; rel=\"predecessor-version\""
        ));
    }
    if shown < latest.number() {
        let after = shown + 1;
        links.push(format!(
            "<{game}?revision={after}>; rel=\"successor-version\""
        ));
    }
    link(links.join(", "))
}

fn link(links: String) -> (HeaderName, HeaderValue) {
    let links = HeaderValue::try_from(links).expect("ids and numbers are header values");
    (LINK, links)
}
