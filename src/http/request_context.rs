//! The layer around every handler: gives each request its id, its time and its log line,
//! catches panics, and gives each problem its body. One layer, since each costs an allocation
//! and a copy of the route a request.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use tokio::time::timeout;
use tracing::field::Empty;
use tracing::{Instrument, error, info, info_span};
use uuid::Uuid;

use super::idempotency::Safeguard;
use super::problem::Problem;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How long a handler may take until the client is told that it took too long.
const HANDLER_TIMEOUT: Duration = Duration::from_secs(5);

/// Serves one request. The log line names the route, not the path, and no player.
pub(super) async fn request_context(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let (id, id_header) = request_id(request.headers());
    let route = request.extensions().get::<MatchedPath>();
    let span = info_span!(
        "request",
        id = %id,
        method = %request.method(),
        route = route.map_or("none", MatchedPath::as_str),
        game.id = Empty,
    );
    let mut response = answer(request, next).instrument(span.clone()).await;
    let problem = response.extensions_mut().remove::<Problem>();
    let outcome = problem.as_ref().map_or("ok", Problem::slug);
    span.in_scope(|| {
        info!(
            status = response.status().as_u16(),
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

/// The handler's answer, or that it panicked or takes too long. What a handler of a safe method
/// did not finish has done nothing; another one may have appended.
async fn answer(request: Request, next: Next) -> Response {
    let is_safe = request.method().is_safe();
    let safeguard = Safeguard::of(&request);
    // What a panicking handler leaves half done is its own: what requests share is changed in
    // steps that do not panic.
    let handler = AssertUnwindSafe(next.run(request)).catch_unwind();
    match timeout(HANDLER_TIMEOUT, handler).await {
        Ok(Ok(response)) => response,
        Ok(Err(panic)) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            error!(panic = text, "a handler panicked");
            Problem::internal_error().into_response()
        }
        Err(_) if is_safe => {
            error!("a handler took too long");
            Problem::store_unavailable().into_response()
        }
        Err(_) => {
            error!("a handler took too long; it may have appended");
            safeguard.outcome_unknown().into_response()
        }
    }
}

/// The client's id when it is a UUID, which a problem's `instance` needs; else a new one.
fn request_id(headers: &HeaderMap) -> (Uuid, HeaderValue) {
    let given = headers.get(X_REQUEST_ID);
    let parsed = given.and_then(|id| Uuid::try_parse_ascii(id.as_bytes()).ok());
    match (parsed, given) {
        (Some(id), Some(given)) => (id, given.clone()),
        (_, _) => {
            let id = Uuid::now_v7();
            let header =
                HeaderValue::try_from(id.to_string()).expect("a UUID's text is a header value");
            (id, header)
        }
    }
}
