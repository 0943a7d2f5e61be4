//! The outermost layer: gives each request its id and its log line, and each problem its
//! body.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::field::Empty;
use tracing::{Instrument, info, info_span};
use uuid::Uuid;

use super::problem::Problem;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Serves one request. The log line names the route, not the path, and no player.
pub(super) async fn request_context(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let (id, id_header) = request_id(request.headers());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("none", MatchedPath::as_str)
        .to_owned();
    let span = info_span!(
        "request",
        id = %id,
        method = %request.method(),
        route,
        game.id = Empty,
    );
    let mut response = next.run(request).instrument(span.clone()).await;
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
