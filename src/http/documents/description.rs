//! The description of the service: the OpenAPI document and the index. Documents ignore query parameters, because
//! sites that link to a page add their own.

use std::sync::LazyLock;

use axum::http::header::{CACHE_CONTROL, LINK, VARY};
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use bytes::Bytes;
use serde_json::{Value, json as value};

use crate::http::response::{json, text};

const YAML: &str = include_str!("../../../openapi.yaml");

/// The parsed OpenAPI document.
pub(crate) static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    serde_saphyr::from_str(YAML).expect("tests read the document that is compiled in")
});

/// The document as JSON. All responses share these bytes: a client that does not read keeps no copy of them.
static JSON: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(DOCUMENT.to_string()));

/// For documents that the next version of the service may change.
pub(crate) const FIVE_MINUTES: (HeaderName, HeaderValue) = (
    CACHE_CONTROL,
    HeaderValue::from_static("public, max-age=300"),
);

/// For documents that are available as JSON and as HTML.
pub(crate) const VARIES: (HeaderName, HeaderValue) = (VARY, HeaderValue::from_static("accept"));

/// `GET /openapi.yaml` (RFC 9512)
pub(crate) async fn openapi_yaml() -> Response {
    text([FIVE_MINUTES], "application/yaml", YAML)
}

/// `GET /openapi.json`
pub(crate) async fn openapi_json() -> Response {
    text([FIVE_MINUTES], "application/json", JSON.clone())
}

/// The way to the description of the API (RFC 8631).
pub(crate) fn description_links() -> (HeaderName, HeaderValue) {
    let links = HeaderValue::from_static(
        "</openapi.yaml>; rel=\"service-desc\"; type=\"application/yaml\", \
         </docs>; rel=\"service-doc\"; type=\"text/html\"",
    );
    (LINK, links)
}

/// `GET /`, for programs.
pub(crate) fn index() -> Response {
    json(
        [description_links(), VARIES, FIVE_MINUTES],
        value!({
            "games": "/games",
            "game": "/games/{id}",
            "moves": "/games/{id}/moves",
            "events": "/games/{id}/events",
            "resignation": "/games/{id}/resignation",
            "all_events": "/events",
            "players": "/players",
            "player": "/players/{name}",
            "openapi": "/openapi.yaml",
            "docs": "/docs",
            "problems": "/problems",
        }),
    )
}
