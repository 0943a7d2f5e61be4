//! `/games/{id}?revision=n`: a game as it stood, which no event to come can change.

use axum::http::header::LINK;
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;

use super::App;
use super::accept::GameForm;
use super::conditional::IMMUTABLE;
use super::games::game;
use super::moves::history;
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
    let (history, current) = history(app, id).await?;
    let last = usize::try_from(number).unwrap_or(usize::MAX);
    let then = history.get(..last.saturating_add(1));
    let then = then.ok_or_else(|| Problem::revision_not_found(number, current))?;
    game(
        id,
        form,
        &Loaded::as_of(then),
        [IMMUTABLE, links(id, StreamRevision::new(number), current)],
    )
}

/// The way to the game's events, for every answer that shows the game.
pub(super) fn history_link(id: GameId) -> (HeaderName, HeaderValue) {
    link(format!("</games/{id}/events>; rel=\"version-history\""))
}

/// The ways to the revisions around this one (RFC 5829).
fn links(id: GameId, shown: StreamRevision, current: StreamRevision) -> (HeaderName, HeaderValue) {
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
    if shown < current.number() {
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
