//! CORS (the Fetch standard): scripts of any site may use the whole API, because no response depends on who
//! sends the request.

use std::time::Duration;

use axum::http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_LOCATION, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH, LINK,
    LOCATION, RETRY_AFTER,
};
use axum::http::{HeaderName, Method};
use tower_http::cors::{Any, CorsLayer};

/// How long a browser may cache the response to a preflight request. Two hours is Chromium's maximum.
const PREFLIGHT_MAX_AGE: Duration = Duration::from_secs(7200);

/// Any origin, without credentials.
pub(crate) fn layer() -> CorsLayer {
    let name = HeaderName::from_static;
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::PUT])
        .allow_headers([
            ACCEPT,
            AUTHORIZATION,
            CONTENT_TYPE,
            IF_MATCH,
            IF_NONE_MATCH,
            name("event-position"),
            name("idempotency-key"),
            name("last-event-id"),
            name("prefer"),
            name("traceparent"),
            name("x-request-id"),
        ])
        .expose_headers([
            CONTENT_LOCATION,
            ETAG,
            LINK,
            LOCATION,
            RETRY_AFTER,
            name("event-position"),
            name("idempotent-replayed"),
            name("preference-applied"),
            name("x-request-id"),
        ])
        .max_age(PREFLIGHT_MAX_AGE)
        // Every origin gets the same response, so caches need not distinguish them.
        .vary([])
}
