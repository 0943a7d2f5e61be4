//! Building blocks of responses.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::http::problem::Problem;

pub(crate) mod deadline;
pub(crate) mod event_stream;
pub(crate) mod event_view;
pub(crate) mod game_url;
pub(crate) mod header_text;
pub(crate) mod links;
pub(crate) mod validators;

/// How many header fields a response has room for from the start: as many as that to a move has.
const FIELDS: usize = 12;

/// The media type of JSON.
pub(crate) const JSON: &str = "application/json";

/// A 200 with this media type, these header fields and this body.
pub(crate) fn text(
    headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
    media_type: &'static str,
    body: impl Into<Body>,
) -> Response {
    let mut response = Response::new(body.into());
    let fields = response.headers_mut();
    fields.reserve(FIELDS);
    fields.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    // `extend` would ask for room once more.
    for (name, value) in headers {
        fields.append(name, value);
    }
    response
}

/// A 200 with these header fields and a JSON body.
pub(crate) fn json(
    headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
    body: impl Serialize,
) -> Response {
    match serde_json::to_vec(&body) {
        Ok(json) => text(headers, JSON, json),
        Err(error) => {
            tracing::error!(%error, "a response cannot be serialized as JSON");
            Problem::internal_error().into_response()
        }
    }
}
