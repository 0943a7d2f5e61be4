//! The layer around every handler: assigns the request id, limits the time, writes the log line, counts
//! metrics, catches panics, and writes the body of problems. It is one layer, because each layer costs an
//! allocation and a copy of the route per request.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{FutureExt, stream};
use tokio::time::sleep;
use tracing::field::Empty;
use tracing::{Instrument, debug, error, info, info_span};

use super::if_match::IfMatch;
use super::to_the_end::ToTheEnd;
use crate::http::app::App;
use crate::http::problem::Problem;
use crate::http::refusals::RetryHint;
use crate::http::request::host::check_host;
use crate::http::request::prefer::Wait;
use crate::http::request::request_id::{X_REQUEST_ID, request_id};
use crate::metrics::Metrics;
use crate::telemetry::{continue_trace, trace_status};

/// The route whose responses are counted as moves.
const MOVES: &str = "/games/{id}/moves";
const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// How long handlers may take after the service was told to stop. Shorter than the time for which the server
/// then keeps its connections open.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);

/// Serves one request. A request that may change something is carried out, logged and counted even
/// if its client disconnects. Other requests end with their client.
pub(crate) async fn request_context(
    State(app): State<App>,
    request: Request,
    next: Next,
) -> Response {
    if request.method().is_safe() {
        return serve(app, request, next).await;
    }
    ToTheEnd::new(serve(app, request, next)).await
}

/// The log line has the route instead of the path, and no player's name.
async fn serve(app: App, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let _in_flight = app.metrics.request_begins();
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
    continue_trace(&span, request.headers());
    request.extensions_mut().insert(request_id);
    let mut response = answer(&app, request, next).instrument(span.clone()).await;
    let problem = response.extensions_mut().remove::<Problem>();
    let outcome = problem.as_ref().map_or("ok", Problem::slug);
    let status = response.status().as_u16();
    let took = started.elapsed();
    count(&app.metrics, &method, route, &response, outcome, took);
    trace_status(&span, response.status());
    span.in_scope(|| {
        info!(
            status,
            outcome,
            microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            "answered"
        );
    });
    if let Some(problem) = problem {
        let (head, _) = response.into_parts();
        response = problem.render(id);
        // For example, the `Allow` that the router added to a 405.
        response.headers_mut().extend(head.headers);
    }
    response.headers_mut().insert(X_REQUEST_ID, id_header);
    if matches!(
        response.status(),
        StatusCode::NOT_MODIFIED | StatusCode::NO_CONTENT
    ) {
        *response.body_mut() = without_length();
    }
    response
}

/// An empty body for responses that never have one. The router would add `Content-Length: 0` for `Body::empty()`.
/// In a 304 this would be the length of the 200 (RFC 9110, 8.6).
fn without_length() -> Body {
    Body::from_stream(stream::empty::<Result<Bytes, Infallible>>())
}

fn count(
    metrics: &Metrics,
    method: &Method,
    route: &str,
    response: &Response,
    outcome: &'static str,
    took: Duration,
) {
    // A method can be any token, and the number of metric labels must stay bounded.
    let name = match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    };
    let status = response.status();
    metrics.answered(name, route, status.as_u16(), took);
    if method == Method::POST && route == MOVES {
        let is_accepted = status.is_success();
        metrics.moved(if is_accepted { "accepted" } else { outcome });
    }
    if response.headers().contains_key(IDEMPOTENT_REPLAYED) {
        metrics.replayed();
    }
}

/// The handler's response, or a problem if it panicked or took too long. A handler of a safe method changes
/// nothing, so its timeout is a 503. Any other handler may have appended, so its timeout is a 504.
async fn answer(app: &App, request: Request, next: Next) -> Response {
    if let Err(problem) = check_host(request.version(), request.headers()) {
        return problem.into_response();
    }
    let is_safe = request.method().is_safe();
    let allowance = Wait::of(request.method(), request.headers()).allowance();
    let retry_hint = RetryHint::of(&request);
    let if_match = IfMatch::of_read(&request);
    // Unwind safe: a panic can only leave the handler's own values half changed. State that requests share is
    // changed in steps that do not panic.
    let handler = AssertUnwindSafe(next.run(request)).catch_unwind();
    let answered = tokio::select! {
        biased;
        answered = handler => Some(answered),
        () = sleep(app.handler_timeout + allowance) => None,
        () = stop_deadline(app) => None,
    };
    match answered {
        Some(Ok(response)) => match if_match {
            Some(if_match) => if_match.check(response),
            None => response,
        },
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
            retry_hint.outcome_unknown().into_response()
        }
    }
}

/// Resolves [`STOP_TIMEOUT`] after the service was told to stop, so that the client gets a response before the
/// connection is closed.
async fn stop_deadline(app: &App) {
    app.live.stopped().await;
    sleep(STOP_TIMEOUT).await;
}
