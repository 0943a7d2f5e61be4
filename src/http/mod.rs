//! The HTTP API: requests become commands, games become JSON, refusals become problems.

mod accept;
mod all_event_stream;
mod all_events;
mod as_of;
mod board_text;
mod body;
mod conditional;
mod cors;
mod cursor;
mod description;
mod event_stream;
mod event_view;
mod events;
mod forgetting;
mod games;
mod idempotency;
mod lists;
mod long_poll;
mod moves;
mod page;
mod path;
mod players;
mod position;
mod problem;
mod problem_pages;
mod problem_texts;
mod problem_type;
mod query;
mod request_context;
mod resignation;
mod revisions;
mod system;
mod trace_context;
mod view;

use std::ops::Deref;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, LINK};
use axum::http::{HeaderName, HeaderValue, Uri};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Serialize;

use crate::application::{CommandHandler, GameStreams};
use crate::event_store::EventStore;
use crate::live::{Live, Renders};
use crate::metrics::{MeasuredStore, Metrics};
use crate::read_model::{Projecting, ReadModel};
use forgetting::Forgetting;
use problem::Problem;
use problem_type::ProblemType;

const RENDERS: Renders = Renders {
    of_a_game: event_stream::render,
    of_all_games: all_event_stream::render,
};

/// What the handlers work with. One pointer, since it is copied several times a request.
#[derive(Debug, Clone)]
pub struct App(Arc<Parts>);

/// What an [`App`] consists of.
#[derive(Debug, Clone)]
pub struct Parts {
    games: Arc<GameStreams>,
    commands: Arc<CommandHandler>,
    live: Arc<Live>,
    read_model: Arc<ReadModel>,
    /// Ends with the last of the clones.
    _projecting: Arc<Projecting>,
    metrics: Metrics,
    requires_if_match: bool,
}

impl App {
    /// The service on this store, with a read model in memory. Within a runtime only, since a
    /// task follows the store.
    pub fn new(store: Arc<dyn EventStore>) -> App {
        App::with_read_model(store, Arc::new(ReadModel::in_memory()))
    }

    /// The service on this store, with this read model, which follows the store as long as
    /// there is a clone of the service.
    pub fn with_read_model(store: Arc<dyn EventStore>, read_model: Arc<ReadModel>) -> App {
        let metrics = Metrics::default();
        let measured = Arc::new(MeasuredStore::new(store.clone(), metrics.clone()));
        let games = Arc::new(GameStreams::new(measured.clone()));
        let live = Arc::new(Live::new(measured, RENDERS));
        let forgetting = Forgetting {
            games: games.clone(),
            live: live.clone(),
        };
        let projecting = read_model.start(store, Arc::new(forgetting));
        App(Arc::new(Parts {
            commands: Arc::new(CommandHandler::new(games.clone())),
            games,
            live,
            read_model,
            _projecting: Arc::new(projecting),
            metrics,
            requires_if_match: false,
        }))
    }

    /// Whether moves have to say in `If-Match` which revision they are for.
    #[must_use]
    pub fn requiring_if_match(mut self, requires_if_match: bool) -> App {
        Arc::make_mut(&mut self.0).requires_if_match = requires_if_match;
        self
    }

    /// Who watches games. To be stopped before the server is, which waits for open streams.
    pub fn live(&self) -> Arc<Live> {
        self.live.clone()
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// All routes and layers.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/games", post(games::start_game).get(lists::list_games))
        .route("/games/{id}", get(games::show_game).put(games::put_game))
        .route(
            "/games/{id}/moves",
            post(moves::make_move).get(moves::list_moves),
        )
        .route("/games/{id}/moves/{number}", get(moves::show_move))
        .route("/games/{id}/resignation", post(resignation::resign))
        .route("/games/{id}/events", get(events::list_events))
        .route("/players", get(players::list_players))
        .route("/players/{name}", get(players::show_player))
        .route("/events", get(all_events::list_all_events))
        .route("/", get(description::index))
        .route("/openapi.yaml", get(description::openapi_yaml))
        .route("/openapi.json", get(description::openapi_json))
        .route("/docs", get(description::docs))
        .route("/problems", get(problem_pages::list_problems))
        .route("/problems/{slug}", get(problem_pages::show_problem))
        .route("/livez", get(system::livez))
        .route("/readyz", get(system::readyz))
        .route("/metrics", get(system::metrics))
        .fallback(nothing_here)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(
            app.clone(),
            request_context::request_context,
        ))
        .layer(cors::layer())
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

/// Text of this media type, with header fields of its own.
fn text(
    headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
    media_type: &'static str,
    body: impl Into<Body>,
) -> Response {
    let mut response = Response::new(body.into());
    let fields = response.headers_mut();
    fields.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    fields.extend(headers);
    response
}

/// The way to the next page, where there is one (RFC 8288).
fn next_link(next: Option<&String>) -> Option<(HeaderName, HeaderValue)> {
    let link = HeaderValue::try_from(format!("<{}>; rel=\"next\"", next?));
    Some((LINK, link.expect("an encoded URL is a header value")))
}

/// JSON with header fields of its own.
fn json(
    headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
    body: impl Serialize,
) -> Response {
    // A game with a full board takes about 800 bytes.
    let mut json = Vec::with_capacity(1024);
    if let Err(error) = serde_json::to_writer(&mut json, &body) {
        tracing::error!(%error, "an answer has no JSON form");
        return Problem::internal_error().into_response();
    }
    text(headers, "application/json", json)
}
