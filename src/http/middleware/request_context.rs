//! The layer around every handler: gives each request its id, its time and its log line,
//! catches panics, and gives each problem its body. One layer, since each costs an allocation
//! and a copy of the route a request.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use tokio::time::sleep;
use tracing::field::Empty;
use tracing::{Instrument, debug, error, info, info_span};

use crate::http::app::App;
use crate::http::problem::Problem;
use crate::http::refusals::RetryHint;
use crate::http::request::prefer::Wait;
use crate::http::request::request_id::{X_REQUEST_ID, request_id};
use crate::metrics::Metrics;

/// The route whose answers are counted as moves.
const MOVES: &str = "/games/{id}/moves";
const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// How long handlers may take when the service stops. Less than the time for which the server
/// keeps its connections then.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);

/// Serves one request. The log line names the route, not the path, and no player.
pub(crate) async fn request_context(
    State(app): State<App>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let (request_id, id_header) = request_id(request.headers());
    let id = request_id.id;
    let method = request.method().clone();
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or("none", MatchedPath::as_str);
    let span = info_span!(
        "request",
        id = %id,
        %method,
        route,
        game.id = Empty,
    );
    request.extensions_mut().insert(request_id);
    let mut response = answer(&app, request, next).instrument(span.clone()).await;
    let problem = response.extensions_mut().remove::<Problem>();
    let outcome = problem.as_ref().map_or("ok", Problem::slug);
    let status = response.status().as_u16();
    count(&app.metrics, &method, route, &response, outcome);
    span.in_scope(|| {
        info!(
            status,
            outcome,
            microseconds = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
            "answered"
        );
    });
    if let Some(problem) = problem {
        let (head, _) = response.into_parts();
        response = problem.render(id);
        // Such as the `Allow` that the router added to a 405.
        response.headers_mut().extend(head.headers);
    }
    response.headers_mut().insert(X_REQUEST_ID, id_header);
    response
}

fn count(
    metrics: &Metrics,
    method: &Method,
    route: &str,
    response: &Response,
    outcome: &'static str,
) {
    // Methods are any word that a client makes up.
    let known = matches!(
        *method,
        Method::GET | Method::HEAD | Method::POST | Method::PUT | Method::OPTIONS
    );
    let name = if known { method.as_str() } else { "other" };
    let status = response.status();
    metrics.answered(name, route, status.as_u16());
    if method == Method::POST && route == MOVES {
        let is_accepted = status.is_success();
        metrics.moved(if is_accepted { "accepted" } else { outcome });
    }
    if response.headers().contains_key(IDEMPOTENT_REPLAYED) {
        metrics.replayed();
    }
}

/// The handler's answer, or that it panicked or takes too long. What a handler of a safe method
/// did not finish has done nothing; another one may have appended.
async fn answer(app: &App, request: Request, next: Next) -> Response {
    let is_safe = request.method().is_safe();
    let allowance = Wait::of(request.method(), request.headers()).allowance();
    let safeguard = RetryHint::of(&request);
    // What a panicking handler leaves half done is its own: what requests share is changed in
    // steps that do not panic.
    let handler = AssertUnwindSafe(next.run(request)).catch_unwind();
    let answered = tokio::select! {
        biased;
        answered = handler => Some(answered),
        () = sleep(app.handler_timeout + allowance) => None,
        () = last_moment(app) => None,
    };
    match answered {
        Some(Ok(response)) => response,
        Some(Err(panic)) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            error!(panic = text, "a handler panicked");
            Problem::internal_error().into_response()
        }
        None if is_safe => {
            debug!("a handler took too long");
            Problem::store_unavailable().into_response()
        }
        None => {
            debug!("a handler took too long; it may have appended");
            safeguard.outcome_unknown().into_response()
        }
    }
}

/// Resolves when the service stops and a handler has no more time: its client is to be answered
/// before the connection is closed.
async fn last_moment(app: &App) {
    app.live.stopped().await;
    sleep(STOP_TIMEOUT).await;
}
