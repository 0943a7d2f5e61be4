//! A game as a response, in the negotiated form.

use axum::http::header::{CONTENT_LOCATION, LOCATION};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;

use super::board_text;
use super::view::game_json;
use crate::application::{GameAtRevision, Handled};
use crate::http::app::App;
use crate::http::problem::Problem;
use crate::http::request::accept::GameForm;
use crate::http::request::idempotency_key::REPLAYED;
use crate::http::request::position::event_position;
use crate::http::response::game_url::GameUrl;
use crate::http::response::links::history_link;
use crate::http::response::validators::{REVALIDATE, game_headers};
use crate::http::response::{JSON, text};

/// The response to a command that created a resource: the game after the command.
pub(crate) fn created(
    app: &App,
    url: &GameUrl,
    form: GameForm,
    handled: &Handled,
    location: HeaderValue,
    content_location: HeaderValue,
) -> Result<Response, Problem> {
    let mut response = carried_out(app, url, form, handled, content_location)?;
    *response.status_mut() = StatusCode::CREATED;
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}

/// The response to a command that created no resource: the game after the command.
pub(crate) fn carried_out(
    app: &App,
    url: &GameUrl,
    form: GameForm,
    handled: &Handled,
    content_location: HeaderValue,
) -> Result<Response, Problem> {
    let mut response = stored(app, url, form, handled, content_location)?;
    if handled.is_repeated {
        app.metrics.replayed();
        response.headers_mut().extend([REPLAYED]);
    }
    Ok(response)
}

/// A game that is stored, with the position of its last event.
pub(crate) fn stored(
    app: &App,
    url: &GameUrl,
    form: GameForm,
    handled: &Handled,
    content_location: HeaderValue,
) -> Result<Response, Problem> {
    let content_location = (CONTENT_LOCATION, content_location);
    let headers = [content_location, REVALIDATE, history_link(url)];
    let mut response = game(url, form, &handled.game, headers)?;
    app.acknowledged.add(handled.game.position);
    let position = event_position(handled.game.position);
    response.headers_mut().extend(position);
    Ok(response)
}

/// A game in the negotiated form, with its entity tag.
pub(crate) fn game<const N: usize>(
    url: &GameUrl,
    form: GameForm,
    loaded: &GameAtRevision,
    headers: [(HeaderName, HeaderValue); N],
) -> Result<Response, Problem> {
    let not_found = || Problem::game_not_found(url.id_text());
    let revision = loaded.revision.ok_or_else(not_found)?;
    let headers = headers.into_iter().chain(game_headers(form, revision));
    match form {
        GameForm::Json => {
            let json = game_json(url.id_text(), loaded).ok_or_else(not_found)?;
            Ok(text(headers, JSON, json))
        }
        GameForm::Text(palette) => {
            let board = board_text::draw(url.id, &loaded.game, revision, palette);
            Ok(text(
                headers,
                "text/plain; charset=utf-8",
                board.ok_or_else(not_found)?,
            ))
        }
    }
}
