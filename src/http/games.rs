//! `/games` and `/games/{id}`.

use axum::extract::State;
use axum::http::header::{CONTENT_LOCATION, LOCATION};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;

use super::accept::GameForm;
use super::board_text;
use super::body::{ApiJson, FromMembers, Members};
use super::conditional::{IfNoneMatch, REVALIDATE, game_headers, not_modified};
use super::idempotency::{REPLAYED, RequestTerms};
use super::long_poll::{Wait, answer_when_new};
use super::path::GamePath;
use super::position::event_position;
use super::problem::Problem;
use super::query::Query;
use super::revisions::{history_link, show_revision};
use super::view::GameView;
use super::{App, json, text};
use crate::application::{GameId, Handled, IdempotencyKey, Loaded, Terms};
use crate::domain::{PlayerName, Players, PlayersNotDistinct, StartGame};

/// The body of `POST /games` and of `PUT /games/{id}`.
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

impl StartGameRequest {
    fn command(self) -> Result<StartGame, PlayersNotDistinct> {
        let players = Players::new(self.player_one, self.player_two)?;
        Ok(StartGame { players })
    }
}

/// `POST /games`
pub(super) async fn start_game(
    State(app): State<App>,
    form: GameForm,
    mut query: Query,
    terms: Result<RequestTerms, Problem>,
    body: ApiJson<StartGameRequest>,
) -> Result<Response, Problem> {
    let form = form.coloured(&mut query)?;
    query.finish()?;
    let RequestTerms(terms) = terms?;
    let start = body.read()?.command()?;
    let key = terms.key.as_ref();
    let id = key.map_or_else(GameId::generate, IdempotencyKey::game_id);
    tracing::Span::current().record("game.id", tracing::field::display(id));
    let handled = match key {
        Some(key) => app.commands.start_keyed_game(key, start, &terms).await,
        None => app.commands.start_game(id, start, &terms).await,
    }
    .map_err(|error| Problem::of_command(id, error, &terms))?;
    let url = format!("/games/{id}");
    created(id, form, &handled, url.clone(), url)
}

/// `PUT /games/{id}`: starts a game under the client's own id.
pub(super) async fn put_game(
    State(app): State<App>,
    form: GameForm,
    GamePath(id): GamePath,
    mut query: Query,
    terms: Result<RequestTerms, Problem>,
    body: ApiJson<StartGameRequest>,
) -> Result<Response, Problem> {
    let form = form.coloured(&mut query)?;
    query.finish()?;
    // A PUT needs no key: its URL says which game is meant.
    let RequestTerms(terms) = terms?;
    let terms = Terms { key: None, ..terms };
    let start = body.read()?.command()?;
    let handled = app
        .commands
        .start_game_at(id, start, &terms)
        .await
        .map_err(|error| Problem::of_command(id, error, &terms))?;
    let url = format!("/games/{id}");
    if handled.was_done_before {
        let content_location = (CONTENT_LOCATION, header_value(url));
        let headers = [content_location, REVALIDATE, history_link(id)];
        let mut response = game(id, form, &handled.game, headers)?;
        let position = event_position(handled.game.position);
        response.headers_mut().extend(position);
        return Ok(response);
    }
    created(id, form, &handled, url.clone(), url)
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
    let revision = query.number("revision", 0..=u64::MAX)?;
    query.finish()?;
    if let Some(revision) = revision {
        let answer = show_revision(&app, id, form, revision).await?;
        return Ok(if_none_match.unless_known(answer));
    }
    answer_when_new(&app, id, wait, |loaded| {
        // Asked before the game is written out, which is most of the work.
        if let Some(revision) = loaded.revision {
            let [etag, vary] = game_headers(form, revision);
            if if_none_match.matches(&etag.1) {
                return Ok(not_modified([etag, vary, REVALIDATE, history_link(id)]));
            }
        }
        game(id, form, loaded, [REVALIDATE, history_link(id)])
    })
    .await
}

/// The answer to a command: the game as the command left it.
pub(super) fn created(
    id: GameId,
    form: GameForm,
    handled: &Handled,
    location: String,
    content_location: String,
) -> Result<Response, Problem> {
    let headers = [
        (LOCATION, header_value(location)),
        (CONTENT_LOCATION, header_value(content_location)),
        REVALIDATE,
        history_link(id),
    ];
    let mut response = game(id, form, &handled.game, headers)?;
    *response.status_mut() = StatusCode::CREATED;
    let position = event_position(handled.game.position);
    response.headers_mut().extend(position);
    if handled.was_done_before {
        response.headers_mut().extend([REPLAYED]);
    }
    Ok(response)
}

fn header_value(url: String) -> HeaderValue {
    HeaderValue::try_from(url).expect("ids and numbers are header values")
}

/// A game in the form that was asked for, with its entity tag.
pub(super) fn game<const N: usize>(
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
