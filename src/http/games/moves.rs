//! `/games/{id}/moves` and `/games/{id}/moves/{number}`.

use axum::extract::State;
use axum::response::Response;

use super::history::{stored_history, whole};
use super::representation::created;
use super::view::{MoveView, MovesView};
use crate::domain::MakeMove;
use crate::event_store::StreamRevision;
use crate::http::app::App;
use crate::http::problem::Problem;
use crate::http::request::accept::{AcceptsJson, GameForm};
use crate::http::request::body::{ApiJson, FromMembers, LARGEST_WITH_STORED_NAME, Members};
use crate::http::request::idempotency_key::RequestOptions;
use crate::http::request::if_none_match::IfNoneMatch;
use crate::http::request::path::{GamePath, MovePath};
use crate::http::request::query::Query;
use crate::http::response::game_url::GameUrl;
use crate::http::response::json;
use crate::http::response::validators::{IMMUTABLE, REVALIDATE, etag_headers};

/// The body of `POST /games/{id}/moves`.
#[derive(Debug)]
pub(crate) struct MakeMoveRequest(MakeMove);

impl FromMembers for MakeMoveRequest {
    const EXAMPLE: &'static str = r#"{"player":"alice","column":"D"}"#;
    const LARGEST: usize = LARGEST_WITH_STORED_NAME;

    fn from_members(members: &mut Members<'_>) -> Option<Self> {
        let player = members.stored_name("player");
        let column = members.text("column", str::parse);
        Some(MakeMoveRequest(MakeMove {
            player: player?,
            column: column?,
        }))
    }
}

/// `POST /games/{id}/moves`
pub(crate) async fn make_move(
    State(app): State<App>,
    form: GameForm,
    GamePath(id): GamePath,
    mut query: Query,
    options: Result<RequestOptions, Problem>,
    body: ApiJson<MakeMoveRequest>,
) -> Result<Response, Problem> {
    let form = form.coloured(&mut query)?;
    query.finish()?;
    let RequestOptions(mut options) = options?;
    options.precondition.is_required = app.requires_if_match;
    let MakeMoveRequest(make_move) = body.read()?;
    let handled = app
        .commands
        .make_move(id, make_move, &options)
        .await
        .map_err(|error| Problem::of_command(id, error, &options))?;
    let after = &handled.game;
    let number = after.game.last_move().map_or(0, |last| last.number);
    let revision = after.revision.map_or(0, StreamRevision::number);
    let url = GameUrl::of(id);
    let location = url.with_number("/moves/", number.into());
    let content_location = url.with_number("?revision=", revision);
    created(&app, &url, form, &handled, location, content_location)
}

/// `GET /games/{id}/moves`
pub(crate) async fn list_moves(
    State(app): State<App>,
    _: AcceptsJson,
    GamePath(id): GamePath,
    if_none_match: IfNoneMatch,
    query: Query,
) -> Result<Response, Problem> {
    query.finish()?;
    let (history, revision) = stored_history(&app, id).await?;
    let history = whole(id, history)?;
    let moves = MovesView {
        revision: revision.number(),
        moves: MoveView::all(&history).collect(),
    };
    let headers = etag_headers(revision).into_iter().chain([REVALIDATE]);
    Ok(if_none_match.unless_known(json(headers, moves)))
}

/// `GET /games/{id}/moves/{number}`
pub(crate) async fn show_move(
    State(app): State<App>,
    _: AcceptsJson,
    MovePath(id, number): MovePath,
    if_none_match: IfNoneMatch,
    query: Query,
) -> Result<Response, Problem> {
    query.finish()?;
    let (history, revision) = stored_history(&app, id).await?;
    let found = number
        .parse::<usize>()
        .ok()
        .and_then(|number| MoveView::all(&history.explained).nth(number.checked_sub(1)?));
    let Some(found) = found else {
        whole(id, history)?;
        return Err(Problem::move_not_found(&number, revision));
    };
    // A move's tag is the revision that it led to, which later moves do not change.
    let headers = etag_headers(found.resulting_revision());
    let answer = json(headers.into_iter().chain([IMMUTABLE]), found);
    Ok(if_none_match.unless_known(answer))
}
