//! Reading one's own writes: `Event-Position`, as the answer to a write had it, is the least
//! that a list has to tell of, and `Prefer: wait=n` is how long the client waits for that.

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

/// How far a list has to have come, and how long the client waits for it. The default is any
/// list, at once.
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

/// How long every list waits without being asked: for the writes that this process has
/// acknowledged, for a position that is not readable here yet, and for the first catch-up. The
/// read model is a few milliseconds behind the store, so that most lists wait for nothing.
const SHORT_WAIT: Duration = Duration::from_millis(250);

/// Refuses a list that was read before the read model had all events that were stored before
/// the start: it may lack games. To be asked after reading, since a read model that is rebuilt
/// begins without games.
pub(crate) fn whole<T>(app: &App, list: T) -> Result<T, Problem> {
    if app.read_model.has_caught_up() {
        return Ok(list);
    }
    Err(Problem::read_model_behind(app.read_model.position(), None))
}

impl ReadYourWrites {
    /// Waits until lists include the position; returns the header field for the preference that
    /// was applied. Before the first catch-up there are no lists.
    ///
    /// Without a position it waits for what this process has acknowledged, and lets the list be
    /// read in any case. A position that is beyond the end of the store after the short wait is
    /// the client's error. A stop of the service ends every wait.
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
            // Polled before the time is up, so that a list that is there already is not refused.
            reached = timeout(wait, reached) => reached.is_ok(),
            () = app.live.stopped() => false,
        }
    }
}

/// A store that does not answer is no reason to refuse the position.
async fn is_beyond_head(app: &App, position: GlobalPosition) -> bool {
    let head = timeout(SHORT_WAIT, app.games.store().head()).await;
    matches!(head, Ok(Ok(head)) if head < Some(position))
}

fn invalid_position() -> Problem {
    Problem::new(
        ProblemType::InvalidEventPosition,
        "Event-Position must be the value of that field in another answer of this service. Leave it out to get the \
         list as it is now.",
    )
    .with("header", "Event-Position")
}
