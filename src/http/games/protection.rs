//! Protected games: what the request to start one says, and the response that shows the tokens.

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::CACHE_CONTROL;
use axum::response::Response;
use serde_json::{Value, json};

use super::view::{game_json, member};
use crate::application::{GameAtRevision, GameId, IdempotencyKey, PlayerToken, PlayerTokens};
use crate::http::problem::Problem;
use crate::http::request::accept::GameForm;
use crate::http::request::body::{Members, invalid_request};
use crate::http::request::idempotency_key::invalid_key;
use crate::http::response::game_url::GameUrl;

/// Whether the client asks for a protected game, and which tokens it chose.
#[derive(Debug, Default)]
pub(crate) struct Protection {
    is_protected: bool,
    chosen: Option<PlayerTokens>,
}

impl Protection {
    /// Takes `protected` and `tokens`, which are both optional. `None` if one of them is not valid.
    pub(crate) fn from_members(members: &mut Members<'_>) -> Option<Protection> {
        let is_protected = match members.optional("protected") {
            None => false,
            Some(Value::Bool(is_protected)) => is_protected,
            Some(_) => {
                members.error("#/protected", "this member must be true or false");
                return None;
            }
        };
        let chosen = match members.optional("tokens") {
            None => None,
            Some(_) if !is_protected => {
                members.error(
                    "#/tokens",
                    "only a protected game has tokens: add \"protected\": true",
                );
                return None;
            }
            Some(tokens) => Some(chosen_tokens(members, &tokens)?),
        };
        Some(Protection {
            is_protected,
            chosen,
        })
    }

    /// The tokens of the new game; `None` if it is not protected. Those that the client chose, or else those that
    /// are derived from the key, so that a repeated request gets them again. Without either they are random, unless
    /// the request must be repeatable.
    pub(crate) fn tokens(
        self,
        id: GameId,
        key: Option<&IdempotencyKey>,
        must_be_repeatable: bool,
    ) -> Result<Option<PlayerTokens>, Problem> {
        if !self.is_protected {
            return Ok(None);
        }
        if let Some(chosen) = self.chosen {
            return Ok(Some(chosen));
        }
        if let Some(key) = key {
            return PlayerTokens::derive(key, id).map(Some).map_err(invalid_key);
        }
        if must_be_repeatable {
            let detail = "a protected game that is started with PUT needs tokens, or an Idempotency-Key to derive \
                          them from, so that a repeated request gets the same tokens";
            return Err(invalid_request(&[
                json!({"pointer": "#/tokens", "detail": detail}),
            ]));
        }
        PlayerTokens::generate().map(Some).map_err(|error| {
            tracing::error!(%error, "the random source of the operating system failed");
            Problem::internal_error()
        })
    }
}

fn chosen_tokens(members: &mut Members<'_>, tokens: &Value) -> Option<PlayerTokens> {
    let Some(object) = tokens.as_object() else {
        members.error("#/tokens", "this member must be an object");
        return None;
    };
    let mut token = |name: &str| {
        let chosen = match object.get(name).map(Value::as_str) {
            None => Err("this member is required".to_owned()),
            Some(None) => Err("this member must be a string".to_owned()),
            Some(Some(text)) => PlayerToken::chosen(text).map_err(|error| error.to_string()),
        };
        let pointer = format!("#/tokens/{name}");
        chosen
            .map_err(|detail| members.error(&pointer, detail))
            .ok()
    };
    let (player_one, player_two) = (token("player_one"), token("player_two"));
    if object.len() > 2 {
        members.error(
            "#/tokens",
            "the members are player_one and player_two, and no others",
        );
        return None;
    }
    let tokens = PlayerTokens {
        player_one: player_one?,
        player_two: player_two?,
    };
    if tokens.are_equal() {
        members.error(
            "#/tokens/player_two",
            "the two players need different tokens",
        );
        return None;
    }
    Some(tokens)
}

/// Adds the tokens to the response to the client that started the game. No cache may store this response.
pub(crate) fn with_tokens(
    mut response: Response,
    url: &GameUrl,
    form: GameForm,
    started: &GameAtRevision,
    tokens: &PlayerTokens,
) -> Result<Response, Problem> {
    let (one, two) = (tokens.player_one.reveal(), tokens.player_two.reveal());
    let body = match form {
        GameForm::Json => {
            let mut json = game_json(url.id_text(), started).ok_or_else(Problem::internal_error)?;
            // The brace at the end.
            json.pop();
            member(&mut json, r#","tokens":{"player_one":"#, one);
            member(&mut json, r#","player_two":"#, two);
            json.extend_from_slice(b"}}");
            Body::from(json)
        }
        GameForm::Text(_) => {
            let players = started.game.players().ok_or_else(Problem::internal_error)?;
            Body::from(format!(
                "token of {}: {one}\ntoken of {}: {two}\n",
                players.one, players.two
            ))
        }
    };
    *response.body_mut() = body;
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(CACHE_CONTROL, no_store);
    Ok(response)
}
