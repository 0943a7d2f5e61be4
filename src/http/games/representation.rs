//! A game as a response, in the negotiated form.

use axum::http::header::{CONTENT_LOCATION, LOCATION};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;

use super::board_text;
use super::view::GameView;
use crate::application::{GameAtRevision, GameId, Handled};
use crate::http::app::App;
use crate::http::problem::Problem;
use crate::http::request::accept::GameForm;
use crate::http::request::idempotency_key::REPLAYED;
use crate::http::request::position::event_position;
use crate::http::response::links::history_link;
use crate::http::response::validators::{REVALIDATE, game_headers};
use crate::http::response::{json, text};

/// The response to a command: the game after the command.
pub(crate) fn created(
    app: &App,
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
    app.acknowledged.add(handled.game.position);
    let position = event_position(handled.game.position);
    response.headers_mut().extend(position);
    if handled.is_repeated {
        response.headers_mut().extend([REPLAYED]);
    }
    Ok(response)
}

pub(crate) fn header_value(url: String) -> HeaderValue {
    HeaderValue::try_from(url).expect("ids and numbers are header values")
}

/// A game in the negotiated form, with its entity tag.
pub(crate) fn game<const N: usize>(
    id: GameId,
    form: GameForm,
    loaded: &GameAtRevision,
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
