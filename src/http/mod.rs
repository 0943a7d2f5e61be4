//! The HTTP API: requests become commands, games become JSON, refusals become problems.

mod accept;
mod body;
mod conditional;
mod events;
mod games;
mod moves;
mod path;
mod problem;
mod problem_type;
mod query;
mod request_context;
mod system;
mod view;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::http::{HeaderMap, Uri};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Serialize;
use tower_http::catch_panic::CatchPanicLayer;

use crate::application::{CommandHandler, GameStreams};
use crate::event_store::EventStore;
use problem::Problem;
use problem_type::ProblemType;

/// What the handlers work with.
#[derive(Debug, Clone)]
pub struct App {
    games: Arc<GameStreams>,
    commands: Arc<CommandHandler>,
}

impl App {
    /// The service on this store.
    pub fn new(store: Arc<dyn EventStore>) -> App {
        let games = Arc::new(GameStreams::new(store));
        App {
            commands: Arc::new(CommandHandler::new(games.clone())),
            games,
        }
    }
}

/// How long a handler may take until the client is told that it took too long.
const HANDLER_TIMEOUT: Duration = Duration::from_secs(5);

/// All routes and layers. The layer named last sees a request first.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/games", post(games::start_game))
        .route("/games/{id}", get(games::show_game))
        .route(
            "/games/{id}/moves",
            post(moves::make_move).get(moves::list_moves),
        )
        .route("/games/{id}/moves/{number}", get(moves::show_move))
        .route("/games/{id}/events", get(events::list_events))
        .route("/livez", get(system::livez))
        .route("/readyz", get(system::readyz))
        .fallback(nothing_here)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn(handler_timeout))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(request_context::request_context))
        .with_state(app)
}

async fn nothing_here(uri: Uri) -> Problem {
    Problem::new(
        ProblemType::NotFound,
        format!("Nothing is at {}. Games are at /games/{{id}}.", uri.path()),
    )
}

async fn method_not_allowed() -> Problem {
    Problem::new(
        ProblemType::MethodNotAllowed,
        "This resource does not take the method; the Allow field lists those that it takes.",
    )
}

/// Bounds the time to an answer's head. What a handler of a safe method did not finish has
/// done nothing; another one may have appended.
async fn handler_timeout(request: Request, next: Next) -> Response {
    let is_safe = request.method().is_safe();
    match tokio::time::timeout(HANDLER_TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) if is_safe => Problem::store_unavailable().into_response(),
        Err(_) => Problem::outcome_unknown().into_response(),
    }
}

fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without a message");
    tracing::error!(panic = message, "a handler panicked");
    Problem::internal_error().into_response()
}

/// JSON with header fields of its own.
fn json(
    headers: impl IntoIterator<Item = (axum::http::HeaderName, axum::http::HeaderValue)>,
    body: impl Serialize,
) -> Response {
    let headers: HeaderMap = headers.into_iter().collect();
    (headers, Json(body)).into_response()
}
