//! Validators, conditional requests and caching of games (RFC 9110, 13). The strong entity tag is the revision
//! of the stream.

use crate::http::request::entity_tag::TEXT_VARIANT;
use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, ETAG, VARY};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;

use super::FIELDS;
use super::header_text::header_text;
use crate::event_store::StreamRevision;
use crate::http::request::accept::GameForm;

/// The entity tag of a JSON representation of a game at this revision (RFC 9110, 8.8.3).
pub(crate) fn etag(revision: StreamRevision) -> HeaderValue {
    tag(revision, "")
}

/// The header fields of a game in this form. Each form has its own tag, because a strong tag identifies the
/// bytes.
pub(crate) fn game_headers(
    form: GameForm,
    revision: StreamRevision,
) -> [(HeaderName, HeaderValue); 2] {
    let tag = match form {
        GameForm::Json => etag(revision),
        GameForm::Text(_) => tag(revision, TEXT_VARIANT),
    };
    [(ETAG, tag), (VARY, HeaderValue::from_static("accept"))]
}

fn tag(revision: StreamRevision, variant: &str) -> HeaderValue {
    let mut digits = itoa::Buffer::new();
    header_text(["\"", digits.format(revision.number()), variant, "\""])
}

/// The entity tag as a header field.
pub(crate) fn etag_headers(revision: StreamRevision) -> [(HeaderName, HeaderValue); 1] {
    [(ETAG, etag(revision))]
}

/// For responses that the next move changes: a cache must revalidate each time.
pub(crate) const REVALIDATE: (HeaderName, HeaderValue) =
    (CACHE_CONTROL, HeaderValue::from_static("no-cache"));

/// For responses that no later event can change.
pub(crate) const IMMUTABLE: (HeaderName, HeaderValue) = (
    CACHE_CONTROL,
    HeaderValue::from_static("public, max-age=31536000, immutable"),
);

/// A 304 with these header fields.
pub(crate) fn not_modified(
    headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    let fields = response.headers_mut();
    fields.reserve(FIELDS);
    fields.extend(headers);
    response
}
