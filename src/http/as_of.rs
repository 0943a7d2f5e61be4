//! Reading one's own writes: `Event-Position`, as the answer to a write had it, is the least
//! that a list has to tell of, and `Prefer: wait=n` is how long the client waits for that.

use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue};
use tokio::time::timeout;

use super::App;
use super::long_poll::{Wait, preference_applied};
use super::position::{EVENT_POSITION, parse_position};
use super::problem::Problem;
use super::problem_type::ProblemType;
use crate::event_store::GlobalPosition;

/// How far a list has to have come, and how long the client waits for it. The default is any
/// list, at once.
#[derive(Debug, Default)]
pub(super) struct AsOf {
    position: Option<GlobalPosition>,
    wait: Option<u64>,
}

impl<S: Send + Sync> FromRequestParts<S> for AsOf {
    type Rejection = Problem;

    async fn from_request_parts(head: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let mut fields = head.headers.get_all(EVENT_POSITION).iter();
        let Some(field) = fields.next() else {
            return Ok(AsOf::default());
        };
        let text = field.to_str().ok().filter(|_| fields.next().is_none());
        let position = text.and_then(parse_position).ok_or_else(|| {
            Problem::new(
                ProblemType::InvalidEventPosition,
                "Event-Position is what another answer of this service had in that field. Leave \
                 it out to get the list as it is.",
            )
            .with("header", "Event-Position")
        })?;
        Ok(AsOf {
            position: Some(position),
            wait: Wait::of(&head.method, &head.headers).seconds(),
        })
    }
}

impl AsOf {
    /// Waits until lists tell of the position; what then goes into the answer's header fields.
    /// A client that does not wait is told at once, and so is one that waits when the service
    /// stops.
    pub(super) async fn reached(
        self,
        app: &App,
    ) -> Result<Option<(HeaderName, HeaderValue)>, Problem> {
        let Some(position) = self.position else {
            return Ok(None);
        };
        let applied = self.wait.map(preference_applied);
        let wait = Duration::from_secs(self.wait.unwrap_or(0));
        let is_reached = tokio::select! {
            biased;
            // Asks before it waits, also when there is no time to wait.
            reached = timeout(wait, app.read_model.reached(position)) => reached.is_ok(),
            () = app.live.stopped() => false,
        };
        if is_reached {
            return Ok(applied);
        }
        let behind = Problem::read_model_behind(app.read_model.position(), Some(position));
        Err(behind.with_headers(applied))
    }
}
