//! What happens around every handler: it assigns the request id, limits the time, writes the log line, counts
//! metrics, catches panics, and writes the body of problems. It is not a layer of the router, because each
//! layer costs allocations and copies of the route per request.

use std::convert::Infallible;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::handler::Handler;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{FutureExt, stream};
use tokio::time::sleep;
use tracing::field::Empty;
use tracing::{Instrument, debug, error, info, info_span};
use uuid::Uuid;

use super::cors;
use super::if_match::IfMatch;
use super::to_the_end::ToTheEnd;
use crate::http::app::App;
use crate::http::problem::Problem;
use crate::http::request::host::check_host;
use crate::http::request::prefer::Wait;
use crate::http::request::request_id::{X_REQUEST_ID, request_id};
use crate::http::retry::RetryHint;
use crate::metrics::{ACCEPTED, Metrics};
use crate::telemetry::{ClientTrace, trace_status};

/// The route whose responses are counted as moves.
const MOVES: &str = "/games/{id}/moves";
/// How long handlers may take after the service was told to stop. Shorter than the time for which the server
/// then keeps its connections open.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);

/// A handler with its request context. The routes of [`router`](crate::http::router) have no other handlers.
#[derive(Debug, Clone)]
pub(crate) struct InContext<H>(pub(crate) H);

impl<H, T> Handler<T, App> for InContext<H>
where
    H: Handler<T, App>,
    T: 'static,
{
    type Future = ToTheEnd<Response>;

    /// Serves one request. A request that may change something is carried out, logged and counted even
    /// if its client disconnects. Other requests end with their client.
    fn call(self, mut request: Request, app: App) -> Self::Future {
        let (id, id_header) = request_id(request.headers());
        request.extensions_mut().insert(id);
        let head = Head {
            id: id.id,
            id_header,
            method: request.method().clone(),
            route: request.extensions().get::<MatchedPath>().cloned(),
            client_trace: ClientTrace::of(request.headers()),
        };
        let conditions = Conditions::of(&request);
        let is_safe = conditions.is_safe;
        let InContext(handler) = self;
        let handled = handler.call(request, app.clone());
        ToTheEnd::new(serve(app, head, conditions, handled), !is_safe)
    }
}

/// What the log line and the metrics say about a request.
struct Head {
    id: Uuid,
    id_header: HeaderValue,
    method: Method,
    route: Option<MatchedPath>,
    client_trace: ClientTrace,
}

/// The parts of a request that decide about its answer, and that no handler reads.
struct Conditions {
    host: Result<(), Problem>,
    is_safe: bool,
    /// How much longer the handler may take than usual.
    allowance: Duration,
    retry_hint: RetryHint,
    if_match: Option<IfMatch>,
}

impl Conditions {
    fn of(request: &Request) -> Conditions {
        Conditions {
            host: check_host(request.version(), request.headers()),
            is_safe: request.method().is_safe(),
            allowance: Wait::of(request.method(), request.headers()).allowance(),
            retry_hint: RetryHint::of(request),
            if_match: IfMatch::of_read(request),
        }
    }
}

/// The log line has the route instead of the path, and no player's name.
async fn serve(
    app: App,
    head: Head,
    conditions: Conditions,
    handled: impl Future<Output = Response>,
) -> Response {
    let started = Instant::now();
    let _in_flight = app.metrics.request_begins();
    let Head {
        id,
        id_header,
        method,
        route,
        client_trace,
    } = head;
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    let span = info_span!(
        "request",
        id = %id,
        %method,
        route,
        game.id = Empty,
    );
    client_trace.continue_in(&span);
    // Pinned here, because the future is large and would be moved at each step below.
    let handled = pin!(handled);
    let answer = answer(&app, conditions, handled);
    let mut response = answer.instrument(span.clone()).await;
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
    cors::expose(response.headers_mut());
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
        metrics.moved(if is_accepted { ACCEPTED } else { outcome });
    }
}

/// The handler's response, or a problem if it panicked or took too long. A handler of a safe method changes
/// nothing, so its timeout is a 503. Any other handler may have appended, so its timeout is a 504.
async fn answer(
    app: &App,
    conditions: Conditions,
    handled: Pin<&mut impl Future<Output = Response>>,
) -> Response {
    if let Err(problem) = conditions.host {
        return problem.into_response();
    }
    // Unwind safe: a panic can only leave the handler's own values half changed. State that requests share is
    // changed in steps that do not panic.
    let handler = AssertUnwindSafe(handled).catch_unwind();
    let answered = tokio::select! {
        biased;
        answered = handler => Some(answered),
        () = sleep(app.handler_timeout + conditions.allowance) => None,
        () = stop_deadline(app) => None,
    };
    match answered {
        Some(Ok(response)) => match conditions.if_match {
            Some(if_match) => if_match.check(response),
            None => response,
        },
        Some(Err(panic)) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            error!(panic = text, "a handler panicked");
            Problem::internal_error().into_response()
        }
        None if conditions.is_safe => {
            debug!("a handler took too long");
            Problem::store_unavailable().into_response()
        }
        None => {
            debug!("a handler took too long; it may have appended");
            conditions.retry_hint.outcome_unknown().into_response()
        }
    }
}

/// Resolves [`STOP_TIMEOUT`] after the service was told to stop, so that the client gets a response before the
/// connection is closed.
async fn stop_deadline(app: &App) {
    app.live.stopped().await;
    sleep(STOP_TIMEOUT).await;
}
