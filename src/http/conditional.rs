//! Validators and caching of games: one strong entity tag, the revision of the stream.

use axum::http::header::{CACHE_CONTROL, ETAG};
use axum::http::{HeaderName, HeaderValue};

use crate::event_store::StreamRevision;

/// The entity tag of everything that shows a game at this revision (RFC 9110, 8.8.3).
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
