//! CORS (the Fetch standard): scripts of any site may use the whole API, because no response depends on what a
//! browser adds to a request: there are no cookies, and a script has to send a player's token itself.

use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::extract::Request;
use axum::http::header::{
    ACCEPT, ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION, CONTENT_LOCATION, CONTENT_TYPE, ETAG,
    IF_MATCH, IF_NONE_MATCH, LINK, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE,
};
use axum::http::{HeaderName, Method};
use axum::response::Response;
use futures_util::future::Either;
use tower::{Layer, Service};
use tower_http::cors::{Any, CorsLayer};

/// How long a browser may cache the response to a preflight request. Two hours is Chromium's maximum.
const PREFLIGHT_MAX_AGE: Duration = Duration::from_secs(7200);

/// Any origin, without credentials.
pub(crate) fn layer() -> Cors {
    let name = HeaderName::from_static;
    let layer = CorsLayer::new()
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
        .expose_headers([
            CONTENT_LOCATION,
            ETAG,
            LINK,
            LOCATION,
            RETRY_AFTER,
            WWW_AUTHENTICATE,
            name("event-position"),
            name("idempotent-replayed"),
            name("preference-applied"),
            name("x-request-id"),
        ])
        .max_age(PREFLIGHT_MAX_AGE)
        // Every origin gets the same response, so caches need not distinguish them.
        .vary([]);
    Cors(layer)
}

/// A [`CorsLayer`] that leaves alone the `OPTIONS` requests that are not preflights. The original answers them
/// all, also for paths that do not exist, and without `Allow`.
#[derive(Debug, Clone)]
pub(crate) struct Cors(CorsLayer);

impl<S: Clone> Layer<S> for Cors {
    type Service = CorsService<S>;

    fn layer(&self, inner: S) -> CorsService<S> {
        CorsService {
            with_cors: self.0.layer(inner.clone()),
            inner,
        }
    }
}

/// The service of [`Cors`].
#[derive(Debug, Clone)]
pub(crate) struct CorsService<S> {
    with_cors: tower_http::cors::Cors<S>,
    inner: S,
}

impl<S> Service<Request> for CorsService<S>
where
    S: Service<Request, Response = Response>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Either<
        <tower_http::cors::Cors<S> as Service<Request>>::Future,
        <S as Service<Request>>::Future,
    >;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        ready!(self.inner.poll_ready(context))?;
        self.with_cors.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let is_preflight = || {
            request
                .headers()
                .contains_key(ACCESS_CONTROL_REQUEST_METHOD)
        };
        if request.method() == Method::OPTIONS && !is_preflight() {
            Either::Right(self.inner.call(request))
        } else {
            Either::Left(self.with_cors.call(request))
        }
    }
}
