//! The HTTP API: all routes.

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
mod retry;
mod system;
mod unrouted;

use axum::Router;
use axum::handler::Handler;
use axum::middleware::from_fn;
use axum::routing::{self, MethodRouter};

pub use app::{App, Parts};
use documents::{description, problem_pages};
use events::{all_events, game_events};
use games::{moves, resignation, start};
use middleware::cors::answer_preflights;
use middleware::request_context::InContext;

/// All routes.
pub fn router(app: App) -> Router {
    let preflights = from_fn(answer_preflights);
    Router::new()
        .route("/games", post(start::start_game))
        .route("/games", get(lists::games::list_games))
        .route("/games/{id}", get(pages::game::show_game_or_page))
        .route("/games/{id}", put(start::put_game))
        .route("/games/{id}/moves", post(moves::make_move))
        .route("/games/{id}/moves", get(moves::list_moves))
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
        .fallback(InContext(unrouted::not_found).layer(preflights.clone()))
        .method_not_allowed_fallback(InContext(unrouted::method_not_allowed).layer(preflights))
        .with_state(app)
}

/// Answers every request with a 503. For connections that are more than the service can serve.
pub fn too_many_connections(app: App) -> Router {
    let refusing = InContext(unrouted::too_many_connections);
    Router::new()
        .fallback(refusing.layer(from_fn(answer_preflights)))
        .with_state(app)
}

fn get<H: Handler<T, App>, T: 'static>(handler: H) -> MethodRouter<App> {
    routing::get(InContext(handler))
}

fn post<H: Handler<T, App>, T: 'static>(handler: H) -> MethodRouter<App> {
    routing::post(InContext(handler))
}

fn put<H: Handler<T, App>, T: 'static>(handler: H) -> MethodRouter<App> {
    routing::put(InContext(handler))
}
