//! Liveness, readiness and metrics, for operators and orchestrators.

use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde_json::json as value;

use crate::http::app::App;
use crate::http::problem::Problem;
use crate::http::response::json;
use crate::metrics::{CONTENT_TYPE as CONTENT_TYPE_OF_METRICS, LiveFigures, ReadModelFigures};

/// How long the store may take to respond to the readiness check.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// `GET /livez`: the process responds.
pub(crate) async fn livez() -> Response {
    json([(CACHE_CONTROL, NO_STORE)], value!({"status": "alive"}))
}

/// `GET /metrics`
pub(crate) async fn metrics(State(app): State<App>) -> Response {
    let headers = [
        (
            CONTENT_TYPE,
            HeaderValue::from_static(CONTENT_TYPE_OF_METRICS),
        ),
        (CACHE_CONTROL, NO_STORE),
    ];
    if let Some(logs) = &app.logs {
        app.metrics.lost_log_lines(logs.lost_lines());
    }
    let status = app.read_model.status();
    let read_model = ReadModelFigures {
        lag: status.lag,
        events_applied: status.events_applied,
        unreadable_streams: status.unreadable_streams,
        has_caught_up: status.has_caught_up,
        silence: status.silence,
    };
    let live = LiveFigures {
        watchers: app.live.watchers(),
        silence: app.live.silence(),
    };
    (headers, app.metrics.render(live, read_model)).into_response()
}

/// `GET /readyz`: the event store responds, and the lists include all events that were stored before the
/// service started.
pub(crate) async fn readyz(State(app): State<App>) -> Result<Response, Problem> {
    match tokio::time::timeout(CHECK_TIMEOUT, app.games.store().check()).await {
        Ok(Ok(())) if !app.read_model.has_caught_up() => {
            tracing::debug!("not ready: the read model is catching up");
            Err(Problem::read_model_behind(app.read_model.position(), None))
        }
        Ok(Ok(())) => Ok(json(
            [(CACHE_CONTROL, NO_STORE)],
            value!({"status": "ready"}),
        )),
        Ok(Err(error)) => Err(Problem::of_store(error)),
        Err(_) => {
            tracing::debug!("not ready: the event store did not respond in time");
            Err(Problem::store_unavailable())
        }
    }
}
