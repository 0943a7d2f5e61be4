//! The errors of a client.

use std::error::Error;

use reqwest::StatusCode;
use serde::Deserialize;

/// A string that is not the URL of a service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the URL of a service; an example is http://127.0.0.1:8080")]
pub struct InvalidServer(pub String);

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The service refused the request.
    #[error(transparent)]
    Refused(Problem),
    /// There was no answer to any attempt. The request may have been carried out; it can be sent
    /// again with the same [`IdempotencyKey`](super::IdempotencyKey).
    #[error("no answer: {0}")]
    Unreachable(String),
    /// The service redirects, and following it would change the request.
    #[error("it redirects to {location}; the service may be at {service}")]
    Redirected {
        /// Where the request was redirected to.
        location: String,
        /// The URL that the service probably has, without a trailing slash.
        service: String,
    },
    /// The response is not one of this service; another program may listen at that address.
    #[error("the response is not valid: {0}")]
    InvalidResponse(#[source] serde_json::Error),
}

impl ClientError {
    /// Whether the service refused with a problem of this type.
    pub fn is(&self, slug: &str) -> bool {
        match self {
            ClientError::Refused(problem) => problem.slug == slug,
            ClientError::Unreachable(_)
            | ClientError::Redirected { .. }
            | ClientError::InvalidResponse(_) => false,
        }
    }
}

/// A refusal of the service (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.reason())]
pub struct Problem {
    /// The last part of the problem's `type`, such as `column-full`; empty if the body is not a
    /// problem document.
    pub slug: String,
    /// The status of the response.
    pub status: u16,
    /// A sentence that explains the problem to a user.
    pub detail: String,
}

#[derive(Deserialize)]
struct Body {
    #[serde(rename = "type")]
    problem_type: String,
    detail: String,
    /// What is wrong with each member of the request body.
    #[serde(default)]
    errors: Vec<InvalidMember>,
}

#[derive(Deserialize)]
struct InvalidMember {
    detail: String,
}

impl Problem {
    pub(super) fn of(status: StatusCode, body: &[u8]) -> Problem {
        let (slug, detail) = match serde_json::from_slice::<Body>(body) {
            Ok(body) => {
                let slug = body.problem_type.rsplit('/').next().unwrap_or_default();
                // The detail of this problem is for programmers: it mentions the members of the document.
                let detail = match body.errors.first() {
                    Some(first) if slug == "invalid-request" => format!("{}.", first.detail),
                    Some(_) | None => body.detail,
                };
                (slug.to_owned(), detail)
            }
            Err(_) => (String::new(), format!("the server answers {status}")),
        };
        Problem {
            slug,
            status: status.as_u16(),
            detail,
        }
    }

    /// The detail without its JSON pointer into the request body, which means nothing to a user.
    pub fn reason(&self) -> &str {
        match self.detail.split_once(": ") {
            Some((pointer, reason)) if pointer.starts_with("#/") => reason,
            Some(_) | None => &self.detail,
        }
    }
}

/// The innermost cause, such as "Connection refused". The outer errors say only that a request
/// failed.
pub(super) fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_read_from_its_body() {
        let body = r##"{"type":"/problems/invalid-request","detail":"#/column: no letter."}"##;
        let problem = Problem::of(StatusCode::UNPROCESSABLE_ENTITY, body.as_bytes());
        assert_eq!(problem.slug, "invalid-request");
        assert_eq!(problem.reason(), "no letter.");
        assert!(ClientError::Refused(problem).is("invalid-request"));

        let body = r##"{"type":"/problems/invalid-request","detail":"#/a: b. Fix every entry.",
            "errors":[{"pointer":"#/a","detail":"b"},{"pointer":"#/c","detail":"d"}]}"##;
        let problem = Problem::of(StatusCode::UNPROCESSABLE_ENTITY, body.as_bytes());
        assert_eq!(problem.reason(), "b.");
    }

    #[test]
    fn an_answer_that_is_not_a_problem_document_is_reported_by_its_status() {
        let problem = Problem::of(StatusCode::NOT_FOUND, b"<html>");
        assert_eq!(problem.reason(), "the server answers 404 Not Found");
    }
}
