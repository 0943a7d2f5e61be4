//! `/games` and `/games/{id}`.

use axum::extract::State;
use axum::http::header::{CONTENT_LOCATION, LOCATION};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;

use super::accept::GameForm;
use super::board_text;
use super::body::{ApiJson, FromMembers, Members};
use super::conditional::{IfNoneMatch, REVALIDATE, game_headers};
use super::long_poll::{Wait, answer_when_new};
use super::path::GamePath;
use super::problem::Problem;
use super::query::Query;
use super::view::GameView;
use super::{App, json, text};
use crate::application::{GameId, Loaded};
use crate::domain::{PlayerName, Players, StartGame};

/// The body of `POST /games`.
#[derive(Debug)]
pub(super) struct StartGameRequest {
    player_one: PlayerName,
    player_two: PlayerName,
}

impl FromMembers for StartGameRequest {
    const EXAMPLE: &'static str = r#"{"player_one":"alice","player_two":"bob"}"#;

    fn from_members(members: &mut Members) -> Option<Self> {
        let player_one = members.text("player_one", PlayerName::parse);
        let player_two = members.text("player_two", PlayerName::parse);
        Some(StartGameRequest {
            player_one: player_one?,
            player_two: player_two?,
        })
    }
}

/// `POST /games`
pub(super) async fn start_game(
    State(app): State<App>,
    form: GameForm,
    mut query: Query,
    ApiJson(body): ApiJson<StartGameRequest>,
) -> Result<Response, Problem> {
    let form = form.coloured(&mut query)?;
    query.finish()?;
    let players = Players::new(body.player_one, body.player_two)?;
    let id = GameId::generate();
    tracing::Span::current().record("game.id", tracing::field::display(id));
    let loaded = app
        .commands
        .start_game(id, StartGame { players })
        .await
        .map_err(|error| Problem::of_command(id, error))?;
    let url = format!("/games/{id}");
    created(id, form, &loaded, url.clone(), url)
}

/// `GET /games/{id}`
pub(super) async fn show_game(
    State(app): State<App>,
    form: GameForm,
    GamePath(id): GamePath,
    if_none_match: IfNoneMatch,
    wait: Wait,
    mut query: Query,
) -> Result<Response, Problem> {
    let form = form.coloured(&mut query)?;
    query.finish()?;
    answer_when_new(&app, id, wait, |loaded| {
        let answer = game(id, form, loaded, [REVALIDATE])?;
        Ok(if_none_match.unless_known(answer))
    })
    .await
}

/// The answer to a command: the game as the command left it.
pub(super) fn created(
    id: GameId,
    form: GameForm,
    loaded: &Loaded,
    location: String,
    content_location: String,
) -> Result<Response, Problem> {
    let url = |url| HeaderValue::try_from(url).expect("ids and numbers are header values");
    let headers = [
        (LOCATION, url(location)),
        (CONTENT_LOCATION, url(content_location)),
        REVALIDATE,
    ];
    let mut response = game(id, form, loaded, headers)?;
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}

/// A game in the form that was asked for, with its entity tag.
fn game<const N: usize>(
    id: GameId,
    form: GameForm,
    loaded: &Loaded,
    headers: [(HeaderName, HeaderValue); N],
) -> Result<Response, Problem> {
    let not_found = || Problem::game_not_found(&id.to_string());
    let revision = loaded.revision.ok_or_else(not_found)?;
    let headers = headers.into_iter().chain(game_headers(form, revision));
    match form {
        GameForm::Json => {
            let view = GameView::of(id, loaded).ok_or_else(not_found)?;
            Ok(json(headers, view))
        }
        GameForm::Text(palette) => {
            let board = board_text::draw(id, &loaded.game, revision, palette);
            Ok(text(
                headers,
                "text/plain; charset=utf-8",
                board.ok_or_else(not_found)?,
            ))
        }
    }
}
