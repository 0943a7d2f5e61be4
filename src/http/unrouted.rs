//! Requests that match no route.

use crate::http::problem::ProblemType;

use axum::http::Uri;

use crate::http::problem::Problem;

pub(crate) async fn not_found(uri: Uri) -> Problem {
    Problem::new(
        ProblemType::NotFound,
        format!(
            "There is no resource at {}. Games are at /games/{{id}}. GET / lists all paths.",
            uri.path()
        ),
    )
}

pub(crate) async fn method_not_allowed() -> Problem {
    Problem::new(
        ProblemType::MethodNotAllowed,
        "This resource does not support the method. Use one of the methods in the Allow field.",
    )
}
