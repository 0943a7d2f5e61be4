//! CORS (the Fetch standard): scripts of any site may use the whole API, because no response depends on what a
//! browser adds to a request: there are no cookies, and a script has to send a player's token itself.

use std::sync::LazyLock;
use std::time::Duration;

use axum::extract::Request;
use axum::http::header::{
    ACCEPT, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION, CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use tower::{Layer, ServiceExt};
use tower_http::cors::{Any, CorsLayer};

/// The header fields that scripts may read. A few others may always be read.
const EXPOSED: &str = "content-location,etag,link,location,retry-after,www-authenticate,\
                       event-position,idempotent-replayed,preference-applied,x-request-id";

/// How long a browser may cache the response to a preflight request. Two hours is Chromium's maximum.
const PREFLIGHT_MAX_AGE: Duration = Duration::from_secs(7200);

/// Allows scripts of every origin, without credentials, to read this response. Every origin gets the same fields,
/// so caches need not distinguish them.
pub(super) fn expose(headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(
        ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static(EXPOSED),
    );
}

/// Answers preflight requests with a [`CorsLayer`], and passes on all others. A [`CorsLayer`] alone would answer
/// every `OPTIONS` request, also for paths that do not exist. It is a layer of the fallback handlers, because no
/// route has a handler for `OPTIONS`.
pub(crate) async fn answer_preflights(request: Request, next: Next) -> Response {
    static PREFLIGHTS: LazyLock<CorsLayer> = LazyLock::new(preflights);
    let is_preflight = request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    if !is_preflight {
        return next.run(request).await;
    }
    // It does not call the handler.
    let answered = PREFLIGHTS.layer(next).oneshot(request).await;
    answered.unwrap_or_else(|never| match never {})
}

fn preflights() -> CorsLayer {
    let name = HeaderName::from_static;
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::PUT])
        .allow_headers([
            ACCEPT,
            AUTHORIZATION,
            name("baggage"),
            CONTENT_TYPE,
            IF_MATCH,
            IF_NONE_MATCH,
            name("event-position"),
            name("idempotency-key"),
            name("last-event-id"),
            name("prefer"),
            name("traceparent"),
            name("tracestate"),
            name("x-request-id"),
        ])
        .max_age(PREFLIGHT_MAX_AGE)
        .vary([])
}
