//! Error responses as `application/problem+json` (RFC 9457). Each problem type has its status here.

mod kind;
mod meanings;

pub(crate) use kind::ProblemType;

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// A problem on its way to the client.
///
/// `into_response` returns an empty response with the problem as an extension. The outermost layer,
/// which knows the request's id, writes the body.
#[derive(Debug, Clone)]
pub(crate) struct Problem(Box<Content>);

#[derive(Debug, Clone)]
struct Content {
    problem_type: ProblemType,
    detail: String,
    members: Map<String, Value>,
    headers: HeaderMap,
}

impl Problem {
    /// A problem of this type. The detail is for people: what was wrong, and what to do next.
    pub(crate) fn new(problem_type: ProblemType, detail: impl Into<String>) -> Problem {
        Problem(Box::new(Content {
            problem_type,
            detail: detail.into(),
            members: Map::new(),
            headers: HeaderMap::new(),
        }))
    }

    /// Adds an extension member (RFC 9457, 3.2), for programs.
    #[must_use]
    pub(crate) fn with(mut self, member: &str, value: impl Serialize) -> Problem {
        let value = serde_json::to_value(value).unwrap_or(Value::Null);
        self.0.members.insert(member.to_owned(), value);
        self
    }

    /// Adds a header field.
    #[must_use]
    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Problem {
        self.0.headers.insert(name, value);
        self
    }

    /// Adds header fields, if there are any.
    #[must_use]
    pub(crate) fn with_headers(
        mut self,
        headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
    ) -> Problem {
        self.0.headers.extend(headers);
        self
    }

    /// What kind of problem it is.
    pub(crate) fn problem_type(&self) -> ProblemType {
        self.0.problem_type
    }

    /// What happened and what to do next, for people.
    pub(crate) fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The header fields beside those of every problem.
    pub(crate) fn headers(&self) -> HeaderMap {
        self.0.headers.clone()
    }

    /// The problem's slug.
    pub(crate) fn slug(&self) -> &'static str {
        self.0.problem_type.slug()
    }

    /// The response, with the request's id as the `instance` of the problem.
    pub(crate) fn render(self, request_id: Uuid) -> Response {
        let status = self.0.problem_type.status();
        let mut body = Map::new();
        body.insert("type".into(), json!(format!("/problems/{}", self.slug())));
        body.insert("title".into(), json!(self.0.problem_type.title()));
        body.insert("status".into(), json!(status.as_u16()));
        body.insert("detail".into(), json!(self.0.detail));
        body.insert("instance".into(), json!(request_id.urn().to_string()));
        body.extend(self.0.members);
        let mut response = Response::new(Body::from(Value::Object(body).to_string()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.extend(self.0.headers);
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.0.problem_type.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl Problem {
    /// No game has this id, or the id is not a UUID.
    pub(crate) fn game_not_found(id: &str) -> Problem {
        Problem::new(
            ProblemType::GameNotFound,
            "There is no game with this id. POST /games starts one.",
        )
        .with("game_id", id)
    }

    /// The store does not respond, and nothing was done.
    pub(crate) fn store_unavailable() -> Problem {
        Problem::new(
            ProblemType::StoreUnavailable,
            "The event store does not respond. Nothing was done. Send the request again after the seconds \
             in Retry-After.",
        )
        .retry_after("2")
    }

    /// An unexpected error. The log has its cause, under the request's id.
    pub(crate) fn internal_error() -> Problem {
        Problem::new(
            ProblemType::InternalError,
            "The service could not process the request. Report the instance to its operator.",
        )
    }

    /// Adds `Retry-After`, in seconds.
    pub(crate) fn retry_after(self, seconds: &'static str) -> Problem {
        self.with_header(RETRY_AFTER, HeaderValue::from_static(seconds))
    }
}
