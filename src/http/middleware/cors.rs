//! CORS (the Fetch standard): scripts of any site may use the whole API, because no response depends on what a
//! browser adds to a request: there are no cookies, and a script has to send a player's token itself.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::Request;
use axum::http::header::{
    ACCEPT, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION, CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::response::Response;
use futures_util::future::Either;
use tower::{Layer, Service};
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
#[derive(Debug, Clone)]
pub(crate) struct Preflights(Arc<CorsLayer>);

impl Default for Preflights {
    fn default() -> Preflights {
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
            .max_age(PREFLIGHT_MAX_AGE)
            .vary([]);
        Preflights(Arc::new(layer))
    }
}

impl<S> Layer<S> for Preflights {
    type Service = PreflightService<S>;

    fn layer(&self, inner: S) -> PreflightService<S> {
        PreflightService {
            preflights: self.clone(),
            inner,
        }
    }
}

/// The service of [`Preflights`].
#[derive(Debug, Clone)]
pub(crate) struct PreflightService<S> {
    preflights: Preflights,
    inner: S,
}

impl<S> Service<Request> for PreflightService<S>
where
    S: Service<Request, Response = Response> + Clone,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Either<
        <tower_http::cors::Cors<S> as Service<Request>>::Future,
        <S as Service<Request>>::Future,
    >;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let is_preflight = request.method() == Method::OPTIONS
            && request
                .headers()
                .contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        match is_preflight {
            // It never calls the inner service, which need not be ready.
            true => {
                let Preflights(preflights) = &self.preflights;
                Either::Left(preflights.layer(self.inner.clone()).call(request))
            }
            false => Either::Right(self.inner.call(request)),
        }
    }
}
