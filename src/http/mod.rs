//! The HTTP API: all routes and layers.

mod app;
mod documents;
mod events;
mod forgetting;
mod games;
mod lists;
mod middleware;
mod pages;
mod problem;
mod refusals;
mod request;
mod response;
mod system;
mod unrouted;

use axum::Router;
use axum::routing::{get, post};

pub use app::{App, Parts};
use documents::{description, problem_pages};
use events::{all_events, game_events};
use games::{moves, resignation, start};
use middleware::cors::Preflights;
use middleware::request_context::RequestContext;
use tower::layer::util::Stack;

/// All routes and layers.
pub fn router(app: App) -> Router {
    Router::new()
        .route(
            "/games",
            post(start::start_game).get(lists::games::list_games),
        )
        .route(
            "/games/{id}",
            get(pages::game::show_game_or_page).put(start::put_game),
        )
        .route(
            "/games/{id}/moves",
            post(moves::make_move).get(moves::list_moves),
        )
        .route("/games/{id}/moves/{number}", get(moves::show_move))
        .route("/games/{id}/resignation", post(resignation::resign))
        .route("/games/{id}/events", get(game_events::list_events))
        .route("/players", get(lists::players::list_players))
        .route("/players/{name}", get(lists::players::show_player))
        .route("/events", get(all_events::list_all_events))
        .route("/", get(pages::lobby::show_lobby))
        .route("/assets/{version}/{file}", get(pages::assets::show_asset))
        .route("/openapi.yaml", get(description::openapi_yaml))
        .route("/openapi.json", get(description::openapi_json))
        .route("/docs", get(pages::docs::show_docs))
        .route("/problems", get(problem_pages::list_problems))
        .route("/problems/{slug}", get(problem_pages::show_problem))
        .route("/livez", get(system::livez))
        .route("/readyz", get(system::readyz))
        .route("/metrics", get(system::metrics))
        .fallback(unrouted::not_found)
        .method_not_allowed_fallback(unrouted::method_not_allowed)
        .layer(layers(&app))
        .with_state(app)
}

/// Answers every request with a 503. For connections that are more than the service can serve.
pub fn too_many_connections(app: App) -> Router {
    Router::new()
        .fallback(unrouted::too_many_connections)
        .layer(layers(&app))
        .with_state(app)
}

/// One layer for axum, because each costs allocations and copies per request. The request context is the inner one.
fn layers(app: &App) -> Stack<RequestContext, Preflights> {
    Stack::new(RequestContext(app.clone()), Preflights::default())
}
