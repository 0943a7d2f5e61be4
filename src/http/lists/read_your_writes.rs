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
        let position = text.and_then(parse_position).ok_or_else(invalid_position)?;
        Ok(ReadYourWrites {
            position: Some(position),
            wait: Wait::of(&head.method, &head.headers).seconds(),
        })
    }
}

/// The longest time that every list waits, also without `Prefer`: for the writes that this process
/// has acknowledged, for a position that is not readable here yet, and for the first catch-up. The
/// read model applies the events at once when a list waits for them, so a list waits a few milliseconds.
const SHORT_WAIT: Duration = Duration::from_millis(250);

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
    /// Waits until lists include the position, and returns `Preference-Applied` if the client asked
    /// to wait. Before the first catch-up, no list is available.
    ///
    /// Without a position, it waits for the writes that this process has acknowledged, and allows
    /// the list even if the read model does not reach them in time. A position that is beyond the end of
    /// the store after the short wait is the client's error. When the service stops, every wait ends.
    pub(crate) async fn reached(
        self,
        app: &App,
    ) -> Result<Option<(HeaderName, HeaderValue)>, Problem> {
        let applied = self.wait.map(preference_applied);
        let acknowledged = app.acknowledged.last();
        if self
            .reaches(app, self.position.max(acknowledged), SHORT_WAIT)
            .await
        {
            return Ok(applied);
        }
        let Some(position) = self.position else {
            if app.read_model.has_caught_up() {
                return Ok(applied);
            }
            return Err(Problem::read_model_behind(app.read_model.position(), None));
        };
        if is_beyond_head(app, position).await {
            return Err(invalid_position());
        }
        let rest = Duration::from_secs(self.wait.unwrap_or(0)).saturating_sub(SHORT_WAIT);
        if self.reaches(app, Some(position), rest).await {
            return Ok(applied);
        }
        let behind = Problem::read_model_behind(app.read_model.position(), Some(position));
        Err(behind.with_headers(applied))
    }

    async fn reaches(&self, app: &App, position: Option<GlobalPosition>, wait: Duration) -> bool {
        let reached = async {
            app.read_model.caught_up().await;
            if let Some(position) = position {
                app.read_model.reached(position).await;
            }
        };
        tokio::select! {
            biased;
            // A timeout of zero still polls `reached` once.
            reached = timeout(wait, reached) => reached.is_ok(),
            () = app.live.stopped() => false,
        }
    }
}

/// How long the store may take to say where it ends.
const HEAD_WAIT: Duration = Duration::from_secs(2);

/// `false` if the store does not answer: then the position may be valid.
async fn is_beyond_head(app: &App, position: GlobalPosition) -> bool {
    let head = timeout(HEAD_WAIT, app.games.store().head()).await;
    matches!(head, Ok(Ok(head)) if head < Some(position))
}

fn invalid_position() -> Problem {
    Problem::new(
        ProblemType::InvalidEventPosition,
        "Event-Position must be a value that a response of this service had in that field. Send it unchanged, or \
         leave it out to get the current list.",
    )
    .with("header", "Event-Position")
}
