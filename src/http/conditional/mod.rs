//! Validators, conditional requests and caching of games (RFC 9110, 13): one strong entity
//! tag, the revision of the stream.

mod entity_tag;
mod if_none_match;
mod precondition;

use axum::http::header::{ACCEPT, CACHE_CONTROL, ETAG, VARY};
use axum::http::{HeaderName, HeaderValue};

use super::accept::GameForm;
use super::problem::Problem;
use super::problem_type::ProblemType;
use crate::event_store::StreamRevision;
use entity_tag::{InvalidTags, TEXT_VARIANT};
pub(super) use if_none_match::{IfNoneMatch, not_modified};
pub(super) use precondition::{
    only_revision, precondition, precondition_required, revision_mismatch,
};

/// The entity tag of what shows a game at this revision (RFC 9110, 8.8.3).
pub(super) fn etag(revision: StreamRevision) -> HeaderValue {
    HeaderValue::try_from(format!("\"{revision}\"")).expect("digits in quotes are a header value")
}

/// The header fields of a game in this form. Each form is bytes of its own, and a strong
/// tag is for the bytes.
pub(super) fn game_headers(
    form: GameForm,
    revision: StreamRevision,
) -> [(HeaderName, HeaderValue); 2] {
    let tag = match form {
        GameForm::Json => etag(revision),
        GameForm::Text(_) => HeaderValue::try_from(format!("\"{revision}{TEXT_VARIANT}\""))
            .expect("digits and letters in quotes are a header value"),
    };
    [(ETAG, tag), (VARY, HeaderValue::from(ACCEPT))]
}

/// The entity tag as a header field.
pub(super) fn etag_headers(revision: StreamRevision) -> [(HeaderName, HeaderValue); 1] {
    [(ETAG, etag(revision))]
}

/// For what the next move changes: ask again each time.
pub(super) const REVALIDATE: (HeaderName, HeaderValue) =
    (CACHE_CONTROL, HeaderValue::from_static("no-cache"));

/// For what no event to come can change.
pub(super) const IMMUTABLE: (HeaderName, HeaderValue) = (
    CACHE_CONTROL,
    HeaderValue::from_static("public, max-age=31536000, immutable"),
);

/// A condition that cannot be read is never passed over: the client relies on it.
fn invalid_precondition(header: &str, invalid: &InvalidTags) -> Problem {
    Problem::new(
        ProblemType::InvalidPrecondition,
        format!("{invalid} Send {header}: {}", invalid.as_it_should_be()),
    )
    .with("header", header)
}
