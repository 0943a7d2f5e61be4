//! Requests that no route takes.

use crate::http::problem::ProblemType;

use axum::http::Uri;

use crate::http::problem::Problem;

pub(crate) async fn not_found(uri: Uri) -> Problem {
    Problem::new(
        ProblemType::NotFound,
        format!(
            "There is nothing at {}. Games are at /games/{{id}}.",
            uri.path()
        ),
    )
}

pub(crate) async fn method_not_allowed() -> Problem {
    Problem::new(
        ProblemType::MethodNotAllowed,
        "This resource does not support the method. The Allow field lists the methods that it supports.",
    )
}
