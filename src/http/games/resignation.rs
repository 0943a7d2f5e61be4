//! `/games/{id}/resignation`: one player gives up, and the other one wins.

use axum::extract::State;
use axum::response::Response;

use super::representation::carried_out;
use crate::domain::Resign;
use crate::event_store::StreamRevision;
use crate::http::app::App;
use crate::http::problem::Problem;
use crate::http::request::accept::GameForm;
use crate::http::request::body::{ApiJson, FromMembers, LARGEST_WITH_STORED_NAME, Members};
use crate::http::request::idempotency_key::RequestOptions;
use crate::http::request::path::GamePath;
use crate::http::request::query::Query;
use crate::http::response::game_url::GameUrl;

/// The body of `POST /games/{id}/resignation`.
#[derive(Debug)]
pub(crate) struct ResignRequest(Resign);

impl FromMembers for ResignRequest {
    const EXAMPLE: &'static str = r#"{"player":"alice"}"#;
    const LARGEST: usize = LARGEST_WITH_STORED_NAME;

    fn from_members(members: &mut Members<'_>) -> Option<Self> {
        let player = members.stored_name("player")?;
        Some(ResignRequest(Resign { player }))
    }
}

/// `POST /games/{id}/resignation`
pub(crate) async fn resign(
    State(app): State<App>,
    form: GameForm,
    GamePath(id): GamePath,
    mut query: Query,
    options: Result<RequestOptions, Problem>,
    body: ApiJson<ResignRequest>,
) -> Result<Response, Problem> {
    let form = form.coloured(&mut query)?;
    query.finish()?;
    let RequestOptions(mut options) = options?;
    options.precondition.is_required = app.requires_if_match;
    let ResignRequest(resign) = body.read()?;
    let handled = app
        .commands
        .resign(id, resign, &options)
        .await
        .map_err(|error| Problem::of_command(id, error, &options))?;
    let revision = handled.game.revision.map_or(0, StreamRevision::number);
    // A game ends only once, so a resignation needs no URL of its own.
    let url = GameUrl::of(id);
    let content_location = url.with_number("?revision=", revision);
    carried_out(&app, &url, form, &handled, content_location)
}
