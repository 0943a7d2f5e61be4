//! Content negotiation by `Accept` (RFC 9110, 12.5.1). Nothing else about a client counts.

use std::str::FromStr;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use axum::http::request::Parts;
use headers_accept::Accept;
use mediatype::MediaType;
use mediatype::names::{APPLICATION, JSON};

use super::problem::Problem;
use super::problem_type::ProblemType;

pub(super) const APPLICATION_JSON: MediaType<'static> = MediaType::new(APPLICATION, JSON);

/// The client takes JSON. A request without `Accept` takes anything.
#[derive(Debug)]
pub(super) struct AcceptsJson;

impl<S: Send + Sync> FromRequestParts<S> for AcceptsJson {
    type Rejection = Problem;

    async fn from_request_parts(head: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        negotiate(&head.headers, &[APPLICATION_JSON]).map(|_| AcceptsJson)
    }
}

/// The media type that the client likes best among those that can be had. A field that
/// cannot be parsed counts as absent (RFC 9110, 5.5 leaves that to the recipient).
pub(super) fn negotiate<'a>(
    headers: &HeaderMap,
    offered: &'a [MediaType<'static>],
) -> Result<&'a MediaType<'static>, Problem> {
    let fields: Vec<_> = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|field| field.to_str().ok())
        .collect();
    let accept = Accept::from_str(&fields.join(", "));
    let first = offered.first().ok_or_else(Problem::internal_error)?;
    match accept {
        Ok(accept) if !fields.is_empty() => accept
            .negotiate(offered)
            .ok_or_else(|| not_acceptable(offered)),
        Ok(_) | Err(_) => Ok(first),
    }
}

fn not_acceptable(offered: &[MediaType<'static>]) -> Problem {
    let offered: Vec<_> = offered.iter().map(ToString::to_string).collect();
    Problem::new(
        ProblemType::NotAcceptable,
        format!("This can be had as {}.", offered.join(" or ")),
    )
    .with("accepted", offered)
}
