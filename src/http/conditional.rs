//! Validators and caching of games: one strong entity tag, the revision of the stream.

use axum::http::header::{ACCEPT, CACHE_CONTROL, ETAG, VARY};
use axum::http::{HeaderName, HeaderValue};

use super::accept::GameForm;
use crate::event_store::StreamRevision;

/// The entity tag of a game in this form. Each form is bytes of its own, and a strong tag
/// is for the bytes.
pub(super) fn game_headers(
    form: GameForm,
    revision: StreamRevision,
) -> [(HeaderName, HeaderValue); 2] {
    let tag = match form {
        GameForm::Json => format!("\"{revision}\""),
        GameForm::Text(_) => format!("\"{revision}-text\""),
    };
    let tag = HeaderValue::try_from(tag).expect("digits and letters are a header value");
    [(ETAG, tag), (VARY, HeaderValue::from(ACCEPT))]
}

/// The entity tag of everything else that shows a game at this revision (RFC 9110, 8.8.3).
pub(super) fn etag_headers(revision: StreamRevision) -> [(HeaderName, HeaderValue); 1] {
    let tag = HeaderValue::try_from(format!("\"{revision}\""))
        .expect("digits in quotes are a header value");
    [(ETAG, tag)]
}

/// For what the next move changes: ask again each time.
pub(super) const REVALIDATE: (HeaderName, HeaderValue) =
    (CACHE_CONTROL, HeaderValue::from_static("no-cache"));

/// For what no event to come can change.
pub(super) const IMMUTABLE: (HeaderName, HeaderValue) = (
    CACHE_CONTROL,
    HeaderValue::from_static("public, max-age=31536000, immutable"),
);
