//! `If-Match` on reads of every resource (RFC 9110, 13.1.1).

use axum::extract::Request;
use axum::http::header::{ETAG, IF_MATCH};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::http::problem::Problem;
use crate::http::request::entity_tag::{Tags, invalid_precondition};

/// The lines of the `If-Match` field of a read.
pub(super) struct IfMatch(Vec<HeaderValue>);

impl IfMatch {
    /// `None` if the request is not a read or has no `If-Match`. Writes check theirs before they append.
    pub(super) fn of_read(request: &Request) -> Option<IfMatch> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return None;
        }
        let fields = request.headers().get_all(IF_MATCH).iter();
        let fields: Vec<_> = fields.cloned().collect();
        (!fields.is_empty()).then_some(IfMatch(fields))
    }

    /// The response, or a 412 if its representation is none of those that the client names. A response that is not
    /// a success does not depend on the condition (RFC 9110, 13.2.1). A 304 does, because `If-Match` comes before
    /// `If-None-Match` (13.2.2).
    pub(super) fn check(self, response: Response) -> Response {
        let status = response.status();
        if !status.is_success() && status != StatusCode::NOT_MODIFIED {
            return response;
        }
        let tags = match Tags::parse(self.0.iter().map(HeaderValue::as_bytes)) {
            Ok(Tags::Any) => return response,
            Ok(Tags::Listed(tags)) => tags,
            Err(invalid) => return invalid_precondition("If-Match", &invalid).into_response(),
        };
        let etag = response.headers().get(ETAG);
        let text = etag.and_then(|etag| etag.to_str().ok());
        // Weak tags never match (RFC 9110, 8.8.3.2).
        if tags
            .iter()
            .any(|tag| !tag.is_weak && Some(tag.to_string().as_str()) == text)
        {
            return response;
        }
        let detail = match text {
            Some(text) => format!(
                "The current entity tag is {text}, and If-Match does not name it. Send the request without If-Match."
            ),
            None => "This resource has no entity tag that If-Match could name. Send the request without If-Match."
                .to_owned(),
        };
        Problem::precondition_failed(detail)
            .with_headers(etag.map(|etag| (ETAG, etag.clone())))
            .into_response()
    }
}
