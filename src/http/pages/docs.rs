//! `GET /docs`: an interactive page of the API.

use axum::http::HeaderValue;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::response::Response;

use super::shell::page;

const PAGE: &str = include_str!("../../../web/docs.html");

/// Swagger UI has icons as `data:` URLs in its styles, and inserts the descriptions as HTML, so Trusted Types are not
/// required here.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

/// `GET /docs`
pub(crate) async fn show_docs() -> Response {
    let mut response = page(PAGE, [], []);
    let policy = HeaderValue::from_static(POLICY);
    response
        .headers_mut()
        .insert(CONTENT_SECURITY_POLICY, policy);
    response
}
