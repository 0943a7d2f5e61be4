//! Requests that no handler of a resource answers.

use axum::http::header::ALLOW;
use axum::http::{HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use crate::http::problem::{Problem, ProblemType};

/// The methods that at least one resource supports.
const ALL_METHODS: HeaderValue = HeaderValue::from_static("GET,HEAD,POST,PUT");

/// A 404. `OPTIONS *` asks about the whole service (RFC 9110, 9.3.7) and is a 204.
pub(crate) async fn not_found(method: Method, uri: Uri) -> Response {
    if method == Method::OPTIONS && uri.path() == "*" {
        return (StatusCode::NO_CONTENT, [(ALLOW, ALL_METHODS)]).into_response();
    }
    Problem::new(
        ProblemType::NotFound,
        format!(
            "There is no resource at {}. Games are at /games/{{id}}. GET / lists all paths.",
            uri.path()
        ),
    )
    .into_response()
}

/// A 405, or a 204 for `OPTIONS`. The router adds `Allow`.
pub(crate) async fn method_not_allowed(method: Method) -> Result<StatusCode, Problem> {
    if method == Method::OPTIONS {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Problem::new(
        ProblemType::MethodNotAllowed,
        "This resource does not support the method. Use one of the methods in the Allow field.",
    ))
}

/// A 503, for a connection that the service cannot serve.
pub(crate) async fn too_many_connections() -> Problem {
    Problem::new(
        ProblemType::TooManyConnections,
        "The service has too many connections. Nothing was done. Send the request again after the seconds in \
         Retry-After.",
    )
    .retry_after("2")
}
