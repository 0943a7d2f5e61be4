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
        let position = text.and_then(parse_position).ok_or_else(|| {
            Problem::new(
                ProblemType::InvalidEventPosition,
                "Event-Position is what another answer of this service had in that field. Leave \
                 it out to get the list as it is.",
            )
            .with("header", "Event-Position")
        })?;
        Ok(ReadYourWrites {
            position: Some(position),
            wait: Wait::of(&head.method, &head.headers).seconds(),
        })
    }
}

/// How long every list waits for the read model to catch up for the first time: it is nearly
/// done when a service with few events starts.
const FIRST_CATCH_UP: Duration = Duration::from_millis(250);

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
    /// Waits until lists include the position; what then goes into the answer's header fields.
    /// A client that does not wait is told at once, and so is one that waits when the service
    /// stops. Before the first catch-up there are no lists.
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
            // Asks before it waits, also when there is no time to wait.
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
