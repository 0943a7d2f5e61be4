//! `/games/{id}?revision=n`: a game at an earlier revision, which no later event can change.

use axum::response::Response;

use super::history::{stored_history, whole};
use super::representation::game;
use crate::application::{GameAtRevision, GameId};
use crate::event_store::StreamRevision;
use crate::http::app::App;
use crate::http::problem::Problem;
use crate::http::request::accept::GameForm;
use crate::http::response::game_url::GameUrl;
use crate::http::response::links::links;
use crate::http::response::validators::IMMUTABLE;

/// The game at this revision.
pub(crate) async fn show_revision(
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
    let url = GameUrl::of(id);
    game(
        &url,
        form,
        &GameAtRevision::as_of(then),
        [IMMUTABLE, links(&url, StreamRevision::new(number), latest)],
    )
}
