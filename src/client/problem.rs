//! What goes wrong between a client and its service.

use std::error::Error;

use reqwest::StatusCode;
use serde::Deserialize;

/// A text that is no service's URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no URL of a service; one looks like http://127.0.0.1:8080")]
pub struct InvalidServer(pub String);

/// Why a request came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The service answered that it will not.
    #[error(transparent)]
    Refused(Problem),
    /// No answer, however often it was asked. What was wanted may have happened: the same
    /// [`Intention`](super::Intention) can be sent again.
    #[error("no answer: {0}")]
    Unreachable(String),
    /// Something answers there, but not this service.
    #[error("the answer is not a game's: {0}")]
    Unintelligible(#[source] serde_json::Error),
}

impl ClientError {
    /// Whether the service refused with a problem of this type.
    pub fn is(&self, slug: &str) -> bool {
        match self {
            ClientError::Refused(problem) => problem.slug == slug,
            ClientError::Unreachable(_) | ClientError::Unintelligible(_) => false,
        }
    }
}

/// A refusal of the service (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.reason())]
pub struct Problem {
    /// The fixed word at the end of its type, such as `column-full`; empty if what answered
    /// does not speak in problems.
    pub slug: String,
    /// The answer's status.
    pub status: u16,
    /// What is the matter, for people.
    pub detail: String,
}

#[derive(Deserialize)]
struct Body {
    #[serde(rename = "type")]
    problem_type: String,
    detail: String,
}

impl Problem {
    pub(super) fn of(status: StatusCode, body: &[u8]) -> Problem {
        let (slug, detail) = match serde_json::from_slice::<Body>(body) {
            Ok(body) => {
                let slug = body.problem_type.rsplit('/').next().unwrap_or_default();
                (slug.to_owned(), body.detail)
            }
            Err(_) => (String::new(), format!("the server answers {status}")),
        };
        Problem {
            slug,
            status: status.as_u16(),
            detail,
        }
    }

    /// The detail without the pointer to the member of the body that it is about, which says
    /// nothing to whoever did not write the body.
    pub fn reason(&self) -> &str {
        match self.detail.split_once(": ") {
            Some((pointer, reason)) if pointer.starts_with("#/") => reason,
            Some(_) | None => &self.detail,
        }
    }
}

/// The innermost cause, such as "Connection refused": what lies around it says that a request
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
    }

    #[test]
    fn what_is_no_problem_is_told_by_its_status() {
        let problem = Problem::of(StatusCode::NOT_FOUND, b"<html>");
        assert_eq!(problem.reason(), "the server answers 404 Not Found");
    }
}
