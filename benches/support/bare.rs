//! The baseline: bare axum handlers, which store nothing.

use axum::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

/// The body of a move.
#[derive(Deserialize)]
pub(crate) struct Move {
    pub(crate) player: String,
    pub(crate) column: String,
}

/// The answer of the bare handler: as many bytes as a game with half of its moves, serialized with
/// serde.
#[derive(Serialize)]
pub(crate) struct Answer {
    id: &'static str,
    revision: u64,
    player_one: &'static str,
    player_two: &'static str,
    next_player: &'static str,
    is_finished: bool,
    board: [(&'static str, &'static [&'static str]); 4],
    legal_columns: [&'static str; 4],
    player: String,
    column: String,
}

/// The answer to a move.
pub(crate) async fn answer(player: String, column: String) -> (StatusCode, Json<Answer>) {
    const COLUMN: &[&str] = &["YELLOW", "RED", "YELLOW", "RED", "YELLOW", "RED"];
    let answer = Answer {
        id: "01a20715-267e-7489-b4cd-306001f15c27",
        revision: 22,
        player_one: "alice",
        player_two: "bob",
        next_player: "alice",
        is_finished: false,
        board: [("A", COLUMN), ("B", COLUMN), ("C", COLUMN), ("D", COLUMN)],
        legal_columns: ["D", "E", "F", "G"],
        player,
        column,
    };
    (StatusCode::CREATED, Json(answer))
}

/// The handlers, with this one for moves.
pub(crate) fn routes_with(make_move: MethodRouter) -> Router {
    let start_game = || answer(String::new(), String::new());
    let show_game = async |headers: HeaderMap| match headers.contains_key(IF_NONE_MATCH) {
        true => {
            let fields = [(ETAG, "\"4\""), (CACHE_CONTROL, "no-cache")];
            (StatusCode::NOT_MODIFIED, fields).into_response()
        }
        false => answer(String::new(), String::new()).await.1.into_response(),
    };
    Router::new()
        .route("/games", post(start_game))
        .route("/games/{id}", get(show_game))
        .route("/games/{id}/moves", make_move)
}

/// Moves parse the same request body, and answers are JSON of the same size. Every conditional read is
/// answered with a 304 with the same header fields. The handlers do nothing else.
pub(crate) fn routes() -> Router {
    routes_with(post(|Json(asked): Json<Move>| {
        answer(asked.player, asked.column)
    }))
}
