//! The OpenAPI document, an interactive page for it, and the index. Documents ignore query parameters, because
//! sites that link to a page add their own.

use std::sync::LazyLock;

use axum::http::header::{CACHE_CONTROL, LINK, VARY};
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use serde_json::{Value, json as value};

use super::page::{html, page};
use crate::http::request::accept::PageForm;
use crate::http::response::{json, text};

const YAML: &str = include_str!("../../../openapi.yaml");
const DOCS: &str = include_str!("docs.html");

/// The parsed OpenAPI document.
pub(crate) static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    serde_saphyr::from_str(YAML).expect("tests read the document that is compiled in")
});

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
    json([FIVE_MINUTES], &*DOCUMENT)
}

/// `GET /docs`
pub(crate) async fn docs() -> Response {
    html([], DOCS)
}

/// `GET /`
pub(crate) async fn index(form: PageForm) -> Response {
    let links = HeaderValue::from_static(
        "</openapi.yaml>; rel=\"service-desc\"; type=\"application/yaml\", \
         </docs>; rel=\"service-doc\"; type=\"text/html\"",
    );
    let links = (LINK, links);
    match form {
        PageForm::Json => json(
            [links, VARIES, FIVE_MINUTES],
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
        ),
        PageForm::Html => page(
            [links, VARIES],
            "Connect Four",
            "<p>Connect Four as an event-sourced service.</p>
<ul>
<li><a href=\"/docs\">The API: documentation, and a page to try it</a>
<li><a href=\"/openapi.yaml\">The OpenAPI document</a>
<li><a href=\"/problems\">All problem types: what each means and what to do next</a>
</ul>
<p>A game with curl:</p>
<pre>
curl -H 'Accept: text/plain' --json '{\"player_one\":\"alice\",\"player_two\":\"bob\"}' HOST/games
curl -H 'Accept: text/plain' --json '{\"player\":\"alice\",\"column\":\"D\"}' HOST/games/ID/moves
</pre>
",
        ),
    }
}
