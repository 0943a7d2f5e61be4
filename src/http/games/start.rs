//! `/games` and `/games/{id}`.

use axum::extract::State;
use axum::response::Response;

use super::protection::{Protection, with_tokens};
use super::representation::{created, stored};
use crate::application::{
    CommandOptions, GameId, Handled, IdempotencyKey, PlayerTokens, Precondition, Revisions, Seats,
};
use crate::domain::{PlayerName, Players, PlayersNotDistinct, StartGame};
use crate::http::app::App;
use crate::http::problem::Problem;
use crate::http::request::accept::GameForm;
use crate::http::request::body::{ApiJson, FromMembers, Members};
use crate::http::request::idempotency_key::RequestOptions;
use crate::http::request::path::GamePath;
use crate::http::request::query::Query;
use crate::http::response::game_url::GameUrl;

/// The body of `POST /games` and of `PUT /games/{id}`.
#[derive(Debug)]
pub(crate) struct StartGameRequest {
    player_one: PlayerName,
    player_two: PlayerName,
    protection: Protection,
}

impl FromMembers for StartGameRequest {
    const EXAMPLE: &'static str = r#"{"player_one":"alice","player_two":"bob"}"#;

    fn from_members(members: &mut Members<'_>) -> Option<Self> {
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
    refuse_if_false(&options.precondition)?;
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
    let url = GameUrl::of(id);
    let response = created(&app, &url, form, &handled, url.value(), url.value())?;
    shown_with(tokens, response, &url, form, &handled)
}

/// The precondition of `POST /games` is about the list of games: it exists, and has no entity tag (RFC 9110, 13.1).
fn refuse_if_false(precondition: &Precondition) -> Result<(), Problem> {
    let names_tags = matches!(precondition.at, Some(Revisions::Listed(_)));
    let excludes_all = matches!(precondition.not_at, Some(Revisions::Every));
    if names_tags || excludes_all {
        return Err(Problem::precondition_failed(
            "The list of games exists and has no entity tag, so If-Match with a tag and If-None-Match: * are false. \
             Nothing was done. Send the request without them. To start a game only once, send an Idempotency-Key.",
        ));
    }
    Ok(())
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
    let url = GameUrl::of(id);
    if handled.is_repeated {
        let response = stored(&app, &url, form, &handled, url.value())?;
        return shown_with(tokens, response, &url, form, &handled);
    }
    let response = created(&app, &url, form, &handled, url.value(), url.value())?;
    shown_with(tokens, response, &url, form, &handled)
}

/// The response with the tokens of a protected game.
fn shown_with(
    tokens: Option<PlayerTokens>,
    response: Response,
    url: &GameUrl,
    form: GameForm,
    handled: &Handled,
) -> Result<Response, Problem> {
    match tokens {
        Some(tokens) => with_tokens(response, url, form, &handled.game, &tokens),
        None => Ok(response),
    }
}
