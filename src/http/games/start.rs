//! `/games` and `/games/{id}`.

use super::representation::header_value;
use axum::extract::State;
use axum::http::header::CONTENT_LOCATION;
use axum::response::Response;

use super::protection::{Protection, with_tokens};
use super::representation::{created, game};
use crate::application::{CommandOptions, GameId, Handled, IdempotencyKey, PlayerTokens, Seats};
use crate::domain::{PlayerName, Players, PlayersNotDistinct, StartGame};
use crate::http::app::App;
use crate::http::problem::Problem;
use crate::http::request::accept::GameForm;
use crate::http::request::body::{ApiJson, FromMembers, Members};
use crate::http::request::idempotency_key::RequestOptions;
use crate::http::request::path::GamePath;
use crate::http::request::position::event_position;
use crate::http::request::query::Query;
use crate::http::response::links::history_link;
use crate::http::response::validators::REVALIDATE;

/// The body of `POST /games` and of `PUT /games/{id}`.
#[derive(Debug)]
pub(crate) struct StartGameRequest {
    player_one: PlayerName,
    player_two: PlayerName,
    protection: Protection,
}

impl FromMembers for StartGameRequest {
    const EXAMPLE: &'static str = r#"{"player_one":"alice","player_two":"bob"}"#;

    fn from_members(members: &mut Members) -> Option<Self> {
        let player_one = members.text("player_one", PlayerName::parse);
        let player_two = members.text("player_two", PlayerName::parse);
        let protection = Protection::from_members(members);
        Some(StartGameRequest {
            player_one: player_one?,
            player_two: player_two?,
            protection: protection?,
        })
    }
}

impl StartGameRequest {
    fn command(self) -> Result<(StartGame, Protection), PlayersNotDistinct> {
        let players = Players::new(self.player_one, self.player_two)?;
        Ok((StartGame { players }, self.protection))
    }
}

/// `POST /games`
pub(crate) async fn start_game(
    State(app): State<App>,
    form: GameForm,
    mut query: Query,
    options: Result<RequestOptions, Problem>,
    body: ApiJson<StartGameRequest>,
) -> Result<Response, Problem> {
    let form = form.coloured(&mut query)?;
    query.finish()?;
    let RequestOptions(mut options) = options?;
    let (start, protection) = body.read()?.command()?;
    let key = options.key.clone();
    let key = key.as_ref();
    let id = key.map_or_else(GameId::generate, IdempotencyKey::game_id);
    let tokens = protection.tokens(id, key, false)?;
    options.seats = tokens.as_ref().map(Seats::from);
    tracing::Span::current().record("game.id", tracing::field::display(id));
    let handled = match key {
        Some(key) => app.commands.start_keyed_game(key, start, &options).await,
        None => app.commands.start_game(id, start, &options).await,
    }
    .map_err(|error| Problem::of_command(id, error, &options))?;
    let url = format!("/games/{id}");
    let response = created(&app, id, form, &handled, url.clone(), url)?;
    shown_with(tokens, response, id, form, &handled)
}

/// `PUT /games/{id}`: starts a game with the client's own id.
pub(crate) async fn put_game(
    State(app): State<App>,
    form: GameForm,
    GamePath(id): GamePath,
    mut query: Query,
    options: Result<RequestOptions, Problem>,
    body: ApiJson<StartGameRequest>,
) -> Result<Response, Problem> {
    let form = form.coloured(&mut query)?;
    query.finish()?;
    // A PUT is idempotent without a key, because its URL identifies the game.
    let RequestOptions(options) = options?;
    let (start, protection) = body.read()?.command()?;
    let tokens = protection.tokens(id, options.key.as_ref(), true)?;
    let options = CommandOptions {
        key: None,
        seats: tokens.as_ref().map(Seats::from),
        ..options
    };
    let handled = app
        .commands
        .start_game_at(id, start, &options)
        .await
        .map_err(|error| Problem::of_command(id, error, &options))?;
    let url = format!("/games/{id}");
    if handled.is_repeated {
        let content_location = (CONTENT_LOCATION, header_value(url));
        let headers = [content_location, REVALIDATE, history_link(id)];
        let mut response = game(id, form, &handled.game, headers)?;
        app.acknowledged.add(handled.game.position);
        let position = event_position(handled.game.position);
        response.headers_mut().extend(position);
        return shown_with(tokens, response, id, form, &handled);
    }
    let response = created(&app, id, form, &handled, url.clone(), url)?;
    shown_with(tokens, response, id, form, &handled)
}

/// The response with the tokens of a protected game.
fn shown_with(
    tokens: Option<PlayerTokens>,
    response: Response,
    id: GameId,
    form: GameForm,
    handled: &Handled,
) -> Result<Response, Problem> {
    match tokens {
        Some(tokens) => with_tokens(response, id, form, &handled.game, &tokens),
        None => Ok(response),
    }
}
