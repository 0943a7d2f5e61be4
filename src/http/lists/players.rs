//! `/players/{name}` and `/players`: players by their games, from the read model.

use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::response::Response;
use serde::Serialize;

use super::games::{limit, list_headers};
use super::player_names::name_in_lists;
use super::read_your_writes::{ReadYourWrites, require_caught_up};
use crate::http::app::App;
use crate::http::problem::Problem;
use crate::http::request::accept::AcceptsJson;
use crate::http::request::path::undecodable;
use crate::http::request::position::event_position;
use crate::http::request::query::Query;
use crate::http::response::json;
use crate::read_model::{PlayerRecord, PlayersSort};

/// The minus means descending order, the only order that is supported.
const SORTS: [(&str, PlayersSort); 2] =
    [("-won", PlayersSort::Won), ("-played", PlayersSort::Played)];

/// The name in the path. Any name is allowed; characters that are reserved in paths are percent-encoded.
#[derive(Debug)]
pub(crate) struct PlayerPath(String);

impl<S: Send + Sync> FromRequestParts<S> for PlayerPath {
    type Rejection = Problem;

    async fn from_request_parts(head: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let Path(name) = Path::from_request_parts(head, state)
            .await
            .map_err(|_| undecodable())?;
        Ok(PlayerPath(name))
    }
}

/// `GET /players/{name}`
pub(crate) async fn show_player(
    State(app): State<App>,
    _: AcceptsJson,
    PlayerPath(name): PlayerPath,
    read_your_writes: ReadYourWrites,
    query: Query,
) -> Result<Response, Problem> {
    query.finish()?;
    let applied = read_your_writes.reached(&app).await?;
    let name = name_in_lists(&app, name).await;
    let name = name.map_err(|error| Problem::of_read_model(&error))?;
    let answer = app.read_model.player(&name).await;
    let answer = answer.map_err(|error| Problem::of_read_model(&error))?;
    let answer = require_caught_up(&app, answer)?;
    let Some(record) = answer.value else {
        let not_found = Problem::player_not_found(&name, answer.position);
        return Err(not_found.with_headers(applied));
    };
    let headers = list_headers(applied, event_position(answer.position));
    Ok(json(headers, RecordView::of(&record)))
}

/// `GET /players`
pub(crate) async fn list_players(
    State(app): State<App>,
    _: AcceptsJson,
    read_your_writes: ReadYourWrites,
    mut query: Query,
) -> Result<Response, Problem> {
    let sort = query.named("sort", &SORTS)?.unwrap_or(PlayersSort::Won);
    let limit = limit(&mut query)?;
    query.finish()?;
    let applied = read_your_writes.reached(&app).await?;
    let answer = app.read_model.players(sort, limit).await;
    let answer = answer.map_err(|error| Problem::of_read_model(&error))?;
    let answer = require_caught_up(&app, answer)?;
    let headers = list_headers(applied, event_position(answer.position));
    let players = answer.value.iter().map(RecordView::of).collect();
    Ok(json(headers, PlayersView { players }))
}

/// The first players, in the requested order.
#[derive(Debug, Serialize)]
struct PlayersView<'a> {
    players: Vec<RecordView<'a>>,
}

/// How many games a player has, by outcome.
#[derive(Debug, Serialize)]
struct RecordView<'a> {
    player: &'a str,
    played: u64,
    won: u64,
    lost: u64,
    tied: u64,
    in_progress: u64,
}

impl<'a> RecordView<'a> {
    fn of(record: &'a PlayerRecord) -> RecordView<'a> {
        RecordView {
            player: &record.player,
            played: record.played,
            won: record.won,
            lost: record.lost,
            tied: record.tied,
            in_progress: record.in_progress,
        }
    }
}
