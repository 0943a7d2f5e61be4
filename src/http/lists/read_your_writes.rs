//! Read your writes: with the `Event-Position` of the response to a write, a list must include that write.
//! `Prefer: wait=n` says how many seconds the client waits for it.

use crate::http::problem::ProblemType;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue};
use tokio::time::timeout;

use crate::event_store::GlobalPosition;
use crate::http::app::App;
use crate::http::problem::Problem;
use crate::http::request::position::{EVENT_POSITION, parse_position};
use crate::http::request::prefer::{Wait, preference_applied};

/// The position that a list must include, and how many seconds the client waits for it. The default is the
/// current list, without waiting.
#[derive(Debug, Default)]
pub(crate) struct ReadYourWrites {
    position: Option<GlobalPosition>,
    wait: Option<u64>,
}

impl<S: Send + Sync> FromRequestParts<S> for ReadYourWrites {
    type Rejection = Problem;

    async fn from_request_parts(head: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let mut fields = head.headers.get_all(EVENT_POSITION).iter();
        let Some(field) = fields.next() else {
            return Ok(ReadYourWrites::default());
        };
        let text = field.to_str().ok().filter(|_| fields.next().is_none());
        let position = text.and_then(parse_position).ok_or_else(|| {
            Problem::new(
                ProblemType::InvalidEventPosition,
                "Event-Position must be a value that a response of this service had in that field. Send \
                 it unchanged, or leave it out to get the current list.",
            )
            .with("header", "Event-Position")
        })?;
        Ok(ReadYourWrites {
            position: Some(position),
            wait: Wait::of(&head.method, &head.headers).seconds(),
        })
    }
}

/// How long every list waits for the first catch-up of the read model. With few events, the catch-up finishes
/// within this time, so that a list right after the start is not refused.
const FIRST_CATCH_UP: Duration = Duration::from_millis(250);

/// Refuses a list if the read model does not include all events that were stored before the service started:
/// games may be missing. Call this after reading the list, because a read model that is being rebuilt starts
/// without games.
pub(crate) fn require_caught_up<T>(app: &App, list: T) -> Result<T, Problem> {
    if app.read_model.has_caught_up() {
        return Ok(list);
    }
    Err(Problem::read_model_behind(app.read_model.position(), None))
}

impl ReadYourWrites {
    /// Waits until lists include the position, and returns `Preference-Applied` if the client asked to wait. If
    /// lists do not include it in time, returns a problem: at once if the client does not wait or the service
    /// stops. Before the first catch-up, no list is available.
    pub(crate) async fn reached(
        self,
        app: &App,
    ) -> Result<Option<(HeaderName, HeaderValue)>, Problem> {
        let model = &app.read_model;
        let reached = async {
            model.caught_up().await;
            if let Some(position) = self.position {
                model.reached(position).await;
            }
        };
        let wait = Duration::from_secs(self.wait.unwrap_or(0));
        let wait = if model.has_caught_up() {
            wait
        } else {
            wait.max(FIRST_CATCH_UP)
        };
        let applied = self.wait.map(preference_applied);
        let is_reached = tokio::select! {
            biased;
            // A timeout of zero still polls `reached` once.
            reached = timeout(wait, reached) => reached.is_ok(),
            () = app.live.stopped() => false,
        };
        if is_reached {
            return Ok(applied);
        }
        let behind = Problem::read_model_behind(model.position(), self.position);
        Err(behind.with_headers(applied))
    }
}
