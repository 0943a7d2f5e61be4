//! `If-None-Match` on reads: whether the client has the current representation.

use super::entity_tag::invalid_precondition;
use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;

use super::entity_tag::Tags;
use crate::http::problem::Problem;
use axum::http::request::Parts;

/// The representations that the client has.
#[derive(Debug)]
pub(crate) struct IfNoneMatch(Option<Tags>);

impl IfNoneMatch {
    /// Whether the client has the representation with this entity tag, by weak comparison (RFC 9110, 8.8.3.2).
    pub(crate) fn matches(&self, etag: &HeaderValue) -> bool {
        let opaque = etag.to_str().unwrap_or_default().trim_matches('"');
        match &self.0 {
            None => false,
            Some(Tags::Any) => true,
            Some(Tags::Listed(tags)) => tags.iter().any(|tag| tag.opaque == opaque),
        }
    }

    /// The response, or a 304 with its header fields and no body if the client has its `ETag`
    /// (RFC 9110, 15.4.5).
    pub(crate) fn unless_known(&self, answer: Response) -> Response {
        if !answer
            .headers()
            .get(ETAG)
            .is_some_and(|etag| self.matches(etag))
        {
            return answer;
        }
        let (mut head, _) = answer.into_parts();
        head.status = StatusCode::NOT_MODIFIED;
        head.headers.remove(CONTENT_TYPE);
        Response::from_parts(head, Body::empty())
    }

    pub(crate) fn tags(headers: &HeaderMap) -> Result<Option<Tags>, Problem> {
        let mut fields = headers.get_all(IF_NONE_MATCH).iter().peekable();
        if fields.peek().is_none() {
            return Ok(None);
        }
        Tags::parse(fields.map(HeaderValue::as_bytes))
            .map(Some)
            .map_err(|invalid| invalid_precondition("If-None-Match", &invalid))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfNoneMatch {
    type Rejection = Problem;

    async fn from_request_parts(head: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        IfNoneMatch::tags(&head.headers).map(IfNoneMatch)
    }
}
