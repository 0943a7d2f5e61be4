//! An unknown outcome: what the client sends again, so that its request is carried out only once.

use axum::extract::Request;
use axum::http::header::IF_MATCH;
use axum::http::{HeaderValue, Method, Uri};
use serde_json::{Value, json};

use crate::application::{GameId, IdempotencyKey};
use crate::event_store::StreamRevision;
use crate::http::problem::{Problem, ProblemType};
use crate::http::request::idempotency_key::{IDEMPOTENCY_KEY, NAME, has_options};
use crate::http::request::preconditions::only_revision;

/// It is not known whether the command was carried out. `retry_with` is its key, the revision that it was
/// decided on, or the `PUT` of a new game: with it the request is safe to send again.
pub(crate) fn outcome_unknown(
    id: GameId,
    key: Option<&IdempotencyKey>,
    decided_on: Option<StreamRevision>,
) -> Problem {
    match (key, decided_on) {
        (Some(key), _) => unknown(json!({NAME: key.as_str()})),
        (None, Some(revision)) => unknown(json!({"If-Match": format!("\"{revision}\"")})),
        // A PUT with the id of the new game is idempotent.
        (None, None) => unknown(json!({"method": "PUT", "url": format!("/games/{id}")})),
    }
}

/// What makes a request safe to send again, taken from the request before it is handled. Used when the handler
/// does not finish.
#[derive(Debug, Default)]
pub(crate) struct RetryHint {
    key: Option<HeaderValue>,
    if_match: Option<HeaderValue>,
    put: Option<Uri>,
}

impl RetryHint {
    /// Empty for a safe method, whose requests can always be sent again.
    pub(crate) fn of(request: &Request) -> RetryHint {
        if request.method().is_safe() {
            return RetryHint::default();
        }
        let headers = request.headers();
        let has_options = has_options(headers);
        let field = |name| has_options.then(|| headers.get(name).cloned()).flatten();
        RetryHint {
            key: field(IDEMPOTENCY_KEY),
            if_match: field(IF_MATCH),
            put: (request.method() == Method::PUT).then(|| request.uri().clone()),
        }
    }

    /// It is not known whether the handler appended.
    pub(crate) fn outcome_unknown(&self) -> Problem {
        if let Some(url) = &self.put {
            return unknown(json!({"method": "PUT", "url": url.path()}));
        }
        if let Some(Ok(key)) = self.key.as_ref().map(HeaderValue::to_str) {
            return unknown(json!({NAME: key}));
        }
        // If there are several tags, it is not known which revision the command was decided on.
        if let Some(revision) = self.if_match.as_ref().and_then(only_revision) {
            return unknown(json!({"If-Match": format!("\"{revision}\"")}));
        }
        problem(
            "The service does not know whether the request was carried out. Get the game before you \
             send the request again.",
            Value::Null,
        )
    }
}

fn unknown(retry_with: Value) -> Problem {
    problem(
        "The service does not know whether the request was carried out. Send the same body again with \
         retry_with. The request is then carried out only once.",
        retry_with,
    )
}

fn problem(detail: &str, retry_with: Value) -> Problem {
    Problem::new(ProblemType::OutcomeUnknown, detail)
        .retry_after("1")
        .with("retry_with", retry_with)
}
