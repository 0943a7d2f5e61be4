//! `GET /games/{id}`: the current game, or the game at a revision.

use std::convert::Infallible;

use axum::RequestPartsExt;
use axum::http::request::Parts;
use axum::response::Response;

use super::long_poll::answer_when_new;
use super::representation::game;
use super::revision::show_revision;
use crate::http::app::App;
use crate::http::problem::Problem;
use crate::http::request::accept::GameForm;
use crate::http::request::if_none_match::IfNoneMatch;
use crate::http::request::path::GamePath;
use crate::http::request::prefer::Wait;
use crate::http::request::query::Query;
use crate::http::response::game_url::GameUrl;
use crate::http::response::links::history_link;
use crate::http::response::validators::{REVALIDATE, game_headers, not_modified};

/// `GET /games/{id}` in this form.
pub(crate) async fn show_game(
    app: &App,
    head: &mut Parts,
    form: GameForm,
) -> Result<Response, Problem> {
    let GamePath(id) = head.extract().await?;
    let if_none_match: IfNoneMatch = head.extract().await?;
    let Ok(wait): Result<Wait, Infallible> = head.extract().await;
    let mut query: Query = head.extract().await?;
    let form = form.coloured(&mut query)?;
    let revision = query.number("revision", 0..=u64::MAX)?;
    query.finish()?;
    if let Some(revision) = revision {
        let answer = show_revision(app, id, form, revision).await?;
        return Ok(if_none_match.unless_known(answer));
    }
    let url = GameUrl::of(id);
    answer_when_new(app, id, wait, |loaded| {
        // Checked before the game is serialized, which is most of the work.
        if let Some(revision) = loaded.revision {
            let [etag, vary] = game_headers(form, revision);
            if if_none_match.matches(&etag.1) {
                return Ok(not_modified([etag, vary, REVALIDATE, history_link(&url)]));
            }
        }
        game(&url, form, loaded, [REVALIDATE, history_link(&url)])
    })
    .await
}
